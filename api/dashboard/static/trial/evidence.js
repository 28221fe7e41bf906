import { formatted } from "../format.js";
import { baseLayout, chartOptions, colours, loadPlotly, showWaiting } from "../plotly-loader.js";
import { getJson } from "../requests.js";
import { small, timeAxis } from "./equity.js";

const DAY_MS = 86_400_000;
const BINS = 40;
const YEAR = Math.sqrt(365);
const root = document.getElementById("evidence");
const unit = document.getElementById("trial")?.dataset.unit;
const places = { bands: document.getElementById("bands"), random: document.getElementById("random-entries") };
const found = {};

/* Each part is worked out anew on the server, so nothing is asked for until somebody looks. */
if (root) {
  const watch = new IntersectionObserver(([entry]) => {
    if (!entry.isIntersecting) return;
    watch.disconnect();
    load("bands", "bands", places.bands, drawBands);
    load("random", "random-entries", places.random, drawRandom);
    load("regimes", "regimes", document.getElementById("regimes"), showRegimes);
    document.addEventListener("themechange", () => {
      if (found.bands) drawBands(found.bands);
      if (found.random) drawRandom(found.random);
    });
  }, { rootMargin: "200px" });
  watch.observe(root);
}

async function load(name, part, place, show) {
  try {
    found[name] = await getJson(`${root.dataset.source}/${part}`);
    await show(found[name]);
  } catch (error) {
    const refused = `This could not be worked out: ${error.message}`;
    if (place.querySelector(".waiting")) showWaiting(place, refused);
    else place.replaceChildren(row([refused]));
  }
}

function note(place, text) {
  document.getElementById(`${place.id}-note`).textContent = text;
}

const money = (text) => `${formatted(text, "money")} ${unit}`;

async function drawBands({ first_day: first, equity, bands, missing }) {
  if (!bands) return showWaiting(places.bands, `No bands: ${missing}.`);
  const plotly = await loadPlotly();
  const c = colours();
  const start = Date.parse(`${first}T00:00:00Z`);
  const x = equity.map((_, day) => new Date(start + day * DAY_MS).toISOString().slice(0, 10));
  const line = (name, values, look) => ({
    type: "scatter", mode: "lines", name, x, y: values.map(Number), hovertemplate: `${name} %{y:,.2f}<extra></extra>`, ...look,
  });
  const edge = { line: { width: 0, color: c.muted }, showlegend: false };
  const traces = [
    line("5 %", bands.equity["5"], edge),
    line("95 %", bands.equity["95"], { ...edge, fill: "tonexty", fillcolor: `${c.faint}33` }),
    line("25 %", bands.equity["25"], edge),
    line("75 %", bands.equity["75"], { ...edge, fill: "tonexty", fillcolor: `${c.faint}55` }),
    line("Median of draws", bands.equity["50"], { line: { color: c.muted, width: 1.2, dash: "dash" } }),
    line("Equity", equity, { line: { color: c.accent, width: 1.6 } }),
  ];
  await plotly.react(places.bands, traces, layout(c, { ...timeAxis(c, null) }, `Equity, ${unit}`), chartOptions("toImage"));
  drawn(places.bands);
  const [low, high] = [bands.equity["5"].at(-1), bands.equity["95"].at(-1)];
  note(places.bands, `Nine of ten draws end at ${formatted(low, "money")} to ${money(high)}; ${formatted(bands.p_loss, "share")} below the initial capital. Shaded: nine of ten, and half of them.`);
}

async function drawRandom({ net_pnl: own, p, drawn: nets, missing }) {
  if (p === null) return showWaiting(places.random, `No random entries: ${missing}.`);
  const plotly = await loadPlotly();
  const c = colours();
  const values = nets.map(Number);
  const [low, high] = [Math.min(values[0], Number(own)), Math.max(values.at(-1), Number(own))];
  const wide = (high - low) / BINS || 1;
  const counts = new Array(BINS).fill(0);
  for (const value of values) counts[Math.min(Math.floor((value - low) / wide), BINS - 1)] += 1;
  const bars = {
    type: "bar", name: "Random placements", x: counts.map((_, bin) => low + (bin + 0.5) * wide), y: counts, width: wide * 0.95,
    marker: { color: c.faint, line: { width: 0 } }, hovertemplate: `%{y} placements around %{x:,.2f} ${unit}<extra></extra>`,
  };
  const drawing = layout(c, { color: c.muted, zeroline: false, automargin: true, tickformat: ",.2~f", title: { ...small(`Net P&L, ${unit}`), standoff: 4 } }, "Placements");
  drawing.shapes = [{ type: "line", x0: Number(own), x1: Number(own), yref: "paper", y0: 0, y1: 1, line: { color: c.accent, width: 2 } }];
  drawing.annotations = [{ x: Number(own), y: 1, yref: "paper", yanchor: "bottom", text: "this trial", showarrow: false, font: { color: c.accent } }];
  await plotly.react(places.random, [bars], { ...drawing, showlegend: false }, chartOptions("toImage"));
  drawn(places.random);
  note(places.random, `Its trips, one slot each, earn ${money(own)}. Chance that trips as many and as long at random moments earn as much: ${formatted(p, "share")}.`);
}

function showRegimes({ regimes }) {
  const rows = regimes.map((one) => row([
    one.regime, formatted(one.days, "count"), formatted(one.net_pnl, "money"),
    formatted(one.sharpe === null ? null : one.sharpe * YEAR, "ratio"), formatted(one.trades, "count"), formatted(one.trades_net_pnl, "money"),
  ]));
  document.getElementById("regimes").replaceChildren(...rows);
}

function row(texts) {
  const line = document.createElement("tr");
  for (const [place, text] of texts.entries()) {
    const cell = line.insertCell();
    cell.textContent = text;
    if (place) cell.className = "num";
    else if (texts.length === 1) cell.colSpan = 6;
  }
  return line;
}

function layout(c, xaxis, title) {
  return {
    ...baseLayout(),
    hovermode: "x", legend: { orientation: "h", x: 0, y: 1.01, yanchor: "bottom", bgcolor: "rgba(0,0,0,0)" },
    margin: { l: 20, r: 16, t: 28, b: 20 }, xaxis,
    yaxis: { color: c.muted, gridcolor: c.soft, zeroline: false, automargin: true, fixedrange: true, tickformat: ",.2~f", title: { ...small(title), standoff: 14 } },
  };
}

function drawn(chart) {
  showWaiting(chart, "");
  chart.dataset.drawn = "true";
}
