import { drawEquity } from "./equity.js";
import { formatted } from "../format.js";
import { drawFunding, intervalText } from "./funding.js";
import { loadPlotly, showWaiting } from "../plotly-loader.js";
import { getJson, replaceFragment } from "../requests.js";
import { onZoom, spanQuery } from "./zoom.js";
import "../collect.js";
import "./evidence.js";
import "./trade_story.js";

const root = document.getElementById("trial");
const equity = document.getElementById("equity");
const funding = document.getElementById("funding");
const trades = document.getElementById("trades");
const pair = document.getElementById("funding-symbol");
const base = root?.dataset.base;
const shown = { span: null, curve: null, hold: null, funding: null };
let holdRefused = "";

function linesOf({ curve, hold }) {
  const own = { name: "Equity", times: curve.times, values: curve.equity, colour: "accent" };
  const lines = [{ ...own, drawdown: curve.drawdown, drawdownColour: "loss", moves: curve.moves }];
  if (hold) lines.push({ name: "Holding", times: hold.times, values: hold.equity, colour: "muted", dash: "dash" });
  return lines;
}

/* One drawing at a time, of what is there by then: an earlier one must not end after a later one. */
let drawn = Promise.resolve();
const drawCurves = () => (drawn = drawn.then(drawCurvesNow));

async function drawCurvesNow() {
  const { capital, unit } = root.dataset;
  if (!shown.curve) return;
  document.getElementById("marks-note").textContent = marksNote(shown.curve);
  await drawEquity(equity, linesOf(shown), { capital: Number(capital), unit, span: shown.span })
    .catch((error) => showWaiting(equity, `The curves could not be drawn: ${error.message}`));
}

async function drawSettlements() {
  if (!shown.funding) return;
  document.getElementById("switches").textContent = settlementsNote(shown.funding);
  await drawFunding(funding, shown.funding, root.dataset.unit, shown.span)
    .catch((error) => showWaiting(funding, `The settlements could not be drawn: ${error.message}`));
}

const draw = () => Promise.all([drawCurves(), drawSettlements()]);

/* Whoever asks last is shown: an answer to an earlier zoom is dropped. */
async function load(name, url, complain) {
  const span = shown.span;
  try {
    const found = await getJson(url);
    if (span === shown.span) shown[name] = found;
  } catch (error) {
    if (!shown[name]) complain(error.message);
  }
}

function fundingUrl() {
  const symbol = pair ? `symbol=${encodeURIComponent(pair.value)}&` : "";
  return `${base}/funding?${symbol}${spanQuery(shown.span)}`;
}

/* The curve is drawn as soon as it is there: holding has to be replayed, and joins it then. */
async function loadCharts() {
  holdRefused = "";
  const query = spanQuery(shown.span);
  const unread = (chart, what) => (message) => showWaiting(chart, `${what} could not be loaded: ${message}`);
  await Promise.all([
    load("curve", `${base}/curve?${query}`, unread(equity, "The equity curve")).then(drawCurves),
    load("hold", `${base}/hold?${query}`, (message) => { holdRefused = message; }).then(drawCurves),
    load("funding", fundingUrl(), unread(funding, "The settlements")).then(drawSettlements),
  ]);
}

function marksNote({ moves, moves_count: count, origin }) {
  const more = moves ? "" : ` Zoom in to see its ${formatted(count, "count")} openings and closings.`;
  return `${origin}${more}${holdRefused && ` Holding is not drawn: ${holdRefused}.`}`;
}

function settlementsNote(data) {
  const thinned = data.times.length < data.points;
  return thinned ? `Shown: the extremes of ${formatted(data.points, "count")} settlements; zoom in for each. ${intervalText(data)}` : intervalText(data);
}

async function zoom(span) {
  if (String(span) === String(shown.span)) return;
  shown.span = span;
  await loadCharts();
}

async function showReport() {
  const holder = document.createElement("div");
  const found = await replaceFragment(holder, `${base}/report`).catch(() => false);
  for (const place of root.querySelectorAll("[data-place]")) {
    const part = holder.querySelector(`[data-part="${place.dataset.place}"]`);
    if (part) place.replaceChildren(...part.childNodes);
    else if (!found && place.dataset.place !== "findings") place.textContent = "This could not be read. Reload the page to try again.";
  }
}

async function showTrades(start) {
  const found = await replaceFragment(trades, `${trades.dataset.source}?start=${start}`).catch(() => false);
  if (!found) trades.textContent = "The trades could not be loaded. Reload the page to try again.";
}

trades?.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-page]");
  if (button) showTrades(Number(button.dataset.page));
});

pair?.addEventListener("change", loadCharts);

document.getElementById("copy-config")?.addEventListener("click", async ({ target }) => {
  const text = document.getElementById("config-text");
  try {
    await navigator.clipboard.writeText(text.textContent);
    target.textContent = "Copied";
  } catch {
    text.closest("details").open = true;
    getSelection().selectAllChildren(text);
    target.textContent = "Selected: press Ctrl+C";
  }
});

/* The library starts up while the numbers travel; whether it loads is told where it is used. */
async function showCharts() {
  loadPlotly().catch(() => {});
  await loadCharts();
  document.addEventListener("themechange", draw);
  for (const chart of [equity, funding]) if (chart.on) onZoom(chart, zoom);
}

if (root) {
  showTrades(0);
  showReport();
  showCharts();
}
