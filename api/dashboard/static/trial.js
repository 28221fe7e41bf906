import { drawEquity } from "./equity.js";
import { showWaiting } from "./plotly-loader.js";
import { getJson, replaceFragment } from "./requests.js";

const root = document.getElementById("trial");
const chart = document.getElementById("equity");
const trades = document.getElementById("trades");
const api = `/sweeps/${root.dataset.sweep}/trials/${root.dataset.trial}`;

async function showEquity() {
  try {
    const { equity } = await getJson(`${api}/equity`);
    const draw = () => drawEquity(chart, equity, Number(root.dataset.capital), root.dataset.unit);
    document.addEventListener("themechange", draw);
    await draw();
  } catch (error) {
    showWaiting(chart, `The equity curve could not be loaded: ${error.message}`);
  }
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
  showEquity();
}
