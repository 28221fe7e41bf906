import { Inspector } from "../map/inspector.js";
import { SweepMap } from "../map/map.js";
import { markTrials } from "./marks.js";
import { Pins } from "./pins.js";
import { latestOnly, refreshed } from "./refreshing.js";
import { home } from "../requests.js";
import { ScenarioControls } from "./scenario-controls.js";
import { Sliders } from "./sliders.js";
import { keepPlaceBelow } from "../steady.js";
import { TrialTable } from "./trial-table.js";
import { ViewState } from "./view-state.js";

const LEAST_REDRAW_MS = 1500;
const LIVE_MS = 100;
const one = (id) => document.getElementById(id);
const root = one("sweep");
const progress = one("progress");
const trials = one("trials");
const sweep = `sweeps/${root.dataset.sweep}`;
const api = `${home}/${sweep}`;
const pages = `${home}/dashboard/${sweep}`;
const view = JSON.parse(one("view").textContent);
const state = new ViewState({ ...view, metrics: JSON.parse(one("metrics").textContent) });
const trialPage = (number) => `${pages}/trials/${number}`;

/* The map. */

const form = one("view-form");
const open = (trial) => location.assign(trialPage(trial));
const inspector = new Inspector(one("inspector"), trialPage);
const pins = new Pins(one("pins"), state, (trials) => map?.heatmap.pin(trials));
const map = one("heatmap") && new SweepMap(state, { source: `${pages}/map`, unit: root.dataset.unit, most: view.most_cells, inspector, pins, open });
const scenarios = one("scenario-form") && new ScenarioControls(one("scenario-form"), state);
const sliders = one("sliders") && new Sliders(one("sliders"), state);

/* The table. */

const table = new TrialTable(trials, one("table-form"), state, api);
if (one("mark-dialog")) markTrials(one("mark-dialog"), trials, api, (trial, pinned) => {
  pins.tell(trial, pinned);
  refreshTrials();
});
document.addEventListener("marked", () => refreshTrials());

async function fetchTrials() {
  await refreshed(trials, `${trials.dataset.source}?${table.query()}`);
  performance.mark("table-drawn");
}

/* All together. */

let heatmapTook = 0;
const refreshHeatmap = latestOnly(async () => {
  if (!map) return;
  const began = performance.now();
  await map.refresh();
  heatmapTook = performance.now() - began;
});
const refreshTrials = latestOnly(fetchTrials);
const refreshProgress = latestOnly(() => refreshed(progress, progress.dataset.source, { inPlace: true }));

/* The map comes first: the scripts of all other parts run once its cells are drawn. */
const drawn = refreshHeatmap();
const views = drawn.then(() => import("./views.js")).then(({ Views }) => new Views(state, api, {
  open, pin: (trial) => pins.toggle(trial), hover: (trial, lines) => inspector.show(trial, lines), across: (axis) => choose({ x: axis }, "x"),
}));
const refreshOverview = latestOnly(async () => (await views).fetchOverview());
const refreshSlices = latestOnly(async () => (await views).fetchSlices());

function choose(changes, last) {
  const next = { x: state.get("x"), y: state.get("y"), z: state.get("z"), ...changes };
  for (const name of ["x", "y", "z"]) if (name !== last && next[name] && next[name] === next[last]) next[name] = state.get(last) === next[last] ? "" : state.get(last);
  state.choose({ ...changes, x: next.x, y: next.y, z: next.z });
}

function onForm({ target: { name, value } }) {
  if (["x", "y", "z"].includes(name)) choose({ [name]: value }, name);
  else state.choose({ [name]: value });
}

function showControls() {
  for (const element of form?.elements ?? []) if (element.name) element.value = state.get(element.name);
  sliders?.draw();
  scenarios?.draw();
  table.draw();
  views.then((below) => below.showControls());
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

form?.addEventListener("change", onForm);
state.addEventListener("select", redraw);
state.addEventListener("scenarios", redraw);
state.addEventListener("view", redrawViews);
state.addEventListener("page", () => {
  table.draw();
  refreshTrials();
});
state.addEventListener("scatter", async () => {
  showControls();
  (await views).draw();
});
state.addEventListener("pins", () => pins.draw());
state.addEventListener("drag", async () => {
  (await views).drag();
  if (heatmapTook < LIVE_MS) refreshHeatmap();
});

let source;
let lastDraw = 0;
let behind = false;
let due;

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
  behind = true;
  if (last) drawResults();
  else drawSoon();
}

/* The last results are drawn too, though nothing may follow them for long; a page that nobody sees waits until it is seen. */
function drawSoon() {
  if (!behind || document.hidden) return;
  clearTimeout(due);
  due = setTimeout(drawResults, lastDraw + LEAST_REDRAW_MS - performance.now());
}

function drawResults() {
  clearTimeout(due);
  behind = false;
  lastDraw = performance.now();
  views.then((below) => below.forget());
  inspector.forget();
  document.dispatchEvent(new Event("trialsdone"));
  redraw();
}

const textsOf = (places) => [...one("verdict").querySelectorAll(places)].map(({ textContent }) => textContent).join(", ");

/* Until something is pointed at, the place beside the map shows the candidate of a sweep that has ended. */
document.addEventListener("candidate", ({ detail: number }) => {
  if (number && !("open" in root.dataset)) inspector.begin(Number(number), ["[data-candidate] strong", ".badges .rule"].map(textsOf));
});
document.addEventListener("sweepchange", lookAgain);
document.addEventListener("visibilitychange", drawSoon);
keepPlaceBelow([...root.children], "open" in root.dataset ? [one("verdict"), progress] : []);
showControls();
pins.draw();
drawn.then(() => import("./verdict.js"));
refreshOverview().then(refreshSlices).then(() => import("./judgement.js"));
if ("open" in root.dataset) follow();
