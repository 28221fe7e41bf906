import { drawEquity } from "./equity.js";
import { showWaiting } from "./plotly-loader.js";
import { getJson, replaceFragment } from "./requests.js";

const root = document.getElementById("trial");
const chart = document.getElementById("equity");
const beside = document.getElementById("beside");
const trades = document.getElementById("trades");
const api = `/sweeps/${root.dataset.sweep}/trials/${root.dataset.trial}`;
const lines = [];

const draw = () => drawEquity(chart, lines, Number(root.dataset.capital), root.dataset.unit);

function addLine(points, look) {
  lines.push({ times: points.map(([t]) => t), values: points.map(([, equity]) => equity), ...look });
}

async function showEquity() {
  try {
    const { equity } = await getJson(`${api}/equity`);
    addLine(equity, { name: "Equity", colour: "accent", drawdown: true, drawdownColour: "loss" });
    document.addEventListener("themechange", draw);
    await draw();
  } catch (error) {
    showWaiting(chart, `The equity curve could not be loaded: ${error.message}`);
  }
}

async function showBeside() {
  const shown = await replaceFragment(beside, beside.dataset.source).catch(() => false);
  if (!shown) beside.textContent = "The data behind this trial could not be read. Reload the page to try again.";
  const curve = document.getElementById("hold-curve");
  if (!curve || !lines.length) return;
  addLine(JSON.parse(curve.textContent), { name: "Holding", colour: "muted", dash: "dash" });
  await draw();
}

async function showTrades(start) {
  const shown = await replaceFragment(trades, `${trades.dataset.source}?start=${start}`).catch(() => false);
  if (!shown) trades.textContent = "The trades could not be loaded. Reload the page to try again.";
}

trades?.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-page]");
  if (button) showTrades(Number(button.dataset.page));
});

if (chart) {
  showTrades(0);
  showEquity().then(showBeside);
}
