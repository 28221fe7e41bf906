import { baseLayout, chartOptions, colours, fontSize, loadPlotly, showWaiting } from "../plotly-loader.js";
import { getJson } from "../requests.js";

const DAY_MS = 86_400_000;
const found = new Map();

/* The stitched run of a walk-forward beside holding, drawn day by day; its seams are dotted. */
export async function drawWalkForward(chart) {
  const { source, unit } = chart.dataset;
  try {
    if (!found.has(source)) found.set(source, await getJson(source));
    const plotly = await loadPlotly();
    const curves = found.get(source);
    const c = colours();
    const traces = [
      line("Walk-forward", curves.equity, unit, { color: c.accent, width: 1.6 }),
      line("Holding", curves.hold, unit, { color: c.muted, width: 1.6, dash: "dash" }),
    ];
    await plotly.react(chart, traces, layout(curves.seams, unit, c), chartOptions("toImage", "zoom2d", "pan2d", "resetScale2d"));
    showWaiting(chart, "");
    chart.dataset.drawn = String(curves.seams.length);
  } catch (error) {
    showWaiting(chart, `The curve could not be drawn: ${error.message}`);
  }
}

function line(name, points, unit, look) {
  const days = points.filter(([t], place) => place + 1 === points.length || day(points[place + 1][0]) !== day(t));
  return {
    type: "scatter", mode: "lines", name, x: days.map(([t]) => iso(t)), y: days.map(([, equity]) => Number(equity)), line: look,
    hovertemplate: `${name} %{y:,.2f} ${unit}<extra></extra>`,
  };
}

function layout(seams, unit, c) {
  const side = { color: c.muted, zeroline: false, automargin: true };
  return {
    ...baseLayout(),
    hovermode: "x", legend: { orientation: "h", x: 0, y: 1.01, yanchor: "bottom", bgcolor: "rgba(0,0,0,0)" },
    margin: { l: 20, r: 16, t: 28, b: 20 },
    xaxis: { ...side, type: "date", showgrid: false },
    yaxis: { ...side, gridcolor: c.soft, fixedrange: true, tickformat: ",.2~f", title: { text: `Equity, ${unit}`, font: { size: fontSize() }, standoff: 14 } },
    shapes: seams.slice(1).map((t) => ({
      type: "line", x0: iso(t), x1: iso(t), yref: "paper", y0: 0, y1: 1, layer: "below", line: { color: c.faint, width: 1, dash: "dot" },
    })),
  };
}

const day = (t) => Math.floor(t / DAY_MS);
const iso = (t) => new Date(t).toISOString().slice(0, 19);
