import { build } from "../forms/builder.js";
import { duration } from "../forms/plan.js";
import { sendJson } from "../requests.js";
import { WrittenRun } from "../forms/written.js";

const form = document.getElementById("backtest-form");

function showChecked(place, { estimate }) {
  const row = document.createElement("p");
  row.className = "plan-line";
  row.textContent = estimate.workers
    ? `Ready to run: about ${duration(estimate.core_seconds)} once a worker has read the data.`
    : "No worker is running: the backtest waits until one starts, as carrygrid up does.";
  place.replaceChildren(row);
  place.dataset.trials = 1;
}

if (form) {
  build({
    form,
    Written: WrittenRun,
    path: "/backtests",
    check: (text) => sendJson("POST", "/backtests/validate", text),
    send: async (text) => `/dashboard/backtests/${(await sendJson("POST", "/backtests", text)).id}`,
    showChecked,
  });
}
