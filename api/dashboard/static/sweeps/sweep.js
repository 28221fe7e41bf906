import { Columns } from "./columns.js";
import { Distribution } from "../map/distribution.js";
import { counted, formatted } from "../format.js";
import { showImportance } from "./importance.js";
import { Inspector } from "../map/inspector.js";
import { SweepMap } from "../map/map.js";
import { Parallel } from "../map/parallel.js";
import { Pins } from "./pins.js";
import { latestOnly, refreshed } from "./refreshing.js";
import { getJson } from "../requests.js";
import { anchoredScale, extent } from "../map/scale.js";
import { Scatter } from "../map/scatter.js";
import { ScenarioControls } from "./scenario-controls.js";
import { SelectionBar } from "./selection-bar.js";
import { Slices } from "../map/slices.js";
import { Sliders } from "./sliders.js";
import { ViewState } from "./view-state.js";

const LEAST_REDRAW_MS = 1500;
const LIVE_MS = 100;
const one = (id) => document.getElementById(id);
const root = one("sweep");
const progress = one("progress");
const trials = one("trials");
const api = `/sweeps/${root.dataset.sweep}`;
const metrics = JSON.parse(one("metrics").textContent);
const view = JSON.parse(one("view").textContent);
const state = new ViewState({ ...view, metrics });
const trialPage = (number) => `/dashboard${api}/trials/${number}`;
const metricNamed = (name) => ({ ...metrics[name], name });

/* The map. */

const form = one("view-form");
const open = (trial) => location.assign(trialPage(trial));
const inspector = new Inspector(one("inspector"), trialPage);
const pins = new Pins(one("pins"), state, (trials) => map?.heatmap.pin(trials));
const map = one("heatmap") && new SweepMap(state, { api, unit: root.dataset.unit, most: view.most_cells, inspector, pins, open });
const scenarios = one("scenario-form") && new ScenarioControls(one("scenario-form"), state);
const sliders = one("sliders") && new Sliders(one("sliders"), state);

/* Everything else. */

const onPoints = { select: (ranges, settled) => state.select(ranges, settled), open, pin: (trial) => pins.toggle(trial), hover: (trial) => inspector.show(trial, [`Trial ${trial}`]) };
const slices = new Slices(one("slices"), state, {
  ...onPoints,
  hover: (trial, lines, spoken) => {
    inspector.show(trial, lines);
    if (spoken) one("slice-told").textContent = lines.join(", ");
  },
});
const columns = new Columns(one("columns"), one("add-column"), state);
const parallel = new Parallel(one("parallel"), state, { ...onPoints, move: (name, place) => columns.move(name, place) });
const scatter = new Scatter(one("scatter"), state, onPoints);
const distribution = new Distribution(one("distribution"), one("distribution-text"), state, onPoints);
const bar = new SelectionBar(state);
let every = null;
let chosen = null;

const overviewQuery = (filters) => {
  const beside = state.columns().filter((name) => !state.axes.has(name) && name !== state.get("metric"));
  return new URLSearchParams([...["metric", "risk", "gain"].map((name) => [name, state.get(name)]), ...(beside.length ? [["beside", beside.join(",")]] : []), ...state.scenarios(), ...filters]);
};

async function fetchOverview() {
  const filters = state.filters();
  const key = overviewQuery([]).toString();
  if (every?.key !== key) every = { key, document: await getJson(`${api}/overview?${key}`) };
  chosen = filters.size ? await getJson(`${api}/overview?${overviewQuery(filters)}`) : every.document;
  drawOverview();
  bar.tell(chosen);
  one("parallel").dataset.drawn = String(chosen.selected);
  performance.mark("overview-drawn");
}

/* While a pointer moves, the points that are here are sorted out here; once it rests, the server answers for all. */
function drawOverview() {
  if (!chosen) return;
  const context = every.document.points;
  const points = state.settled ? chosen.points : context;
  const kept = state.inside(points, points.trials.length);
  const metric = metricNamed(every.document.metric);
  const scale = anchoredScale(...extent(context.metrics[metric.name]), metric.small_is_good, { lines: true });
  parallel.show({ context, points, kept, metric: metric.name, scale });
  const [x, y] = [metricNamed(every.document.risk), metricNamed(every.document.gain)];
  scatter.show({ context, points, kept, front: chosen.front, x, y, metric: metric.name, scale });
  distribution.show(chosen.distribution, metric, scale);
  if (!state.settled) return;
  showImportance(one("importance"), chosen.importance, (axis) => choose({ x: axis }, "x"));
  for (const place of document.querySelectorAll("[data-metric-name]")) place.textContent = metric.label;
  describePoints();
}

function describePoints() {
  const shown = formatted(chosen.points.trials.length, "count");
  const all = formatted(chosen.selected, "count");
  const part = chosen.complete ? "" : `A sample: ${shown} of ${all} trials, spread evenly, always with the best and the front. Counts, front and shares are of all.`;
  one("parallel-text").textContent = part;
  const front = counted(chosen.front.trials.length, "trial");
  one("scatter-text").textContent = `The line joins the ${front} of the Pareto front, which no other beats in both. Drag to select, click to pin, double click to open; Ctrl and the wheel, or + and -, zoom, arrow keys move, 0 shows all.${chosen.complete ? "" : ` The dots are a sample of ${shown} trials.`}`;
}

async function fetchSlices() {
  const query = new URLSearchParams([["metric", state.get("metric")], ...state.scenarios(), ...state.filters()]);
  slices.show(await getJson(`${api}/slices?${query}`), metricNamed(state.get("metric")));
}

/* The table. */

async function fetchTrials() {
  const query = new URLSearchParams([...state.filters(), ...state.scenarios()]);
  for (const name of ["sort", "cursor"]) if (state.get(name)) query.set(name, state.get(name));
  await refreshed(trials, `${trials.dataset.source}?${query}`);
  performance.mark("table-drawn");
}

trials.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-sort], button[data-page]");
  if (!button) return;
  const page = button.dataset.page && button.dataset.page !== "first" ? button.dataset.page : "";
  state.choose({ ...(button.dataset.sort && { sort: button.dataset.sort }), cursor: page });
});

/* All together. */

let heatmapTook = 0;
const refreshHeatmap = latestOnly(async () => {
  if (!map) return;
  const began = performance.now();
  await map.refresh();
  heatmapTook = performance.now() - began;
});
const refreshOverview = latestOnly(fetchOverview);
const refreshSlices = latestOnly(fetchSlices);
const refreshTrials = latestOnly(fetchTrials);
const refreshProgress = latestOnly(() => refreshed(progress, progress.dataset.source));

function choose(changes, last) {
  const next = { x: state.get("x"), y: state.get("y"), z: state.get("z"), ...changes };
  for (const name of ["x", "y", "z"]) if (name !== last && next[name] && next[name] === next[last]) next[name] = state.get(last) === next[last] ? "" : state.get(last);
  state.choose({ ...changes, x: next.x, y: next.y, z: next.z });
}

function onForm(event) {
  const { name, value } = event.target;
  if (name === "log") {
    const sides = [...one("scatter-form").querySelectorAll("[name=log]")].filter((box) => box.checked).map((box) => box.value);
    state.choose({ log: sides.join(","), zoom: "" });
    return;
  }
  if (["x", "y", "z"].includes(name)) choose({ [name]: value }, name);
  else state.choose({ [name]: value, ...(["risk", "gain"].includes(name) && { zoom: "" }) });
}

function showControls() {
  for (const controls of [form, one("scatter-form")]) {
    for (const element of controls?.elements ?? []) {
      if (element.type === "checkbox") element.checked = state.get(element.name).split(",").includes(element.value);
      else if (element.name) element.value = state.get(element.name);
    }
  }
  sliders?.draw();
  scenarios?.draw();
  columns.draw();
  bar.draw();
}

function redrawViews() {
  showControls();
  pins.draw();
  refreshHeatmap();
  refreshOverview();
  refreshSlices();
}

function redraw() {
  refreshTrials();
  redrawViews();
}

for (const controls of [form, one("scatter-form")]) controls?.addEventListener("change", onForm);
state.addEventListener("select", redraw);
state.addEventListener("scenarios", redraw);
state.addEventListener("view", redrawViews);
state.addEventListener("page", refreshTrials);
state.addEventListener("scatter", () => {
  showControls();
  drawOverview();
});
for (const [id, factor] of [["zoom-in", 0.6], ["zoom-out", 1.6]]) one(id).addEventListener("click", () => scatter.zoomBy(factor));
one("zoom-all").addEventListener("click", () => state.choose({ zoom: "" }));
state.addEventListener("pins", () => pins.draw());
state.addEventListener("drag", () => {
  bar.draw();
  drawOverview();
  if (heatmapTook < LIVE_MS) refreshHeatmap();
});

let source;
let lastDraw = 0;

const REFUSED_MS = 10_000;

/* EventSource reconnects by itself, unless it is refused because too many follow. */
function follow() {
  source?.close();
  source = new EventSource(`${api}/events`);
  source.addEventListener("progress", onProgress);
  source.addEventListener("end", (event) => {
    source.close();
    onProgress(event, true);
  });
  source.addEventListener("error", () => {
    if (source.readyState === EventSource.CLOSED) setTimeout(lookAgain, REFUSED_MS);
  });
}

async function lookAgain() {
  await refreshProgress();
  follow();
}

function onProgress(event, last = false) {
  refreshProgress();
  if (!last && (document.hidden || performance.now() - lastDraw < LEAST_REDRAW_MS)) return;
  lastDraw = performance.now();
  every = null;
  inspector.forget();
  document.dispatchEvent(new Event("trialsdone"));
  redraw();
}

document.addEventListener("sweepchange", lookAgain);
document.addEventListener("themechange", drawOverview);
showControls();
pins.draw();
refreshHeatmap();
refreshOverview().then(refreshSlices); // the heatmap is waited for first
if ("open" in root.dataset) follow();
