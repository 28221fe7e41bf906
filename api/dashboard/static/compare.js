import { drawEquity } from "./equity.js";
import { collected } from "./collect.js";
import { showWaiting } from "./plotly-loader.js";
import { loadFragment } from "./requests.js";

const form = document.getElementById("compare-form");
const place = document.getElementById("comparison");

function offerSymbols() {
  const { exchange, symbols } = form.elements;
  for (const option of symbols.options) {
    const offered = !exchange.value || option.dataset.exchange === exchange.value;
    option.hidden = option.disabled = !offered;
    if (!offered) option.selected = false;
  }
}

async function showComparison() {
  await loadFragment(place, "The comparison");
  const chart = document.getElementById("equity");
  if (chart) await showCurves(chart, JSON.parse(document.getElementById("curves").textContent));
}

const LOOKS = [{ colour: "accent" }, { colour: "second" }, { colour: "muted", dash: "dash" }];

async function showCurves(chart, curves) {
  const lines = curves.map(({ equity, drawdown, ...curve }, index) => {
    const holding = index === curves.length - 1;
    return { ...curve, values: equity, drawdown: holding ? null : drawdown, ...LOOKS[holding ? 2 : index] };
  });
  const draw = () => drawEquity(chart, lines, { capital: Number(chart.dataset.capital), unit: chart.dataset.unit });
  document.addEventListener("themechange", draw);
  await draw().catch((error) => showWaiting(chart, `The curves could not be drawn: ${error.message}`));
}

const picked = document.getElementById("picked");
if (picked) picked.value = collected().join(", ");
form?.elements.exchange.addEventListener("change", offerSymbols);
if (form) offerSymbols();
if (place) showComparison();
