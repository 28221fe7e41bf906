/* The views below the map, fetched once that is drawn: slices, parallel coordinates, scatter, distribution, importance,
   and the line that says how many trials are selected. */
import { Columns } from "./columns.js";
import { Distribution } from "../map/distribution.js";
import { counted, formatted } from "../format.js";
import { showImportance } from "./importance.js";
import { Parallel } from "../map/parallel.js";
import { getJson } from "../requests.js";
import { anchoredScale, extent } from "../map/scale.js";
import { Scatter } from "../map/scatter.js";
import { SelectionBar } from "./selection-bar.js";
import { Slices } from "../map/slices.js";

const one = (id) => document.getElementById(id);

export class Views {
  /* `api` is the address of the sweep; `on` is told of `open(trial)`, `pin(trial)`, `hover(trial, lines)` and `across(axis)`. */
  constructor(state, api, on) {
    Object.assign(this, { state, api, on, every: null, chosen: null });
    const points = { ...on, select: (ranges, settled) => state.select(ranges, settled), hover: (trial, spoken) => this.#tell(trial, [`Trial ${trial}`], spoken) };
    this.slices = new Slices(one("slices"), state, { ...points, hover: (trial, lines, spoken) => this.#tell(trial, lines, spoken) });
    this.columns = new Columns(one("columns"), one("add-column"), state);
    this.parallel = new Parallel(one("parallel"), state, { ...points, move: (name, place) => this.columns.move(name, place) });
    this.scatter = new Scatter(one("scatter"), state, points);
    this.distribution = new Distribution(one("distribution"), one("distribution-text"), state, { ...points, hover: (trial, lines, spoken) => this.#tell(trial, lines, spoken) });
    this.bar = new SelectionBar(state);
    for (const [id, factor] of [["zoom-in", 0.6], ["zoom-out", 1.6]]) one(id).addEventListener("click", () => this.scatter.zoomBy(factor));
    one("zoom-all").addEventListener("click", () => state.choose({ zoom: "" }));
    one("scatter-form").addEventListener("change", ({ target }) => this.#onForm(target));
    document.addEventListener("themechange", () => this.draw());
  }

  showControls() {
    for (const element of one("scatter-form").elements) {
      if (element.type === "checkbox") element.checked = this.state.get(element.name).split(",").includes(element.value);
      else if (element.name) element.value = this.state.get(element.name);
    }
    this.columns.draw();
    this.bar.draw();
  }

  /* More trials have finished: what is known of all of them is old. */
  forget() {
    this.every = null;
  }

  async fetchOverview() {
    const filters = this.state.filters();
    const key = this.#query([]).toString();
    if (this.every?.key !== key) this.every = { key, document: await getJson(`${this.api}/overview?${key}`) };
    this.chosen = filters.size ? await getJson(`${this.api}/overview?${this.#query(filters)}`) : this.every.document;
    this.draw();
    this.bar.tell(this.chosen);
    one("parallel").dataset.drawn = String(this.chosen.selected);
    performance.mark("overview-drawn");
  }

  async fetchSlices() {
    const metric = this.state.get("metric");
    const query = new URLSearchParams([["metric", metric], ...this.state.scenarios(), ...this.state.filters()]);
    this.slices.show(await getJson(`${this.api}/slices?${query}`), this.#metric(metric));
  }

  drag() {
    this.bar.draw();
    this.draw();
  }

  /* While a pointer moves, the points that are here are sorted out here; once it rests, the server answers for all. */
  draw() {
    const { state, chosen } = this;
    if (!chosen) return;
    const { points: context, ...names } = this.every.document;
    const points = state.settled ? chosen.points : context;
    const inside = state.inside(points, points.trials.length);
    const metric = this.#metric(names.metric);
    const scale = anchoredScale(...extent(context.metrics[metric.name]), metric.small_is_good, { lines: true });
    this.parallel.show({ context, points, inside, metric: metric.name, scale });
    const [x, y] = [this.#metric(names.risk), this.#metric(names.gain)];
    this.scatter.show({ context, points, inside, front: chosen.front, x, y, metric: metric.name, scale });
    this.distribution.show(chosen.distribution, metric, scale);
    if (!state.settled) return;
    showImportance(one("importance"), chosen.importance, (axis) => this.on.across(axis));
    for (const place of document.querySelectorAll("[data-metric-name]")) place.textContent = metric.label;
    this.#describePoints();
  }

  #metric(name) {
    return { ...this.state.metrics[name], name };
  }

  #query(filters) {
    const { state } = this;
    const beside = state.columns().filter((name) => !state.axes.has(name) && name !== state.get("metric"));
    return new URLSearchParams([...["metric", "risk", "gain"].map((name) => [name, state.get(name)]), ...(beside.length ? [["beside", beside.join(",")]] : []), ...state.scenarios(), ...filters]);
  }

  #describePoints() {
    const { chosen } = this;
    const shown = formatted(chosen.points.trials.length, "count");
    const all = formatted(chosen.selected, "count");
    one("parallel-text").textContent = chosen.complete ? "" : `A sample: ${shown} of ${all} trials, spread evenly, always with the best and the front. Counts, front and shares are of all.`;
    const front = counted(chosen.front.trials.length, "trial");
    one("scatter-text").textContent = `The line joins the ${front} of the Pareto front, which no other beats in both. Drag to select, click to pin, double click to open; Ctrl and the wheel, or + and -, zoom, arrow keys move, 0 shows all; page down and up walk the trials, Space pins, Enter opens. Dashes are below zero.${chosen.complete ? "" : ` The dots are a sample of ${shown} trials.`}`;
  }

  /* Shows what is pointed at beside the map; said aloud as well where the keyboard came there. */
  #tell(trial, lines, spoken) {
    this.on.hover(trial, lines);
    if (spoken) one("view-told").textContent = lines.join(", ");
  }

  #onForm({ name, value }) {
    if (name === "log") {
      const sides = [...one("scatter-form").querySelectorAll("[name=log]")].filter((box) => box.checked).map((box) => box.value);
      this.state.choose({ log: sides.join(","), zoom: "" });
    } else this.state.choose({ [name]: value, zoom: "" });
  }
}
