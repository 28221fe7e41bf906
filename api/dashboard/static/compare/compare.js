import { drawEquity } from "../charts/equity.js";
import { collected } from "../collect.js";
import { getJson, loadFragment } from "../requests.js";
import { suggestionAddress } from "../forms/suggestion.js";

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
  if (chart) showCurves(chart, JSON.parse(document.getElementById("curves").textContent));
}

const HOLDING = { look: "muted", dash: "dashed" };

function showCurves(chart, curves) {
  const lines = curves.map(({ equity, drawdown, ...curve }, index) => {
    const holding = index === curves.length - 1;
    return { ...curve, values: equity, drawdown: holding ? null : drawdown, ...(holding ? HOLDING : { look: `line${index + 1}` }) };
  });
  drawEquity(chart, lines, { capital: Number(chart.dataset.capital), unit: chart.dataset.unit });
}

/* Parameters follow symbols and window for as long as they are what was suggested. */
let suggestedText = form?.elements.parameters.hasAttribute("data-suggested") ? form.elements.parameters.value : null;
let newestText = suggestedText;

async function suggest() {
  const { exchange, symbols, start, end, parameters } = form.elements;
  const chosen = [...symbols.selectedOptions].map((option) => option.value);
  const address = suggestionAddress(exchange.value, chosen, start.value.trim(), end.value.trim());
  const suggested = (address && (await getJson(address).catch(() => null)))?.strategies ?? {};
  const found = form.dataset.strategies.split(" ").flatMap((name) => suggested[name] ?? []);
  newestText = JSON.stringify(Object.assign(JSON.parse(parameters.dataset.first), ...found.map((one) => one.parameters)), null, 1);
  if (parameters.value === suggestedText) parameters.value = suggestedText = newestText;
  const place = document.getElementById("suggestion");
  place.hidden = !found.length;
  place.querySelector("ul").replaceChildren(...found.flatMap((one) => one.notes).map((note) => Object.assign(document.createElement("li"), { textContent: note })));
  place.querySelector("button").hidden = parameters.value === newestText;
}

function takeSuggestion({ target }) {
  form.elements.parameters.value = suggestedText = newestText;
  target.hidden = true;
}

if (form) {
  document.querySelector("#suggestion button").addEventListener("click", takeSuggestion);
  for (const name of ["exchange", "symbols", "start", "end"]) form.elements[name].addEventListener("change", suggest);
  suggest();
}

const picked = document.getElementById("picked");
if (picked) picked.value = collected().join(", ");
form?.elements.exchange.addEventListener("change", offerSymbols);
if (form) offerSymbols();
if (place) showComparison();
