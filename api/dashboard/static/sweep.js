import { drawHeatmap } from "./heatmap.js";
import { showWaiting } from "./plotly-loader.js";
import { getJson, replaceFragment } from "./requests.js";

const LEAST_REDRAW_MS = 1500;
const root = document.getElementById("sweep");
const progress = document.getElementById("progress");
const trials = document.getElementById("trials");
const form = document.getElementById("heatmap-form");
const chart = document.getElementById("heatmap");
const metrics = JSON.parse(document.getElementById("metrics").textContent);
const api = `/sweeps/${root.dataset.sweep}`;
const page = new URLSearchParams(location.search);

/* One request of a kind at a time; what came in meanwhile is asked for once, afterwards. */
function latestOnly(work) {
  let running = false;
  let again = false;
  return async function run() {
    again = running;
    if (running) return;
    running = true;
    await work().finally(() => (running = false));
    if (again) await run();
  };
}

const refreshProgress = latestOnly(() => replaceFragment(progress, progress.dataset.source).catch(() => {}));
const refreshTrials = latestOnly(() => replaceFragment(trials, `${trials.dataset.source}?${tableQuery()}`).catch(() => {}));
const refreshHeatmap = latestOnly(async () => {
  if (!form) return;
  try {
    const data = await getJson(`${api}/heatmap?${heatmapQuery()}`);
    const metric = metrics[data.metric];
    await drawHeatmap(chart, data, metric, root.dataset.unit, (number) => location.assign(`/dashboard${api}/trials/${number}`));
  } catch (error) {
    showWaiting(chart, `The heatmap could not be drawn: ${error.message}`);
  }
});

function heatmapQuery() {
  const query = new URLSearchParams();
  for (const [name, value] of new FormData(form)) {
    if (!name.startsWith("fix:")) query.set(name, value);
    else if (value && !isShown(name.slice(4))) query.set(name.slice(4), value);
  }
  return query;
}

function isShown(axis) {
  return form.elements.x.value === axis || form.elements.y.value === axis;
}

function tableQuery() {
  const query = new URLSearchParams();
  for (const name of ["sort", "cursor"]) if (page.get(name)) query.set(name, page.get(name));
  return query;
}

function offerSlices() {
  for (const label of form.querySelectorAll("[data-axis]")) label.hidden = isShown(label.dataset.axis);
}

function keepInAddress() {
  history.replaceState(null, "", `?${page}`);
}

form?.addEventListener("change", (event) => {
  const { x, y } = form.elements;
  if (x.value === y.value && x.options.length > 1) {
    const other = event.target === x ? y : x;
    other.selectedIndex = [...other.options].findIndex((option) => option.value !== event.target.value);
  }
  offerSlices();
  for (const [name, value] of new FormData(form)) page.set(name, value);
  for (const [name, value] of [...page]) if (name.startsWith("fix:") && !value) page.delete(name);
  keepInAddress();
  refreshHeatmap();
});

trials.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-sort], button[data-page]");
  if (!button) return;
  if (button.dataset.sort) page.set("sort", button.dataset.sort);
  page.delete("cursor");
  if (button.dataset.page && button.dataset.page !== "first") page.set("cursor", button.dataset.page);
  keepInAddress();
  refreshTrials();
});

document.addEventListener("sweepchange", async () => {
  await refreshProgress();
  follow();
});

let source;
let lastDraw = 0;

/* EventSource reconnects by itself; a server that restarts loses nobody. */
function follow() {
  source?.close();
  source = new EventSource(`${api}/events`);
  source.addEventListener("progress", onProgress);
  source.addEventListener("end", (event) => {
    source.close();
    onProgress(event, true);
  });
}

function onProgress(event, last = false) {
  refreshProgress();
  if (!last && (document.hidden || performance.now() - lastDraw < LEAST_REDRAW_MS)) return;
  lastDraw = performance.now();
  refreshTrials();
  refreshHeatmap();
}

document.addEventListener("themechange", refreshHeatmap);
if (form) offerSlices();
refreshHeatmap();
if ("open" in root.dataset) follow();
