import { morph } from "../morph.js";

const PERIOD_MS = 2000;
const TYPING_MS = 250;
const list = document.getElementById("sweep-list");
const filter = document.getElementById("sweep-filter");
const comparing = document.getElementById("compare-sweeps");
const rename = document.getElementById("rename");
const naming = document.querySelector("#rename-dialog form");
const ticked = new Set();
let asked = 0;
let typing;

async function refresh() {
  const mine = (asked += 1);
  const response = await fetch(list.dataset.source, { headers: { Accept: "text/html" } }).catch(() => null);
  if (!response?.ok || response.redirected || mine !== asked) return;
  morph(list, await response.text());
  for (const box of boxes()) box.checked = ticked.has(box.value);
}

async function keepFresh() {
  if (!document.hidden) await refresh();
  setTimeout(keepFresh, PERIOD_MS);
}

/* The list follows the words as they are typed, and the address follows the list. */
function search() {
  const query = new URLSearchParams();
  for (const [name, value] of new FormData(filter)) if (value.trim()) query.set(name, value.trim());
  list.dataset.source = `/dashboard/sweep-list?${query}`;
  history.replaceState(null, "", query.size ? `/?${query}` : "/");
  refresh();
}

/* Sweeps stay ticked while the list is searched and brought up to date. */
const boxes = () => list.querySelectorAll("input[name=sweep]");

function offerComparison() {
  const { least, most } = comparing.dataset;
  const enough = ticked.size >= least && ticked.size <= most;
  comparing.hidden = !ticked.size;
  comparing.querySelector("button").disabled = !enough;
  rename.hidden = ticked.size !== 1;
  comparing.querySelector(".hint").textContent = enough ? `the best trials of sweeps ${[...ticked].join(", ")}` : `${ticked.size} ticked; ${least} to ${most} can be compared`;
}

list.addEventListener("change", (event) => {
  if (!event.target.matches("input[name=sweep]")) return;
  if (event.target.checked) ticked.add(event.target.value);
  else ticked.delete(event.target.value);
  offerComparison();
});
comparing.addEventListener("submit", (event) => {
  event.preventDefault();
  location.assign(`${comparing.getAttribute("action")}?sweeps=${[...ticked].join(",")}`);
});
comparing.addEventListener("reset", () => {
  ticked.clear();
  for (const box of boxes()) box.checked = false;
  offerComparison();
});

/* The one that is ticked; what that takes is fetched by those who do it. */
rename.addEventListener("click", () => {
  const [id] = ticked;
  naming.elements.name.value = list.querySelector(`[data-keep="sweep-${id}"]`)?.textContent ?? "";
  naming.closest("dialog").showModal();
});
naming.querySelector("[data-closes]").addEventListener("click", () => naming.closest("dialog").close());
naming.addEventListener("submit", async (event) => {
  event.preventDefault();
  const [id] = ticked;
  const [{ sendJson }, { clearProblems, showProblems }] = await Promise.all([import("../requests.js"), import("../forms/problems.js")]);
  clearProblems(naming);
  try {
    await sendJson("PATCH", `/sweeps/${id}`, { name: naming.elements.name.value });
    naming.closest("dialog").close();
    refresh();
  } catch (error) {
    showProblems(naming, error);
  }
});

filter.addEventListener("input", () => {
  clearTimeout(typing);
  typing = setTimeout(search, TYPING_MS);
});
filter.addEventListener("submit", (event) => {
  event.preventDefault();
  clearTimeout(typing);
  search();
});
setTimeout(keepFresh, PERIOD_MS);
