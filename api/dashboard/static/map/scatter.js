import { at, fitted, font, niceTicks, textSize, write } from "./canvas.js";
import { PointDrawing, thinned } from "./drawing.js";
import { shortTicks } from "../format.js";
import { rounded } from "./parallel.js";
import { colours } from "../charts/colours.js";
import { extent } from "./scale.js";

const NEAR = 9;
const MOST_WHILE_DRAGGING = 700;

/* Two metrics against each other, with the trials that none beats in both joined by a line. `on` is told of
   `hover(trial)`, `pin(trial)`, `open(trial)` and `select(ranges, settled)`. The wheel, + and - zoom, arrow keys move what is
   shown, 0 shows all; an axis may be logarithmic, which leaves out what is not above zero. */
export class Scatter extends PointDrawing {
  constructor(box, state, on) {
    super(box, state, on);
    box.addEventListener("pointermove", (event) => this.#hover(event));
    box.addEventListener("wheel", (event) => this.#wheel(event), { passive: false });
    box.addEventListener("keydown", (event) => this.#press(event));
  }

  grab() {
    return {};
  }

  drag(_, place, first) {
    this.#brush(first, place, false);
  }

  release(_, place, first, moved) {
    if (moved) this.#brush(first, place, true);
    else this.#click(place);
  }

  paint() {
    if (!this.points) return;
    const size = textSize();
    const { context, width, height } = fitted(this.box);
    const c = colours();
    const inner = { left: size * 4.6, top: size, right: width - size * 2.2, bottom: height - size * 3.3 };
    font(context, { size });
    const log = this.state.get("log").split(",");
    const [zoomX, zoomY] = this.#zoom();
    const groups = [this.context, this.points, this.front];
    this.up = axis(groups, this.y.name, [inner.bottom, inner.top], log.includes("y"), zoomY);
    const labels = shortTicks(this.up.ticks((inner.bottom - inner.top) / 55), this.y.kind).map(({ text }) => context.measureText(text).width);
    inner.left = Math.max(inner.left, size * 2.2 + Math.max(...labels, 0));
    this.across = axis(groups, this.x.name, [inner.left, inner.right], log.includes("x"), zoomX);
    const sides = [this.across, this.up].flatMap(({ low, high }) => [low, high]);
    this.kept("behind", context, [...sides, size, this.state.get("log"), this.x.name, this.y.name, this.context, ...Object.values(c)], (sheet) => {
      this.#drawGrid(sheet, inner, c);
      clip(sheet, inner);
      this.#drawDots(sheet, this.context, null, c);
    });
    context.save();
    clip(context, inner);
    this.#drawDots(context, this.points, this.inside, c);
    this.#drawFront(context, c);
    this.#drawLit(context, c);
    this.#drawBrush(context, inner, c);
    context.restore();
  }

  #drawGrid(context, inner, c) {
    const size = textSize();
    font(context, { size });
    context.lineWidth = 1;
    for (const { at: tick, text } of shortTicks(this.across.ticks((inner.right - inner.left) / 90), this.x.kind)) {
      const x = this.across.of(tick);
      line(context, x, inner.top, x, inner.bottom, tick === 0 ? c.muted : c.soft);
      write(context, text, x, inner.bottom + size, { align: "center", colour: c.muted });
    }
    for (const { at: tick, text } of shortTicks(this.up.ticks((inner.bottom - inner.top) / 55), this.y.kind)) {
      const y = this.up.of(tick);
      line(context, inner.left, y, inner.right, y, tick === 0 ? c.muted : c.soft);
      write(context, text, inner.left - 6, y, { align: "right", colour: c.muted });
    }
    write(context, this.x.label, (inner.left + inner.right) / 2, inner.bottom + size * 2.6, { align: "center", colour: c.ink });
    context.save();
    context.translate(size * 0.7, (inner.top + inner.bottom) / 2);
    context.rotate(-Math.PI / 2);
    write(context, this.y.label, 0, 0, { align: "center", colour: c.ink });
    context.restore();
  }

  #drawDots(context, points, inside, c) {
    const xs = points.metrics[this.x.name];
    const ys = points.metrics[this.y.name];
    const values = points.metrics[this.metric];
    const radius = xs.length > 1500 ? 2.2 : 3.2;
    context.globalAlpha = inside ? 0.8 : 0.55;
    for (const index of thinned(xs.length, inside, this.state.settled ? Infinity : MOST_WHILE_DRAGGING)) {
      if (!this.across.shows(xs[index]) || !this.up.shows(ys[index])) continue;
      context.fillStyle = inside && values[index] !== null ? this.scale.colour(values[index]) : c.line;
      const mark = inside && values[index] < 0 ? dash : dot;
      mark(context, this.across.of(xs[index]), this.up.of(ys[index]), inside ? radius : 1.8);
    }
    context.globalAlpha = 1;
  }

  #drawFront(context, c) {
    const ys = this.front.metrics[this.y.name];
    const places = this.front.metrics[this.x.name]
      .map((x, index) => [x, ys[index]])
      .filter(([x, y]) => this.across.shows(x) && this.up.shows(y))
      .map(([x, y]) => [this.across.of(x), this.up.of(y)]);
    context.strokeStyle = c.second;
    context.lineWidth = 1.6;
    context.beginPath();
    places.forEach(([x, y], index) => context[index ? "lineTo" : "moveTo"](x, y));
    context.stroke();
    for (const [x, y] of places) {
      context.beginPath();
      context.arc(x, y, 4.5, 0, 6.3);
      context.stroke();
    }
  }

  #drawLit(context, c) {
    const place = this.points.trials.indexOf(this.lit);
    if (place < 0) return;
    const [x, y] = [this.points.metrics[this.x.name][place], this.points.metrics[this.y.name][place]];
    if (!this.across.shows(x) || !this.up.shows(y)) return;
    context.strokeStyle = c.ink;
    context.lineWidth = 2;
    context.strokeRect(this.across.of(x) - 6, this.up.of(y) - 6, 12, 12);
  }

  #drawBrush(context, inner, c) {
    const across = this.state.ranges.get(this.x.name);
    const up = this.state.ranges.get(this.y.name);
    if (!across && !up) return;
    const left = across && across.low !== null ? this.across.of(across.low) : inner.left;
    const right = across && across.high !== null ? this.across.of(across.high) : inner.right;
    const bottom = up && up.low !== null ? this.up.of(up.low) : inner.bottom;
    const top = up && up.high !== null ? this.up.of(up.high) : inner.top;
    context.fillStyle = c.accent;
    context.globalAlpha = 0.1;
    context.fillRect(left, top, right - left, bottom - top);
    context.globalAlpha = 1;
    context.strokeStyle = c.accent;
    context.lineWidth = 1.5;
    context.strokeRect(left, top, right - left, bottom - top);
  }

  nearest({ x, y }) {
    let found = null;
    let least = NEAR ** 2;
    for (const [points, inside] of [[this.front, null], [this.points, this.inside]]) {
      const xs = points.metrics[this.x.name];
      const ys = points.metrics[this.y.name];
      for (let index = 0; index < xs.length; index++) {
        if (!this.across.shows(xs[index]) || !this.up.shows(ys[index]) || (inside && !inside[index])) continue;
        const distance = (this.across.of(xs[index]) - x) ** 2 + (this.up.of(ys[index]) - y) ** 2;
        if (distance < least) [least, found] = [distance, points.trials[index]];
      }
    }
    return found;
  }

  /* What is zoomed into, [low, high] of each side as it is drawn, null for all. */
  #zoom() {
    const sides = this.state.get("zoom").split(",").map((side) => side.split("..").map(Number));
    return [0, 1].map((at) => (sides[at]?.length === 2 && sides[at].every(Number.isFinite) && sides[at][0] < sides[at][1] ? sides[at] : null));
  }

  #show(across, up) {
    const text = [across, up].map(([low, high]) => `${low.toPrecision(6)}..${high.toPrecision(6)}`).join(",");
    this.state.choose({ zoom: text });
  }

  zoomBy(factor, place = null) {
    if (!this.across) return;
    const around = ({ low, high, share }, at) => {
      const middle = low + (at === null ? 0.5 : share(at)) * (high - low);
      return [middle - (middle - low) * factor, middle + (high - middle) * factor];
    };
    this.#show(around(this.across, place?.x ?? null), around(this.up, place?.y ?? null));
  }

  #wheel(event) {
    if (!event.ctrlKey && !event.shiftKey) return;
    event.preventDefault();
    this.zoomBy(event.deltaY + event.deltaX > 0 ? 1.25 : 0.8, at(this.box, event));
  }

  #press(event) {
    const moves = { ArrowLeft: [-0.15, 0], ArrowRight: [0.15, 0], ArrowUp: [0, 0.15], ArrowDown: [0, -0.15] };
    if (["+", "="].includes(event.key)) this.zoomBy(0.8);
    else if (event.key === "-") this.zoomBy(1.25);
    else if (event.key === "0") this.state.choose({ zoom: "" });
    else if (moves[event.key] && this.across) {
      const [right, up] = moves[event.key];
      const moved = ({ low, high }, share) => [low + share * (high - low), high + share * (high - low)];
      this.#show(moved(this.across, right), moved(this.up, up));
    } else return;
    event.preventDefault();
  }

  #hover(event) {
    if (!this.across || event.buttons) return;
    const trial = this.nearest(at(this.box, event));
    this.box.classList.toggle("point", trial !== null);
    if (trial !== null) this.on.hover(trial);
  }

  #click(place) {
    const trial = this.nearest(place);
    if (trial !== null) this.on.pin(trial);
    else this.on.select({ [this.x.name]: null, [this.y.name]: null }, true);
  }

  #brush(first, last, settled) {
    if (this.x.name === this.y.name) return;
    this.on.select({ [this.x.name]: this.across.range(first.x, last.x), [this.y.name]: this.up.range(first.y, last.y) }, settled);
  }
}

/* Draws nothing outside the sides of the plot from here on. */
function clip(context, { left, right, top, bottom }) {
  context.beginPath();
  context.rect(left - 4, top - 4, right - left + 8, bottom - top + 8);
  context.clip();
}

/* One side: values to places and back, over all values or the part that is zoomed into. */
function axis(groups, name, [from, to], log, zoom) {
  const values = groups.flatMap((points) => points.metrics[name]).filter((value) => value !== null && (!log || value > 0));
  const [lowest, highest] = extent(values);
  const along = log ? (value) => Math.log10(value || 1) : (value) => value;
  const back = log ? (at) => 10 ** at : (at) => at;
  const span = along(highest) - along(lowest);
  const margin = (span || Math.abs(along(highest)) || 1) * 0.04;
  const [low, high] = zoom ?? [along(lowest) - margin, along(highest) + margin];
  const value = (place) => back(low + ((place - from) / (to - from)) * (high - low));
  return {
    low, high,
    of: (one) => from + ((along(one) - low) / (high - low)) * (to - from),
    share: (place) => (place - from) / (to - from),
    shows: (one) => one !== null && (!log || one > 0),
    ticks: (count) => (log ? decades(low, high, count) : niceTicks(low, high, count)),
    range: (first, last) => {
      const [least, most] = [value(first), value(last)].sort((a, b) => a - b);
      const wide = most - least || 1;
      return { low: least <= lowest ? null : rounded(least, wide), high: most >= highest ? null : rounded(most, wide) };
    },
  };
}

function decades(low, high, count) {
  if (high - low < 1) return niceTicks(10 ** low, 10 ** high, count).filter((tick) => tick > 0);
  const every = Math.ceil((high - low) / Math.max(count, 1));
  const found = [];
  for (let at = Math.ceil(low); at <= high; at += every) found.push(10 ** at);
  return found;
}

/* Small dots are squares, which are drawn many times faster. */
function dot(context, x, y, radius) {
  if (radius < 3) {
    context.fillRect(x - radius, y - radius, 2 * radius, 2 * radius);
    return;
  }
  context.beginPath();
  context.arc(x, y, radius, 0, 6.3);
  context.fill();
}

/* A value below zero is a dash, known without its colour. */
function dash(context, x, y, radius) {
  context.fillRect(x - radius * 1.5, y - radius * 0.45, radius * 3, radius * 0.9);
}

function line(context, x0, y0, x1, y1, colour) {
  context.strokeStyle = colour;
  context.beginPath();
  context.moveTo(x0, y0);
  context.lineTo(x1, y1);
  context.stroke();
}
