/* One small chart for each axis: the median of the metric at each value as a line, half of the trials as a band around
   it, the best as dots. Each is reached by Tab, walked with the arrow keys, and brushed like the other views. */
import { at, fitted, font, niceTicks, onDrag, textSize, write } from "./canvas.js";
import { counted, formatted, shortTicks } from "../format.js";
import { Drawing } from "./drawing.js";
import { labelOf } from "./matrix.js";
import { clipped } from "./parallel.js";
import { colours } from "../charts/colours.js";
import { rateOf, rateSpan } from "../rates.js";
import { extent } from "./scale.js";

const [LOWEST, LOWER, MEDIAN, UPPER, HIGHEST] = [0, 1, 2, 3, 4];
const STEPS = { ArrowLeft: -1, ArrowRight: 1 };

export class Slices {
  /* `on` is told of `hover(trial, lines, spoken)`, `pin(trial)`, `open(trial)` and `select(ranges, settled)`. */
  constructor(list, state, on) {
    Object.assign(this, { list, state, on });
    this.charts = [];
  }

  /* `document` is the API's, `metric` has name, label, kind and small_is_good. */
  show(document, metric) {
    const names = document.slices.map(({ axis }) => axis.name).join();
    if (this.list.dataset.axes !== names) {
      this.charts = document.slices.map(({ axis }) => new SliceChart(axis.name, this.state, this.on));
      this.list.replaceChildren(...this.charts.map(({ item }) => item));
      this.list.dataset.axes = names;
    }
    const span = extent(document.slices.flatMap(({ levels }) => levels.flatMap((row) => row ?? [])));
    document.slices.forEach((slice, index) => this.charts[index].show(slice, metric, span));
    this.list.dataset.drawn = metric.name;
  }
}

class SliceChart extends Drawing {
  constructor(name, state, on) {
    super(plotOf(), state, on);
    Object.assign(this, { name, cursor: null });
    this.item = document.createElement("li");
    this.title = Object.assign(document.createElement("h3"), { textContent: name });
    const said = rateSpan(state.axes.get(name));
    if (said) this.title.append(Object.assign(document.createElement("span"), { className: "hint", textContent: ` ${said}` }));
    this.item.append(this.title, this.box);
    this.box.addEventListener("pointermove", (event) => !event.buttons && this.#look(this.#stepAt(at(this.box, event).x)));
    this.box.addEventListener("keydown", (event) => this.#press(event));
    this.box.addEventListener("blur", this.draw);
    this.box.addEventListener("dblclick", (event) => this.#with(this.#stepAt(at(this.box, event).x), on.open));
    onDrag(this.box, {
      start: () => this.slice && {},
      move: (_, place, first) => this.#brush(first.x, place.x, false),
      end: (_, place, first, moved) => (moved ? this.#brush(first.x, place.x, true) : this.#with(this.#stepAt(place.x), on.pin)),
    });
  }

  show(slice, metric, span) {
    Object.assign(this, { slice, metric, span });
    const known = slice.levels.filter(Boolean).length;
    this.box.setAttribute("aria-label", `${metric.label} by ${this.name}, ${counted(known, "value")} with trials. Arrow keys move, Space pins the best trial there, Enter opens it.`);
    this.draw();
  }

  paint() {
    if (!this.slice) return;
    const size = textSize();
    const { context, width, height } = fitted(this.box);
    const c = colours();
    const { levels, axis } = this.slice;
    const [low, high] = this.span;
    font(context, { size: size * 0.92 });
    const ticks = shortTicks(niceTicks(low, high, 3), this.metric.kind);
    const left = Math.max(...ticks.map(({ text }) => context.measureText(text).width)) + 8;
    this.area = { left: left + 6, right: width - 10, top: 6, bottom: height - size * 1.7 };
    const { top, bottom } = this.area;
    const y = (value) => bottom - ((value - low) / (high - low || 1)) * (bottom - top);
    context.lineWidth = 1;
    for (const { at: tick, text } of ticks) {
      context.fillStyle = tick === 0 ? c.muted : c.soft;
      context.fillRect(this.area.left, y(tick), this.area.right - this.area.left, 1);
      write(context, text, left, y(tick), { align: "right", colour: c.muted });
    }
    this.#drawBrush(context, c);
    for (const run of runs(levels)) this.#drawRun(context, run, y, c);
    this.#drawBest(context, y, c);
    this.#drawLabels(context, axis, c, size);
    if (this.cursor !== null && document.activeElement === this.box) {
      context.fillStyle = c.accent;
      context.fillRect(this.#x(this.cursor) - 1, top, 2, bottom - top);
    }
  }

  #drawRun(context, run, y, c) {
    const points = (level) => run.map((step) => [this.#x(step), y(this.slice.levels[step][level])]);
    context.fillStyle = c.accent;
    context.globalAlpha = 0.22;
    context.beginPath();
    [...points(UPPER), ...points(LOWER).reverse()].forEach(([x, at], index) => context[index ? "lineTo" : "moveTo"](x, at));
    context.fill();
    context.globalAlpha = 1;
    context.strokeStyle = c.accent;
    context.lineWidth = 2;
    context.beginPath();
    points(MEDIAN).forEach(([x, at], index) => context[index ? "lineTo" : "moveTo"](x, at));
    context.stroke();
  }

  #drawBest(context, y, c) {
    const best = this.metric.small_is_good ? LOWEST : HIGHEST;
    context.fillStyle = c.ink;
    this.slice.levels.forEach((row, step) => row && context.fillRect(this.#x(step) - 1.5, y(row[best]) - 1.5, 3, 3));
  }

  #drawLabels(context, axis, c, size) {
    const labels = axis.values.map((value) => clipped(labelOf(value)));
    const widest = Math.max(...labels.map((text) => context.measureText(text).width));
    const every = Math.ceil((widest + size) / Math.max(this.#x(1) - this.#x(0), 1));
    labels.forEach((text, step) => {
      if (step % every) return;
      const half = context.measureText(text).width / 2;
      const x = Math.min(Math.max(this.#x(step), half), this.area.right + 10 - half);
      write(context, text, x, this.area.bottom + size, { align: "center", colour: c.muted });
    });
  }

  #drawBrush(context, c) {
    const range = this.state.ranges.get(this.name);
    if (!range) return;
    const steps = this.slice.axis.values.map((_, step) => step).filter((step) => this.#rank(step) >= range.low && this.#rank(step, true) <= range.high);
    if (!steps.length) return;
    context.fillStyle = c.accent;
    context.globalAlpha = 0.12;
    context.fillRect(this.#x(steps[0]) - 4, this.area.top, this.#x(steps.at(-1)) - this.#x(steps[0]) + 8, this.area.bottom - this.area.top);
    context.globalAlpha = 1;
  }

  #x(step) {
    const last = this.slice.levels.length - 1;
    return last ? this.area.left + (step / last) * (this.area.right - this.area.left) : (this.area.left + this.area.right) / 2;
  }

  #stepAt(x) {
    const last = this.slice.levels.length - 1;
    const step = Math.round(((x - this.area.left) / (this.area.right - this.area.left)) * last);
    return Math.min(Math.max(step, 0), last);
  }

  /* The place of a step among the axis's values, of merged ones the first, or the last. */
  #rank(step, last = false) {
    const { values, until } = this.slice.axis;
    const value = (last && until ? until : values)[step];
    return this.state.axes.get(this.name).values.indexOf(value === null ? "null" : labelOf(value));
  }

  #brush(from, to, settled) {
    const [low, high] = [from, to].map((x) => this.#stepAt(x)).sort((a, b) => a - b);
    this.on.select({ [this.name]: { low: this.#rank(low), high: this.#rank(high, true) } }, settled);
  }

  #look(step, spoken = false) {
    const row = this.slice.levels[step];
    const said = rateOf(this.state.axes.get(this.name), this.slice.axis.values[step]);
    const lines = [`${this.name} ${labelOf(this.slice.axis.values[step])}${said && ` (${said})`}`];
    if (row) {
      const [lowest, lower, median, upper, highest] = row.map((value) => formatted(value, this.metric.kind));
      lines.push(`${this.metric.label}: median ${median}`, `half of ${counted(this.slice.counts[step], "trial")} in ${lower} … ${upper}, all in ${lowest} … ${highest}`);
      lines.push(`best: trial ${this.slice.best[step]}`);
    } else lines.push("No eligible trial");
    this.on.hover(this.slice.best[step], lines, spoken);
  }

  #press(event) {
    const step = STEPS[event.key];
    if (step) {
      event.preventDefault();
      this.cursor = Math.min(Math.max((this.cursor ?? -step) + step, 0), this.slice.levels.length - 1);
      this.draw();
      this.#look(this.cursor, true);
    } else if (this.cursor !== null && [" ", "Enter"].includes(event.key)) {
      event.preventDefault();
      this.#with(this.cursor, event.key === " " ? this.on.pin : this.on.open);
    } else if (event.key === "Escape") this.on.select({ [this.name]: null }, true);
  }

  #with(step, act) {
    if (this.slice?.best[step] !== null) act(this.slice.best[step]);
  }
}

function plotOf() {
  const box = Object.assign(document.createElement("div"), { className: "plot slice", tabIndex: 0 });
  box.setAttribute("role", "application");
  box.setAttribute("aria-roledescription", "line chart");
  box.append(document.createElement("canvas"));
  return box;
}

/* Steps that follow each other and have trials: a line does not bridge what is between them. */
function runs(levels) {
  const found = [];
  levels.forEach((row, step) => {
    if (!row) return;
    if (step && levels[step - 1]) found.at(-1).push(step);
    else found.push([step]);
  });
  return found;
}
