import { replaceFragment } from "./requests.js";

const PERIOD_MS = 2000;
const list = document.getElementById("sweep-list");

async function refresh() {
  if (!document.hidden) await replaceFragment(list, list.dataset.source).catch(() => false);
  setTimeout(refresh, PERIOD_MS);
}

setTimeout(refresh, PERIOD_MS);
