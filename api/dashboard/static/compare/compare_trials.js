import { collect } from "../collect.js";
import { drawEquity } from "../trial/equity.js";
import { loadPlotly, showWaiting } from "../plotly-loader.js";
import { getJson, loadFragment, replaceFragment } from "../requests.js";
import { onZoom, spanQuery } from "../trial/zoom.js";

const place = document.getElementById("sides");
const names = place?.dataset.trials.split(",") ?? [];
const shown = { span: null, lines: null };
let chart;

async function showSides() {
  loadPlotly().catch(() => {});
  await loadFragment(place, "The comparison");
  chart = document.getElementById("equity");
  if (!chart) return;
  collect(names);
  await loadCurves();
  document.addEventListener("themechange", draw);
  if (chart.on) onZoom(chart, zoom);
}

async function loadCurves() {
  const span = shown.span;
  try {
    const { lines } = await getJson(`/dashboard/compare/curves?trials=${chart.dataset.trials}&${spanQuery(span)}`);
    if (span === shown.span) shown.lines = lines;
    await draw();
  } catch (error) {
    showWaiting(chart, `The curves could not be drawn: ${error.message}`);
  }
}

function draw() {
  const style = getComputedStyle(document.documentElement);
  const lines = shown.lines.map(({ equity, drawdown, ...line }) => {
    if (line.name === "Holding") return { ...line, values: equity, colour: "muted", dash: "dash" };
    return { ...line, values: equity, drawdown, colour: style.getPropertyValue(`--line${names.indexOf(line.name) + 1}`).trim() };
  });
  return drawEquity(chart, lines, { capital: Number(chart.dataset.capital), unit: chart.dataset.unit, span: shown.span });
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
