import { collect, collected, compareAddress, toggle } from "../collect.js";

/* Rows of trials with a box to pick them for a comparison, and the bar that leads there. */
const bar = document.createElement("div");
bar.className = "picks";
bar.setAttribute("role", "status");
const link = Object.assign(document.createElement("a"), { className: "button" });
const clear = Object.assign(document.createElement("button"), { type: "button", className: "quiet", textContent: "Clear" });
const words = document.createElement("span");
bar.append(words, link, clear);
bar.hidden = true;
document.getElementById("content").append(bar);

function show() {
  const picks = collected();
  for (const box of document.querySelectorAll("input[data-pick]")) box.checked = picks.includes(box.dataset.pick);
  bar.hidden = !picks.length;
  link.hidden = picks.length < 2;
  link.href = compareAddress(picks);
  link.textContent = `Compare ${picks.length} trials`;
  const text = `Picked: ${picks.join(", ")}${picks.length < 2 ? " · pick another to compare" : ""}`;
  if (words.textContent !== text) words.textContent = text;
}

document.addEventListener("change", ({ target }) => {
  if (target.matches("input[data-pick]")) toggle(target.dataset.pick);
});
clear.addEventListener("click", () => collect([]));
document.addEventListener("collected", show);
window.addEventListener("storage", show);
const list = document.getElementById("trials");
if (list) new MutationObserver(show).observe(list, { childList: true });
show();
