import { drawEquity } from "../charts/equity.js";
import { formatted } from "../format.js";
import { accountsNote, drawAccounts } from "./accounts.js";
import { drawFunding, intervalText } from "./funding.js";
import { showWaiting } from "../charts/chart.js";
import { getJson, replaceFragment } from "../requests.js";
import { spanQuery } from "./span.js";
import "../collect.js";
import "./evidence.js";
import "./trade_story.js";

const root = document.getElementById("trial");
const equity = document.getElementById("equity");
const funding = document.getElementById("funding");
const accounts = document.getElementById("accounts");
const trades = document.getElementById("trades");
const pair = document.getElementById("funding-symbol");
const base = root?.dataset.base;
const first = JSON.parse(document.getElementById("first-curves")?.textContent ?? "{}");
const shown = { span: null, curve: first.curve, hold: first.hold, funding: null, accounts: null };
let holdRefused = "";

function linesOf({ curve, hold }) {
  const own = { name: "Equity", times: curve.times, values: curve.equity, look: "accent" };
  const lines = [{ ...own, drawdown: curve.drawdown, drawdownLook: "loss", sharpe: curve.sharpe, moves: curve.moves }];
  if (hold) lines.push({ name: "Holding", times: hold.times, values: hold.equity, look: "muted", dash: "dashed", sharpe: hold.sharpe });
  return lines;
}

function drawCurves() {
  const { capital, unit } = root.dataset;
  if (!shown.curve) return;
  document.getElementById("marks-note").textContent = marksNote(shown.curve);
  drawEquity(equity, linesOf(shown), { capital: Number(capital), unit, span: shown.span, onSpan: zoom });
}

function drawSettlements() {
  if (!shown.funding) return;
  document.getElementById("switches").textContent = settlementsNote(shown.funding);
  drawFunding(funding, shown.funding, root.dataset.unit, { span: shown.span, onSpan: zoom });
}

function drawWallets() {
  if (!shown.accounts) return;
  document.getElementById("accounts-note").textContent = accountsNote(shown.accounts);
  drawAccounts(accounts, shown.accounts, root.dataset.unit, { span: shown.span, onSpan: zoom });
}

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

const unread = (chart, what) => (message) => showWaiting(chart, `${what} could not be loaded: ${message}`);
const loadCurve = () => load("curve", `${base}/curve?${spanQuery(shown.span)}`, unread(equity, "The equity curve")).then(drawCurves);
const loadHold = () => load("hold", `${base}/hold?${spanQuery(shown.span)}`, (message) => { holdRefused = message; }).then(drawCurves);
const loadFunding = () => load("funding", fundingUrl(), unread(funding, "The settlements")).then(drawSettlements);

async function loadAccounts() {
  if (accounts) await load("accounts", `${base}/accounts?${spanQuery(shown.span)}`, unread(accounts, "Wallets and margins")).then(drawWallets);
}

/* The curve is drawn as soon as it is there: holding may have to be replayed, and joins it then. */
function loadCharts() {
  holdRefused = "";
  return Promise.all([loadCurve(), loadHold(), loadFunding(), loadAccounts()]);
}

/* Curves that came with the page are drawn at once, and only the others asked for. */
function showFirst() {
  drawCurves();
  if (!shown.curve) loadCurve();
  if (!shown.hold) loadHold();
  loadFunding();
  loadAccounts();
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
    else if (!found && !["findings", "fingerprint", "years"].includes(place.dataset.place)) place.textContent = "This could not be read. Reload the page to try again.";
  }
}

async function showBadges() {
  const place = document.getElementById("badges");
  if (place && !(await replaceFragment(place, `${base}/badges`).catch(() => false))) place.textContent = "The rules could not be applied. Reload the page to try again.";
}

async function showTrades(start) {
  const found = await replaceFragment(trades, `${trades.dataset.source}?start=${start}`).catch(() => false);
  if (!found) trades.textContent = "The trades could not be loaded. Reload the page to try again.";
}

trades?.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-page]");
  if (button) showTrades(Number(button.dataset.page));
});

pair?.addEventListener("change", loadFunding);

document.getElementById("print")?.addEventListener("click", () => print());

for (const opener of document.querySelectorAll("[data-opens]")) {
  opener.addEventListener("click", () => { document.getElementById(opener.dataset.opens).open = true; });
}

for (const button of document.querySelectorAll("button[data-copies]")) {
  button.addEventListener("click", async () => {
    const text = document.getElementById(button.dataset.copies);
    try {
      await navigator.clipboard.writeText(text.textContent);
      button.textContent = "Copied";
    } catch {
      text.closest("details").open = true;
      getSelection().selectAllChildren(text);
      button.textContent = "Selected: press Ctrl+C";
    }
  });
}

if (root) {
  showFirst();
  showTrades(0);
  showReport();
  showBadges();
}
