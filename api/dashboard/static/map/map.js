/* The map of a sweep: heatmap or panels, what stands beside it, and what its patterns mean. */
import { showLegend, stateWords } from "./cell-patterns.js";
import { counted, formatted } from "../format.js";
import { Heatmap, panelTitle } from "./heatmap.js";
import { borders } from "./matrix-drawing.js";
import { labelOf } from "./matrix.js";
import { colours } from "../charts/colours.js";
import { rateOf, rateSpan } from "../rates.js";
import { getJson } from "../requests.js";

const one = (id) => document.getElementById(id);
const ENDS = { left: ["x", "lowest"], right: ["x", "highest"], bottom: ["y", "lowest"], top: ["y", "highest"] };

export class SweepMap {
  /* `source` is the address of matrices, `most` the cells of one; `on` opens trials: `open(trial)`. */
  constructor(state, { source, unit, most, inspector, pins, open }) {
    Object.assign(this, { state, source, unit, most, inspector, pins });
    this.heatmap = new Heatmap(one("heatmap"), {
      hover: (cell, spoken) => this.#inspect(cell, spoken),
      leave: () => {},
      pin: ({ panel, row, column }) => this.#with(panel, row, column, (trial) => pins.toggle(trial)),
      open: ({ panel, row, column }) => this.#with(panel, row, column, open),
      select: (first, last, panel) => this.#select(first, last, panel),
      release: () => state.select({ [state.get("x")]: null, [state.get("y")]: null }),
    });
    document.addEventListener("themechange", () => this.#legend());
  }

  get metric() {
    const name = this.state.get("metric");
    return { ...this.state.metrics[name], name };
  }

  /* Fetches and draws; chances of luck follow, since they are not worth waiting for. */
  async refresh() {
    const { state } = this;
    delete one("heatmap").dataset.settled;
    const query = new URLSearchParams([...["x", "y", "metric", "agg"].map((name) => [name, state.get(name)]), ...state.scenarios(), ...state.filters({ open: true })]);
    const z = state.get("z");
    if (z) query.set("z", z);
    else query.set("most", this.most);
    const { heatmaps, values, omitted } = await getJson(`${this.source}?${query}`);
    this.#show(heatmaps.map((heatmap, at) => ({ title: z ? panelTitle(z, values[at]) : "", heatmap })), omitted);
    this.drawn = query;
    this.#finish(query, !z && state.settled);
  }

  async #finish(query, judged) {
    const { p_luck: chances } = judged ? await getJson(`${this.source}/luck?${query}`).catch(() => ({})) : {};
    if (this.drawn !== query) return;
    if (chances) {
      this.heatmap.panels[0].matrix.addLuck(chances);
      this.heatmap.draw();
      this.#legend();
    }
    one("heatmap").dataset.settled = "";
  }

  #show(documents, omitted) {
    const { state, metric } = this;
    one("heatmap").querySelector(".waiting").textContent = documents.length ? "" : "No finished trial among those selected.";
    const isOrdered = (side) => state.axes.get(state.get(side)).ordered;
    this.heatmap.show(documents, metric, { x: this.#side("x"), y: this.#side("y") }, { x: isOrdered("x"), y: isOrdered("y") });
    this.#describe(documents, omitted);
    this.#legend();
    this.heatmap.pin(this.pins.trials);
    one("heatmap").dataset.drawn = ["x", "y", "metric", "agg", "z"].map(state.get, state).join(" ").trim();
    performance.mark("heatmap-drawn");
  }

  #describe(documents, omitted) {
    const { state } = this;
    const words = documents.length === 1 ? this.#marks(documents[0].heatmap) : ["Frames mark the best cell of each panel, dashed ones its plateau."];
    if (documents[0]?.heatmap.x.until || documents[0]?.heatmap.y.until) words.push("There are more values than can be told apart: neighbours are drawn as one cell.");
    if (!documents.some(({ heatmap: { best } }) => best)) words.push("No selected trial is eligible and has this metric.");
    if (omitted) words.push(`${counted(omitted, "value")} of ${state.get("z")} left out, evenly; select a range to see them all.`);
    const { below, above } = this.heatmap.beyond ?? {};
    if (below || above) words.push("Colours span all values but the most extreme fiftieth at each end, which take the last colour.");
    const { axes = [], rank } = documents[0]?.heatmap.scenarios ?? {};
    if (axes.length) words.push(`Each setting stands at its ${rank} ${axes.join(", ")}.`);
    const drawn = state.get("scenarios").split(",").filter((name) => state.axes.has(name) && !axes.includes(name));
    if (documents.length && drawn.length) words.push(`${drawn.join(" and ")} drawn here, and so not ranked over: the verdict's candidate may be another cell.`);
    one("heatmap-marks").textContent = words.join(" ");
  }

  #marks(document) {
    const { state } = this;
    const at = ([row, column]) => `${state.get("x")} ${labelOf(document.x.values[column])}, ${state.get("y")} ${labelOf(document.y.values[row])}: ${this.#withUnit(this.heatmap.panels[0].matrix.exact([row, column]))}`;
    const words = document.best ? [`Framed: the best cell, ${at(document.best)}${this.#border(document.best)}.`] : [];
    if (document.plateau) words.push(`Dashed: the plateau, whose worst neighbour is best, ${at(document.plateau)}${this.#among(document.plateau)}${this.#border(document.plateau)}, with the cells joined to it that are as good.`);
    return words;
  }

  /* A cell of several trials shows another number than its plateau's trial, as a rule. */
  #among(place) {
    const count = this.heatmap.panels[0].matrix.count(...place);
    return count > 1 ? `, the ${this.state.get("agg")} of its ${formatted(count, "count")} trials` : "";
  }

  #border(place) {
    const { state } = this;
    const ends = borders(this.heatmap.panels[0].matrix, place)
      .map((side) => ENDS[side])
      .map(([side, end]) => `${end} ${state.get(side)}`);
    return ends.length ? ` (at the border of the grid, ${ends.join(" and ")}: better ones may lie beyond)` : "";
  }

  #legend() {
    const counts = {};
    for (const { matrix } of this.heatmap.panels) for (const [name, count] of Object.entries(matrix.counts())) counts[name] = (counts[name] ?? 0) + count;
    showLegend(one("heatmap-states"), counts, colours());
  }

  #withUnit(value) {
    const { kind } = this.metric;
    return `${formatted(value, kind)}${kind === "money" && value !== null ? ` ${this.unit}` : ""}`;
  }

  #inspect({ panel, row, column }, spoken = false) {
    const { matrix, title } = panel;
    const { state, metric } = this;
    const number = matrix.trial(row, column);
    const count = matrix.count(row, column);
    const cellState = matrix.states[row * matrix.columns + column];
    const lines = [
      number === null ? this.#stateOf(cellState) : `${metric.label} ${this.#withUnit(matrix.exact([row, column]))}`,
      this.#value("x", matrix.label("x", column), matrix.document.x.values[column]),
      this.#value("y", matrix.label("y", row), matrix.document.y.values[row]),
    ];
    if (title) lines.push(title);
    if (number !== null && cellState) lines.push(this.#stateOf(cellState));
    if (matrix.lucky?.[row * matrix.columns + column]) lines.push("Luck alone shows such a Sharpe ratio in more than one search of twenty");
    if (count > 1) lines.push(`${state.get("agg")} of ${formatted(count, "count")} trials; shown below is trial ${number}`);
    else if (number !== null) lines.push(`trial ${number}`);
    lines.push(this.#around(matrix.neighbours(row, column)));
    this.inspector.show(number, lines);
    if (spoken) one("heatmap-cell").textContent = lines.join(", ");
  }

  /* A value of a side in words, a rate as traders say it too. */
  #value(side, label, value) {
    const name = this.state.get(side);
    const said = rateOf(this.state.axes.get(name), value);
    return `${name} ${label}${said && ` (${said})`}`;
  }

  /* The name of a side, the longest that there may be room for first. */
  #side(side) {
    const name = this.state.get(side);
    const said = rateSpan(this.state.axes.get(name));
    return said ? [`${name}: ${said}`, `${name}, ${said.split(",")[0]}`, name] : [name];
  }

  #stateOf(name) {
    const words = stateWords(name);
    return words[0].toUpperCase() + words.slice(1);
  }

  #around(values) {
    if (!values.length) return "No neighbour has a value";
    const [low, high] = [Math.min(...values), Math.max(...values)].map((value) => formatted(value, this.metric.kind));
    return `${counted(values.length, "neighbour")}: ${low} … ${high}`;
  }

  #with(panel, row, column, act) {
    const number = panel.matrix.trial(row, column);
    if (number !== null) act(number);
  }

  #select(first, last, { matrix }) {
    const { state } = this;
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
}
