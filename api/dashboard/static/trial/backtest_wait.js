/* Until the run has ended; then the page is what it was waiting for. */
import { replaceFragment } from "../requests.js";

const PERIOD_MS = 500;
const place = document.getElementById("backtest-state");

async function look() {
  await replaceFragment(place, place.dataset.source).catch(() => false);
  if (place.querySelector("[data-ended]")) location.reload();
  else setTimeout(look, PERIOD_MS);
}

setTimeout(look, PERIOD_MS);
