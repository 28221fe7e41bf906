import { collect } from "../collect.js";
import { drawEquity } from "../charts/equity.js";
import { showWaiting } from "../charts/chart.js";
import { getJson, loadFragment, replaceFragment } from "../requests.js";
import { spanQuery } from "../trial/span.js";

const place = document.getElementById("sides");
const names = place?.dataset.trials.split(",") ?? [];
const shown = { span: null, lines: null };
let chart;

async function showSides() {
  await loadFragment(place, "The comparison");
  chart = document.getElementById("equity");
  if (!chart) return;
  collect(names);
  await loadCurves();
}

async function loadCurves() {
  const span = shown.span;
  try {
    const { lines } = await getJson(`/dashboard/compare/curves?trials=${chart.dataset.trials}&${spanQuery(span)}`);
    if (span === shown.span) shown.lines = lines;
    draw();
  } catch (error) {
    showWaiting(chart, `The curves could not be drawn: ${error.message}`);
  }
}

function draw() {
  const lines = shown.lines.map(({ equity, drawdown, ...line }) => {
    if (line.name === "Holding") return { ...line, values: equity, look: "muted", dash: "dashed" };
    return { ...line, values: equity, drawdown, look: `line${names.indexOf(line.name) + 1}` };
  });
  drawEquity(chart, lines, { capital: Number(chart.dataset.capital), unit: chart.dataset.unit, span: shown.span, onSpan: zoom });
}

async function zoom(span) {
  if (String(span) === String(shown.span)) return;
  shown.span = span;
  await loadCurves();
}

function show(trials) {
  location.assign(`/dashboard/compare?trials=${trials.join(",")}`);
}

place?.addEventListener("click", ({ target }) => {
  const { first, drop, at } = target.dataset;
  if (first) show([first, ...names.filter((name) => name !== first)]);
  if (drop) show(names.filter((name) => name !== drop));
  const card = target.closest("[data-parting]");
  if (card && at !== undefined) replaceFragment(card, `/dashboard/compare/parting?trials=${card.dataset.parting}&at=${at}`);
});

if (place) showSides();
