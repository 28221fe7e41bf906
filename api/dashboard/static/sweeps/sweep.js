import { Distribution } from "./distribution.js";
import { counted, formatted } from "../format.js";
import { Heatmap, panelTitle } from "./heatmap.js";
import { showImportance } from "./importance.js";
import { labelOf } from "./matrix.js";
import { Parallel } from "./parallel.js";
import { latestOnly, refreshed } from "./refreshing.js";
import { getJson } from "../requests.js";
import { anchoredScale, extent } from "./scale.js";
import { Scatter } from "./scatter.js";
import { SelectionBar } from "./selection-bar.js";
import { Sliders } from "./sliders.js";
import { forgetTips, hideTip, showTip } from "./tip.js";
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

/* The heatmap. */

const form = one("view-form");
const heatmap = form && new Heatmap(one("heatmap"), { hover: overCell, leave: hideTip, open: openCell, select: selectCells, release: releaseCells });
const sliders = form && new Sliders(one("sliders"), state);

async function fetchHeatmap() {
  const query = new URLSearchParams([...["x", "y", "metric", "agg"].map((name) => [name, state.get(name)]), ...state.filters({ open: true })]);
  const [metric, z] = [metricNamed(state.get("metric")), state.get("z")];
  let documents;
  let omitted = 0;
  if (z) {
    query.set("z", z);
    const found = await getJson(`${api}/panels?${query}`);
    documents = found.heatmaps.map((document, at) => ({ title: panelTitle(z, found.values[at]), heatmap: document }));
    omitted = found.omitted;
  } else {
    query.set("most", view.most_cells);
    documents = [{ title: "", heatmap: await getJson(`${api}/heatmap?${query}`) }];
  }
  const message = documents.some(({ heatmap: { best } }) => best) ? "" : "No finished trial among those selected has this metric.";
  one("heatmap").querySelector(".waiting").textContent = message;
  heatmap.show(documents, metric, { x: state.get("x"), y: state.get("y") });
  describeHeatmap(documents, metric, omitted);
  one("heatmap").dataset.drawn = ["x", "y", "metric", "agg", "z"].map(state.get, state).join(" ").trim();
  performance.mark("heatmap-drawn");
}

function describeHeatmap(documents, metric, omitted) {
  const words = documents.length === 1 ? marksOf(documents[0].heatmap, metric) : ["Frames mark the best cell of each panel, dashed ones its plateau."];
  const { until } = documents[0]?.heatmap.x ?? {};
  if (until || documents[0]?.heatmap.y.until) words.push("There are more values than can be told apart: neighbours are drawn as one cell.");
  if (omitted) words.push(`${counted(omitted, "value")} of ${state.get("z")} left out, evenly; select a range to see them all.`);
  one("heatmap-marks").textContent = words.join(" ");
}

function marksOf(document, metric) {
  const at = ([row, column]) => `${state.get("x")} ${labelOf(document.x.values[column])}, ${state.get("y")} ${labelOf(document.y.values[row])}: ${withUnit(document.cells[row][column], metric)}`;
  const words = document.best ? [`Framed: the best cell, ${at(document.best)}.`] : [];
  if (document.plateau) words.push(`Dashed: the plateau, whose worst neighbour is best, ${at(document.plateau)}.`);
  if (document.trials.some((row, at) => row.some((number, place) => number !== null && !document.eligible[at][place])))
    words.push("Trials of a hatched cell cannot win.");
  return words;
}

const withUnit = (value, metric) => `${formatted(value, metric.kind)}${metric.kind === "money" && value !== null ? ` ${root.dataset.unit}` : ""}`;

function overCell({ panel, row, column }, place, spoken = false) {
  const { matrix, title } = panel;
  const metric = metricNamed(state.get("metric"));
  const number = matrix.trial(row, column);
  const count = matrix.document.counts[row][column];
  const lines = [
    number === null ? "No finished trial" : `${metric.label} ${withUnit(matrix.document.cells[row][column], metric)}`,
    `${state.get("x")} ${matrix.label("x", column)}`,
    `${state.get("y")} ${matrix.label("y", row)}`,
  ];
  if (title) lines.push(title);
  if (number !== null && !matrix.document.eligible[row][column]) lines.push("cannot win");
  if (count > 1) lines.push(`${state.get("agg")} of ${formatted(count, "count")} trials; shown below is trial ${number}`);
  else if (number !== null) lines.push(`trial ${number}`);
  showTip(place, lines, number === null ? null : `${trialPage(number)}/glance`, [state.get("x"), state.get("y"), state.get("z")]);
  if (spoken) one("heatmap-cell").textContent = lines.join(", ");
}

function openCell({ panel, row, column }) {
  const number = panel.matrix.trial(row, column);
  if (number !== null) location.assign(trialPage(number));
}

function selectCells(first, last, { matrix }) {
  hideTip();
  const ranges = {};
  for (const [side, from, to] of [["x", first.column, last.column], ["y", first.row, last.row]]) {
    const [low, high] = [from, to].sort((a, b) => a - b);
    const { values, until } = matrix.document[side];
    const texts = state.axes.get(state.get(side)).values;
    const place = (value) => texts.indexOf(value === null ? "null" : labelOf(value));
    ranges[state.get(side)] = { low: place(values[low]), high: place((until ?? values)[high]) };
  }
  state.select(ranges);
}

function releaseCells() {
  state.select({ [state.get("x")]: null, [state.get("y")]: null });
}

/* Everything else. */

const onPoints = { select: (ranges, settled) => state.select(ranges, settled), open: (trial) => location.assign(trialPage(trial)), leave: hideTip, hover: overTrial };
const parallel = new Parallel(one("parallel"), state, onPoints);
const scatter = new Scatter(one("scatter"), state, onPoints);
const distribution = new Distribution(one("distribution"), one("distribution-text"), state, onPoints);
const bar = new SelectionBar(state);
let every = null;
let chosen = null;

const overviewQuery = (filters) => new URLSearchParams([...["metric", "risk", "gain"].map((name) => [name, state.get(name)]), ...filters]);

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
  parallel.show({ context, points, kept, metric: metric.name, label: metric.label, kind: metric.kind, scale });
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
  one("scatter-text").textContent = `The line joins the ${front} of the Pareto front, which no other beats in both. Drag to select, click to open.${chosen.complete ? "" : ` The dots are a sample of ${shown} trials.`}`;
}

function overTrial(number, place) {
  showTip(place, [`Trial ${number}`], `${trialPage(number)}/glance`);
}

/* The table. */

async function fetchTrials() {
  const query = state.filters();
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
  if (!heatmap) return;
  const began = performance.now();
  await fetchHeatmap();
  heatmapTook = performance.now() - began;
});
const refreshOverview = latestOnly(fetchOverview);
const refreshTrials = latestOnly(fetchTrials);
const refreshProgress = latestOnly(() => refreshed(progress, progress.dataset.source));

function choose(changes, last) {
  const next = { x: state.get("x"), y: state.get("y"), z: state.get("z"), ...changes };
  for (const name of ["x", "y", "z"]) if (name !== last && next[name] && next[name] === next[last]) next[name] = state.get(last) === next[last] ? "" : state.get(last);
  state.choose({ ...changes, x: next.x, y: next.y, z: next.z });
}

function onForm(event) {
  const { name, value } = event.target;
  if (["x", "y", "z"].includes(name)) choose({ [name]: value }, name);
  else state.choose({ [name]: value });
}

function showControls() {
  for (const controls of [form, one("scatter-form")]) {
    for (const element of controls?.elements ?? []) element.value = state.get(element.name);
  }
  sliders?.draw();
  bar.draw();
}

function redrawViews() {
  showControls();
  refreshHeatmap();
  refreshOverview();
}

function redraw() {
  refreshTrials();
  redrawViews();
}

for (const controls of [form, one("scatter-form")]) controls?.addEventListener("change", onForm);
state.addEventListener("select", redraw);
state.addEventListener("view", redrawViews);
state.addEventListener("page", refreshTrials);
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
  forgetTips();
  redraw();
}

document.addEventListener("sweepchange", lookAgain);
document.addEventListener("themechange", drawOverview);
showControls();
refreshHeatmap();
refreshOverview();
if ("open" in root.dataset) follow();
