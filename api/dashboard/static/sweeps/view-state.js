/* What the reader looks at, as the address holds it: axes, metrics, order, and a range for each parameter or metric
   that trials are selected by. Ranges are written as the API takes them: `3`, `0.1..0.5`, `0.1..`. */
const VIEW = ["x", "y", "z", "metric", "agg", "risk", "gain", "sort", "cursor", "scenarios", "scenario_rank", "pins", "columns", "log", "zoom", "cols", "rows", "distinct"];
const PINS = ["pins"];
const SCATTER = ["log", "zoom"];
const PAGE = ["sort", "cursor", "cols", "rows", "distinct"];
const RANGE = "..";
const ONE_GO_MS = 400;

export class ViewState extends EventTarget {
  constructor({ axes, metrics, defaults }) {
    super();
    this.axes = new Map(axes.map((axis) => [axis.name, axis]));
    this.metrics = metrics;
    this.defaults = defaults;
    this.chosen = new Map();
    this.ranges = new Map();
    this.settled = true;
    this.#read(new URLSearchParams(location.search));
    addEventListener("popstate", () => this.#again());
  }

  get(name) {
    return this.chosen.get(name) ?? this.defaults[name] ?? "";
  }

  /* Other axes or another metric; what is the default is not written down. Tells `page` where only the table is
     another one, `view` where it stays, `pins` or `scatter` where nothing else changes, and `scenarios`. */
  choose(changes) {
    for (const [name, value] of Object.entries(changes)) {
      if (!value || value === this.defaults[name]) this.chosen.delete(name);
      else this.chosen.set(name, value);
    }
    const only = (names) => Object.keys(changes).every((name) => names.includes(name));
    this.#tell("scenarios" in changes ? "scenarios" : only(PAGE) ? "page" : only(PINS) ? "pins" : only(SCATTER) ? "scatter" : "view");
  }

  /* Ranges by name, null to let one go. While a pointer still moves (`settled` false) only what is here is redrawn. */
  select(ranges, settled = true) {
    for (const [name, range] of Object.entries(ranges)) {
      if (range && (range.low !== null || range.high !== null)) this.ranges.set(name, range);
      else this.ranges.delete(name);
    }
    this.settled = settled;
    this.chosen.delete("cursor");
    this.#tell(settled ? "select" : "drag");
  }

  clear() {
    this.select(Object.fromEntries([...this.ranges.keys()].map((name) => [name, null])));
  }

  /* Parameters and metrics side by side in parallel coordinates: by default all parameters and the metric. */
  columns() {
    const names = this.get("columns").split(",").filter(Boolean);
    return names.length ? [...new Set(names)] : [...this.axes.keys(), this.get("metric")];
  }

  /* The scenarios that settings are ranked over, as query parameters of the API. */
  scenarios() {
    const axes = this.get("scenarios") || "none";
    return [["scenarios", axes], ...(axes === "none" ? [] : [["scenario_rank", this.get("scenario_rank")]])];
  }

  /* The selection as query parameters of the API; a heatmap takes single values of its sides as ranges only. */
  filters({ open = false } = {}) {
    const query = new URLSearchParams();
    for (const [name, range] of this.ranges) query.set(name, this.text(name, range, open));
    return query;
  }

  text(name, { low, high }, open = false) {
    const values = this.axes.get(name)?.values;
    const [from, to] = values ? [values[low], values[high]] : [low ?? "", high ?? ""];
    return from === to && !open ? String(from) : `${from}${RANGE}${to}`;
  }

  /* Reads a range as people write it; null if it is none. */
  parse(name, text) {
    const [from, to = from] = text.includes(RANGE) ? text.split(RANGE) : [text];
    const axis = this.axes.get(name);
    if (axis) return axisRange(axis, from, to);
    const [low, high] = [from, to].map((bound) => (bound.trim() === "" ? null : Number(bound)));
    if ([low, high].some(Number.isNaN) || (low === null && high === null)) return null;
    return { low, high };
  }

  /* Where trials, given column by column, are within all ranges that these columns can tell. */
  inside({ axes, metrics }, count) {
    const kept = new Uint8Array(count).fill(1);
    for (const [name, { low, high }] of this.ranges) {
      const column = axes[name] ?? metrics[name];
      if (!column) continue;
      for (let at = 0; at < count; at++) {
        const value = column[at];
        if (value === null || (low !== null && value < low) || (high !== null && value > high)) kept[at] = 0;
      }
    }
    return kept;
  }

  /* Back and forward: the address tells what was selected before. */
  #again() {
    this.chosen.clear();
    this.ranges.clear();
    this.settled = true;
    this.#read(new URLSearchParams(location.search));
    this.dispatchEvent(new Event("select"));
  }

  #read(query) {
    for (const [name, text] of query) {
      if (VIEW.includes(name)) this.chosen.set(name, text);
      else if (this.axes.has(name) || this.metrics[name]) {
        const range = this.parse(name, text);
        if (range) this.ranges.set(name, range);
      }
    }
    this.#mend();
  }

  /* The service refuses what it does not know; of two sides that are the same, one of them by default, both give way. */
  #mend() {
    if (this.get("x") === this.get("y")) for (const name of ["x", "y"]) this.chosen.delete(name);
    if ([this.get("x"), this.get("y")].includes(this.get("z"))) this.chosen.delete("z");
  }

  #tell(type) {
    if (type !== "drag") this.#write(type === "select");
    this.dispatchEvent(new Event(type));
  }

  /* Each selection is a step that Back undoes; those made in one go, as by holding an arrow key, are one. */
  #write(step) {
    const query = new URLSearchParams([...this.chosen, ...this.filters()]);
    const address = query.size ? `?${query}` : location.pathname;
    const now = performance.now();
    const push = step && now - (this.pushed ?? -Infinity) > ONE_GO_MS && address !== (location.search || location.pathname);
    if (step) this.pushed = now;
    history[push ? "pushState" : "replaceState"](null, "", address);
  }
}

function axisRange(axis, from, to) {
  const first = axis.absent ? 1 : 0;
  const low = from === "" ? first : position(axis, from, (value, bound) => value >= bound, 1);
  const high = to === "" ? axis.values.length - 1 : position(axis, to, (value, bound) => value <= bound, -1);
  return low === -1 || high === -1 || low > high ? null : { low, high };
}

/* A bound that is no value of the axis means the nearest value within the range. */
function position({ values, ordered }, text, within, step) {
  const exact = values.indexOf(text);
  if (exact >= 0 || !ordered || text.trim() === "" || Number.isNaN(Number(text))) return exact;
  const places = values.map((_, index) => index).filter((at) => within(Number(values[at]), Number(text)));
  return places.at(step > 0 ? 0 : -1) ?? -1;
}
