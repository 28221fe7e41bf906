import { counted } from "../format.js";
import { getJson, replaceFragment } from "../requests.js";

const MINUTE_MS = 60000;
const HOUR_MS = 60 * MINUTE_MS;
const form = document.getElementById("delete-form");
const outcome = form.querySelector(".outcome");
const found = document.getElementById("delete-found");
const confirm = document.getElementById("delete-confirm");
const coverage = document.getElementById("coverage");
let asked = null;

function say(text, bad = false) {
  outcome.textContent = text;
  outcome.classList.toggle("bad", bad);
}

function forget() {
  asked = null;
  confirm.hidden = true;
  found.replaceChildren();
  say("");
}

const moment = (ms) => new Date(ms).toISOString().slice(0, 16).replace("T", " ");

function nameOf({ kind, timeframe_ms: step }) {
  if (!step) return kind;
  return step < HOUR_MS ? `${kind} ${step / MINUTE_MS}m` : `${kind} ${step / HOUR_MS}h`;
}

function lineOf(one) {
  const line = document.createElement("li");
  line.textContent = `${one.symbol} ${nameOf(one)}: ${counted(one.rows, "row")}, ${moment(one.first_ms)} to ${moment(one.last_ms)}`;
  return line;
}

async function deletion(query) {
  return getJson(`/data/rows?${query}`, { method: "DELETE" });
}

async function show(event) {
  event.preventDefault();
  forget();
  const query = new URLSearchParams();
  for (const name of ["exchange", "symbol", "series", "from", "to"]) {
    const value = form.elements[name].value.trim();
    if (value) query.set(name, value);
  }
  try {
    const report = await deletion(new URLSearchParams([...query, ["dry_run", "true"]]));
    found.replaceChildren(...report.series.map(lineOf));
    say(report.rows ? "" : "Nothing of that is held");
    confirm.textContent = `Delete ${counted(report.rows, "row")}`;
    confirm.hidden = !report.rows;
    asked = query;
  } catch (error) {
    say(error.message, true);
  }
}

async function remove() {
  confirm.disabled = true;
  try {
    const report = await deletion(asked);
    forget();
    say(`${counted(report.rows, "row")} deleted`);
    await replaceFragment(coverage, coverage.dataset.source);
  } catch (error) {
    say(error.message, true);
  }
  confirm.disabled = false;
}

form.addEventListener("submit", show);
/* What is confirmed is what was shown, never what was typed since. */
form.addEventListener("input", forget);
confirm.addEventListener("click", remove);
