import { drawChart, showWaiting } from "../charts/chart.js";
import { formatted } from "../format.js";
import { getJson } from "../requests.js";
import { amountTick } from "../charts/equity.js";

const DAY_MS = 86_400_000;
const BINS = 40;
const YEAR = Math.sqrt(365);
const root = document.getElementById("evidence");
const unit = document.getElementById("trial")?.dataset.unit;
const places = { bands: document.getElementById("bands"), random: document.getElementById("random-entries") };

/* Each part is worked out anew on the server, so nothing is asked for until somebody looks. */
if (root) {
  const watch = new IntersectionObserver(([entry]) => {
    if (!entry.isIntersecting) return;
    watch.disconnect();
    load("bands", places.bands, drawBands);
    load("regimes", document.getElementById("regimes"), showRegimes);
    load("random-entries", places.random, drawRandom); // Last: it takes longest.
  }, { rootMargin: "200px" });
  watch.observe(root);
}

async function load(part, place, show) {
  try {
    show(await getJson(`${root.dataset.source}/${part}`));
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

function drawBands({ first_day: first, equity, bands, missing }) {
  if (!bands) return showWaiting(places.bands, `No bands: ${missing}.`);
  const start = Date.parse(`${first}T00:00:00Z`);
  const x = equity.map((_, day) => start + day * DAY_MS);
  const of = (percent) => bands.equity[percent].map(Number);
  const told = (name, values) => (index) => `${name} ${formatted(values[index], "money")}`;
  const between = (low, high) => (index) => `${high - low} % between ${formatted(bands.equity[low][index], "money")} and ${formatted(bands.equity[high][index], "money")}`;
  const items = [
    { kind: "band", name: "Nine of ten draws", look: "faint", x, low: of(5), high: of(95), texts: between(5, 95) },
    { kind: "band", name: "Half of them", look: "faint", strong: true, x, low: of(25), high: of(75) },
    { kind: "line", name: "Median of draws", look: "muted", dash: "dashed", thin: true, x, y: of(50), texts: told("median", bands.equity["50"]) },
    { kind: "line", name: "Equity", look: "accent", x, y: equity.map(Number), texts: told("equity", equity) },
  ];
  drawChart(places.bands, { x: { type: "time", domain: [x[0], x.at(-1)] }, panels: [{ title: `Equity, ${unit}`, tick: amountTick, items }] });
  drawn(places.bands);
  const [low, high] = [bands.equity["5"].at(-1), bands.equity["95"].at(-1)];
  note(places.bands, `Nine of ten draws end at ${formatted(low, "money")} to ${money(high)}; ${formatted(bands.p_loss, "share")} below the initial capital. Shaded: nine of ten, and half of them.`);
}

function drawRandom({ net_pnl: own, p, drawn: nets, missing }) {
  if (p === null) return showWaiting(places.random, `No random entries: ${missing}.`);
  const values = nets.map(Number);
  const [low, high] = [Math.min(values[0], Number(own)), Math.max(values.at(-1), Number(own))];
  const wide = (high - low) / BINS || 1;
  const counts = new Array(BINS).fill(0);
  for (const value of values) counts[Math.min(Math.floor((value - low) / wide), BINS - 1)] += 1;
  const edge = (bin) => low + bin * wide;
  const bars = {
    kind: "bars", look: "faint", from: counts.map((_, bin) => edge(bin + 0.03)), to: counts.map((_, bin) => edge(bin + 0.97)), y: counts,
    texts: (bin) => `${counts[bin]} placements from ${formatted(edge(bin), "money")} to ${formatted(edge(bin + 1), "money")}`,
  };
  drawChart(places.random, {
    x: { type: "number", domain: [low - wide / 2, edge(BINS) + wide / 2], tick: amountTick, title: `Net P&L, ${unit}` },
    panels: [{ title: "Placements", zero: true, tick: amountTick, items: [bars] }],
    uprights: [{ at: Number(own), look: "accent", name: "this trial" }],
  });
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

function drawn(chart) {
  chart.dataset.drawn = "true";
}
