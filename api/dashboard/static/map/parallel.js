import { at, fitted, font, niceTicks, textSize, write } from "./canvas.js";
import { PointDrawing, thinned } from "./drawing.js";
import { shortTicks } from "../format.js";
import { labelOf } from "./matrix.js";
import { colours } from "../charts/colours.js";
import { extent } from "./scale.js";

const MOST_LINES = 1800;
const MOST_WHILE_DRAGGING = 280;
const MOST_CONTEXT = 900;
const GRAB = 22;
const NEAR = 6;
const BELOW_ZERO = [5, 3]; // known without its colour

/* Parallel coordinates: an axis for each parameter and metric in the order of the state's columns, a line for each
   trial. `on.select(range)` is told while an axis is brushed, `on.hover(trial)` of the line under the pointer,
   `on.pin(trial)` and `on.open(trial)` when it is clicked once or twice, `on.move(name, place)` of an axis that is
   dragged by its title. */
export class Parallel extends PointDrawing {
  constructor(box, state, on) {
    super(box, state, on);
    box.addEventListener("pointermove", (event) => !event.buttons && this.#look(at(box, event)));
    box.addEventListener("pointerleave", () => this.light(null));
  }

  grab(place) {
    const axis = this.axes?.find(({ x }) => Math.abs(x - place.x) <= GRAB) ?? null;
    return { axis, title: Boolean(axis) && place.y < this.area.top - 4 };
  }

  drag(held, place, first, settled = false) {
    const { axis, title } = held;
    if (!axis) return;
    if (!title) {
      this.#brush(axis, first.y, place.y, settled);
      return;
    }
    this.carried = settled ? null : { axis, x: place.x };
    if (settled) this.on.move(axis.name, this.axes.filter(({ x, name }) => name !== axis.name && x < place.x).length);
    this.draw();
  }

  release(held, place, first, moved) {
    if (!held.axis) this.#click(place, moved);
    else if (moved) this.drag(held, place, first, true);
    else if (!held.title) this.on.select({ [held.axis.name]: null }, true);
  }

  #click(place, moved) {
    const trial = moved ? null : this.nearest(place);
    if (trial !== null) this.on.pin(trial);
  }

  #look(place) {
    const axis = this.axes?.find(({ x }) => Math.abs(x - place.x) <= GRAB);
    this.box.classList.toggle("grab", Boolean(axis) && place.y >= this.area.top - 4);
    this.box.classList.toggle("carry", Boolean(axis) && place.y < this.area.top - 4);
    this.light(axis ? null : this.nearest(place));
  }

  /* The trial whose line passes a point most closely, null if none does. */
  nearest({ x, y }) {
    const index = this.axes?.findLastIndex((axis) => axis.x <= x) ?? -1;
    if (index < 0 || index >= this.axes.length - 1) return null;
    const [left, right] = [this.axes[index], this.axes[index + 1]];
    const share = (x - left.x) / (right.x - left.x);
    const [before, after] = [left, right].map(({ name }) => this.points.axes[name] ?? this.points.metrics[name]);
    let found = null;
    let least = NEAR;
    for (const at of this.shown ?? []) {
      if (before[at] === null || after[at] === null) continue;
      const distance = Math.abs(left.y(before[at]) * (1 - share) + right.y(after[at]) * share - y);
      if (distance < least) [least, found] = [distance, this.points.trials[at]];
    }
    return found;
  }

  paint() {
    if (!this.points) return;
    const size = textSize();
    const names = this.state.columns();
    const count = names.length;
    const { context, width, height } = fitted(this.box);
    const c = colours();
    const top = size * 3.4;
    this.area = { top, height: height - top - size * 1.6 };
    font(context, { size });
    const first = this.state.axes.get(names[0]);
    const widest = first ? Math.max(...first.values.map((text) => context.measureText(clipped(text)).width)) : size * 4;
    const left = Math.max(widest + size * 1.2, size * 4.5, Math.min(100, width / count / 2));
    const gap = (width - left - size * 5.5) / Math.max(count - 1, 1);
    this.axes = names.map((name, place) => {
      const axis = this.state.axes.get(name);
      return axis ? this.#parameter(axis, left + place * gap) : this.#metricAxis(name, left + place * gap);
    });
    const places = this.axes.map(({ name, x, low, high }) => [name, Math.round(x), low, high].join("@")).join(" ");
    const looks = [places, size, ...Object.values(c)];
    this.kept("behind", context, [...looks, this.context], (sheet) => this.#drawLines(sheet, this.context, null, c));
    this.shown = this.#drawLines(context, this.points, this.inside, c);
    this.#drawLit(context, c);
    this.box.dataset.axes = this.axes.map(({ name, x }) => `${name}@${Math.round(x)}`).join(" ");
    for (const axis of this.axes) this.#drawMarks(context, axis, c);
    this.kept("axes", context, looks, (sheet) => this.axes.forEach((axis, index) => this.#drawAxis(sheet, axis, c, gap, index === this.axes.length - 1)));
  }

  #parameter(axis, x) {
    const last = Math.max(axis.values.length - 1, 1);
    const single = axis.values.length === 1;
    const y = (rank) => this.area.top + (single ? 0.5 : 1 - rank / last) * this.area.height;
    return {
      name: axis.name, title: axis.name, x, y, axis,
      value: (place) => Math.min(Math.max(Math.round((1 - (place - this.area.top) / this.area.height) * last), 0), last),
      range: (from, to) => {
        const [low, high] = [from, to].map((place) => (1 - (place - this.area.top) / this.area.height) * last).sort((a, b) => a - b);
        const range = { low: Math.max(Math.ceil(low - 0.2), 0), high: Math.min(Math.floor(high + 0.2), axis.values.length - 1) };
        return range.low > range.high ? null : range;
      },
    };
  }

  #metricAxis(name, x) {
    const { label, kind } = this.state.metrics[name];
    const [low, high] = extent([...(this.context.metrics[name] ?? []), ...(this.points.metrics[name] ?? [])]);
    const span = high - low || 1;
    const y = (value) => this.area.top + (1 - (value - low) / span) * this.area.height;
    return {
      name, title: label, kind, x, y, low, high,
      range: (from, to) => {
        const [least, most] = [from, to].map((place) => low + (1 - (place - this.area.top) / this.area.height) * span).sort((a, b) => a - b);
        return { low: least <= low ? null : rounded(least, span), high: most >= high ? null : rounded(most, span) };
      },
    };
  }

  #drawLines(context, points, inside, c) {
    const values = points.metrics[this.metric];
    const most = this.state.settled ? MOST_LINES : MOST_WHILE_DRAGGING;
    const shown = thinned(points.trials.length, inside, inside ? most : MOST_CONTEXT);
    if (inside) shown.sort((a, b) => Math.abs(values[a] ?? 0) - Math.abs(values[b] ?? 0));
    context.lineJoin = "round"; // said here, or a second drawing would differ from the first: labels set it as well
    context.lineWidth = inside ? 1.2 : 1;
    context.globalAlpha = inside ? Math.min(0.9, Math.max(0.25, 260 / Math.max(shown.length, 1))) : 0.5;
    for (const place of shown) {
      if (inside && values[place] === null) continue;
      context.strokeStyle = inside ? this.scale.colour(values[place]) : c.line;
      if (inside && this.state.settled) context.setLineDash(values[place] < 0 ? BELOW_ZERO : []);
      this.#stroke(context, points, place);
    }
    context.globalAlpha = 1;
    context.setLineDash([]);
    return shown;
  }

  #stroke(context, points, place) {
    let begun = false;
    context.beginPath();
    for (const axis of this.axes) {
      const value = (points.axes[axis.name] ?? points.metrics[axis.name])?.[place] ?? null;
      if (value === null) continue;
      context[begun ? "lineTo" : "moveTo"](axis.x, axis.y(value));
      begun = true;
    }
    context.stroke();
  }

  #drawLit(context, c) {
    const place = this.lit === null || this.lit === undefined ? -1 : this.points.trials.indexOf(this.lit);
    if (place < 0) return;
    for (const [colour, width] of [[c.card, 6], [c.ink, 2.5]]) {
      context.strokeStyle = colour;
      context.lineWidth = width;
      this.#stroke(context, this.points, place);
    }
  }

  /* What is selected along an axis, and where one that is carried would go. */
  #drawMarks(context, axis, c) {
    const range = this.state.ranges.get(axis.name);
    if (range) this.#drawBrush(context, axis, range, c);
    if (this.carried?.axis.name !== axis.name) return;
    context.fillStyle = c.accent;
    context.fillRect(this.carried.x - 1, this.area.top - 4, 2, this.area.height + 8);
  }

  #drawAxis(context, axis, c, gap, last) {
    const size = textSize();
    const { top, height } = this.area;
    context.strokeStyle = c.ink;
    context.lineWidth = 1.2;
    context.beginPath();
    context.moveTo(axis.x, top);
    context.lineTo(axis.x, top + height);
    context.stroke();
    font(context, { size, bold: true });
    const lines = inTwo(context, axis.title, gap - 8);
    lines.forEach((text, at) => write(context, text, axis.x, size * (1.9 - (lines.length - 1 - at) * 1.15), { align: "center", colour: c.ink, most: Math.max(gap - 8, 40) }));
    font(context, { size });
    for (const [y, said, isAbsent] of this.#ticks(axis)) {
      const text = last || axis === this.axes[0] ? said : narrowed(context, said, gap - 12);
      outlined(context, text, axis.x + (last ? 8 : -8), y, last ? "left" : "right", isAbsent ? c.second : c.muted, c.card);
      context.fillStyle = isAbsent ? c.second : c.ink;
      context.fillRect(axis.x - 3, y - 0.5, 6, 1.2);
    }
  }

  #ticks({ axis, y, low, high, kind }) {
    if (!axis) return shortTicks(niceTicks(low, high, 6), kind).map(({ at: value, text }) => [y(value), text]);
    const step = Math.ceil(axis.values.length / Math.max(Math.floor(this.area.height / (textSize() * 1.9)), 1));
    const shown = axis.values.map((text, rank) => [y(rank), axis.absent && rank === 0 ? labelOf(null) : text, axis.absent && rank === 0, rank]);
    return shown.filter(([, , isAbsent, rank]) => isAbsent || rank % step === 0);
  }

  #drawBrush(context, axis, { low, high }, c) {
    const end = this.area.top + this.area.height;
    const within = (y) => Math.min(Math.max(y, this.area.top), end);
    const bottom = low === null ? end : within(axis.y(low));
    const top = high === null ? this.area.top : within(axis.y(high));
    const margin = axis.axis ? 6 : 1;
    context.fillStyle = c.accent;
    context.globalAlpha = 0.3;
    context.fillRect(axis.x - 8, top - margin, 16, bottom - top + 2 * margin);
    context.globalAlpha = 1;
    context.strokeStyle = c.accent;
    context.lineWidth = 1.5;
    context.strokeRect(axis.x - 8, top - margin, 16, bottom - top + 2 * margin);
  }

  #brush(axis, from, to, settled) {
    const range = axis.range(from, to);
    if (range) this.on.select({ [axis.name]: range }, settled);
  }
}

/* A name that is too wide for one line is broken after the underscore or space nearest to its middle. */
function inTwo(context, title, most) {
  if (context.measureText(title).width <= most) return [title];
  const breaks = [...title.matchAll(/[_ ]/g)].map(({ index }) => index + 1);
  if (!breaks.length) return [title];
  const middle = breaks.reduce((best, at) => (Math.abs(at - title.length / 2) < Math.abs(best - title.length / 2) ? at : best));
  return [title.slice(0, middle), title.slice(middle)];
}

/* A number that is too wide for the room beside an axis, as a power of ten where that is shorter. */
function narrowed(context, text, most) {
  if (context.measureText(text).width <= most || text === "" || !Number.isFinite(Number(text))) return text;
  const power = Number(text).toExponential().replace("e+", "e");
  return power.length < text.length ? power : text;
}

/* Four digits of the span are more than a pointer can mean. */
export function rounded(value, span) {
  const digits = Math.max(0, 3 - Math.floor(Math.log10(span)));
  return Number(value.toFixed(Math.min(digits, 12)));
}

/* A label of at most 16 characters: of a time the day, and the minute where it is not midnight. */
export function clipped(text) {
  const [, day, minute] = text.match(/^(\d{4}-\d\d-\d\d)T(\d\d:\d\d):00Z$/) ?? [];
  if (day) return minute === "00:00" ? day : `${day} ${minute}`;
  return text.length > 16 ? `${text.slice(0, 15)}…` : text;
}

/* Text that can be read over lines. */
function outlined(context, text, x, y, align, colour, behind) {
  context.textAlign = align;
  context.textBaseline = "middle";
  context.strokeStyle = behind;
  context.lineWidth = 4;
  context.lineJoin = "round";
  const shown = clipped(text);
  context.strokeText(shown, x, y);
  context.fillStyle = colour;
  context.fillText(shown, x, y);
}
