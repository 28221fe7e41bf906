import { replaceFragment } from "../requests.js";

const PERIOD_MS = 2000;
const TYPING_MS = 250;
const list = document.getElementById("sweep-list");
const filter = document.getElementById("sweep-filter");
let asked = 0;
let typing;

async function refresh() {
  const mine = (asked += 1);
  const fresh = document.createElement("div");
  const shown = await replaceFragment(fresh, list.dataset.source).catch(() => false);
  if (!shown || mine !== asked) return;
  const focused = list.contains(document.activeElement) ? document.activeElement.dataset.keep : null;
  list.replaceChildren(...fresh.childNodes);
  if (focused) list.querySelector(`[data-keep="${CSS.escape(focused)}"]`)?.focus();
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
