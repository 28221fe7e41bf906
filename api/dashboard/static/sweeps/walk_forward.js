import { drawChart, showWaiting } from "../charts/chart.js";
import { formatted } from "../format.js";
import { getJson } from "../requests.js";
import { amountTick } from "../charts/equity.js";

const DAY_MS = 86_400_000;
const found = new Map();

/* The stitched run of a walk-forward beside holding, drawn day by day; its seams are dotted. */
export async function drawWalkForward(chart) {
  const { source, unit } = chart.dataset;
  try {
    if (!found.has(source)) found.set(source, await getJson(source));
    const curves = found.get(source);
    const items = [line("Walk-forward", curves.equity, { look: "accent" }), line("Holding", curves.hold, { look: "muted", dash: "dashed" })];
    const uprights = curves.seams.slice(1).map((at) => ({ at }));
    drawChart(chart, { x: { type: "time", title: "UTC", domain: [curves.equity[0][0], curves.equity.at(-1)[0]] }, panels: [{ title: `Equity, ${unit}`, tick: amountTick, items }], uprights });
    chart.dataset.drawn = String(curves.seams.length);
  } catch (error) {
    showWaiting(chart, `The curve could not be drawn: ${error.message}`);
  }
}

function line(name, points, look) {
  const days = points.filter(([t], place) => place + 1 === points.length || day(points[place + 1][0]) !== day(t));
  return { kind: "line", name, x: days.map(([t]) => t), y: days.map(([, equity]) => Number(equity)), texts: (index) => `${name} ${formatted(days[index][1], "money")}`, ...look };
}

const day = (t) => Math.floor(t / DAY_MS);
