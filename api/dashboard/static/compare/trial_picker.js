/* Sweeps found by a word, and their trials to tick; what is ticked is the choice that pages of trials collect. */
import { collect, collected, compareAddress, MOST, toggle } from "../collect.js";

const TYPING_MS = 250;
const picker = document.getElementById("picker");
const search = document.getElementById("pick-search");
const list = document.getElementById("pick-list");
const chosen = document.getElementById("picked-trials");
let typing;
let asked = 0;
let listed = "";

async function find() {
  const mine = (asked += 1);
  const response = await fetch(`${picker.dataset.source}?${new URLSearchParams({ q: search.value })}`, { headers: { Accept: "text/html" } }).catch(() => null);
  if (mine !== asked) return;
  const found = response?.ok && !response.redirected ? await response.text() : "The sweeps could not be read. Type again to try again.";
  if (found === listed) return;
  list.innerHTML = listed = found; // the same sweeps stay as they are, with what is folded out
  show();
}

async function unfold(details) {
  const place = details.querySelector("div");
  if (!details.open || place.childElementCount) return;
  const response = await fetch(details.dataset.source, { headers: { Accept: "text/html" } }).catch(() => null);
  if (response?.ok && !response.redirected) place.innerHTML = await response.text();
  else place.textContent = "Its trials could not be read.";
  show();
}

function show() {
  const picks = collected();
  for (const box of list.querySelectorAll("input[data-pick]")) {
    box.checked = picks.includes(box.dataset.pick);
    box.disabled = !box.checked && picks.length >= MOST;
  }
  const focused = document.activeElement?.dataset?.drops;
  const link = Object.assign(document.createElement("a"), { className: "button primary", href: compareAddress(picks), textContent: `Compare ${picks.length} trials` });
  const hint = Object.assign(document.createElement("span"), { className: "hint", textContent: picks.length ? "tick another to compare" : `Tick two to ${MOST} trials below.` });
  chosen.replaceChildren(...picks.map(chip), picks.length < 2 ? hint : link);
  if (focused) (chosen.querySelector("button") ?? search).focus();
}

function chip(pick) {
  const button = Object.assign(document.createElement("button"), { type: "button", className: "chip", textContent: `trial ${pick} ×` });
  button.dataset.drops = pick;
  button.setAttribute("aria-label", `Take trial ${pick} out`);
  return button;
}

if (picker) {
  search.addEventListener("input", () => {
    clearTimeout(typing);
    typing = setTimeout(find, TYPING_MS);
  });
  list.addEventListener("change", ({ target }) => target.dataset.pick && toggle(target.dataset.pick));
  list.addEventListener("toggle", ({ target }) => unfold(target), true);
  chosen.addEventListener("click", ({ target }) => target.dataset.drops && toggle(target.dataset.drops));
  document.addEventListener("collected", show);
  addEventListener("storage", show);
  find();
}
