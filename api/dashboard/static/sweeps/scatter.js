import { at, fitted, font, niceTicks, onDrag, onFrame, redrawOnResize, textSize, write } from "./canvas.js";
import { short } from "../format.js";
import { rounded } from "./parallel.js";
import { colours } from "../plotly-loader.js";
import { extent } from "./scale.js";

const NEAR = 9;

/* Two metrics against each other, with the trials that none beats in both joined by a line. `on` is told of
   `hover(trial, place)`, `leave()`, `open(trial)` and `select(ranges, settled)`. */
export class Scatter {
  constructor(box, state, on) {
    this.box = box;
    this.state = state;
    this.on = on;
    this.draw = onFrame(() => this.#draw());
    redrawOnResize(box, () => this.#draw());
    document.addEventListener("themechange", this.draw);
    box.addEventListener("pointermove", (event) => this.#hover(event));
    box.addEventListener("pointerleave", () => on.leave());
    onDrag(box, {
      start: () => this.points && {},
      move: (_, place, first) => this.#brush(first, place, false),
      end: (_, place, first, moved) => (moved ? this.#brush(first, place, true) : this.#click(place)),
    });
  }

  /* `x` and `y` are { name, label, kind }; `context` are points of all trials, of `points` those `kept` stand out. */
  show({ context, points, kept, front, x, y, metric, scale }) {
    Object.assign(this, { context, points, kept, front, x, y, metric, scale });
    this.draw();
  }

  #draw() {
    if (!this.points) return;
    const size = textSize();
    const { context, width, height } = fitted(this.box);
    const c = colours();
    const inner = { left: size * 4.6, top: size, right: width - size * 2.2, bottom: height - size * 3.3 };
    this.across = axis([this.context, this.points, this.front], this.x.name, inner.left, inner.right);
    this.up = axis([this.context, this.points, this.front], this.y.name, inner.bottom, inner.top);
    this.#drawGrid(context, inner, c);
    context.save();
    context.beginPath();
    context.rect(inner.left - 4, inner.top - 4, inner.right - inner.left + 8, inner.bottom - inner.top + 8);
    context.clip();
    this.#drawDots(context, this.context, null, c);
    this.#drawDots(context, this.points, this.kept, c);
    this.#drawFront(context, c);
    this.#drawBrush(context, inner, c);
    context.restore();
  }

  #drawGrid(context, inner, c) {
    const size = textSize();
    font(context, { size });
    context.lineWidth = 1;
    for (const tick of niceTicks(this.across.low, this.across.high, (inner.right - inner.left) / 90)) {
      const x = this.across.of(tick);
      line(context, x, inner.top, x, inner.bottom, tick === 0 ? c.muted : c.soft);
      write(context, short(tick, this.x.kind), x, inner.bottom + size, { align: "center", colour: c.muted });
    }
    for (const tick of niceTicks(this.up.low, this.up.high, (inner.bottom - inner.top) / 55)) {
      const y = this.up.of(tick);
      line(context, inner.left, y, inner.right, y, tick === 0 ? c.muted : c.soft);
      write(context, short(tick, this.y.kind), inner.left - 6, y, { align: "right", colour: c.muted });
    }
    write(context, this.x.label, (inner.left + inner.right) / 2, inner.bottom + size * 2.6, { align: "center", colour: c.ink });
    context.save();
    context.translate(size * 0.7, (inner.top + inner.bottom) / 2);
    context.rotate(-Math.PI / 2);
    write(context, this.y.label, 0, 0, { align: "center", colour: c.ink });
    context.restore();
  }

  #drawDots(context, points, kept, c) {
    const xs = points.metrics[this.x.name];
    const ys = points.metrics[this.y.name];
    const values = points.metrics[this.metric];
    const radius = xs.length > 1500 ? 2.2 : 3.2;
    context.globalAlpha = kept ? 0.8 : 0.55;
    for (let index = 0; index < xs.length; index++) {
      if (xs[index] === null || ys[index] === null || (kept && !kept[index])) continue;
      context.fillStyle = kept && values[index] !== null ? this.scale.colour(values[index]) : c.line;
      dot(context, this.across.of(xs[index]), this.up.of(ys[index]), kept ? radius : 1.8);
    }
    context.globalAlpha = 1;
  }

  #drawFront(context, c) {
    const xs = this.front.metrics[this.x.name];
    const ys = this.front.metrics[this.y.name];
    context.strokeStyle = c.second;
    context.lineWidth = 1.6;
    context.beginPath();
    xs.forEach((x, index) => context[index ? "lineTo" : "moveTo"](this.across.of(x), this.up.of(ys[index])));
    context.stroke();
    xs.forEach((x, index) => {
      context.beginPath();
      context.arc(this.across.of(x), this.up.of(ys[index]), 4.5, 0, 6.3);
      context.stroke();
    });
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

  #nearest({ x, y }) {
    let found = null;
    let least = NEAR ** 2;
    for (const [points, kept] of [[this.front, null], [this.points, this.kept]]) {
      const xs = points.metrics[this.x.name];
      const ys = points.metrics[this.y.name];
      for (let index = 0; index < xs.length; index++) {
        if (xs[index] === null || ys[index] === null || (kept && !kept[index])) continue;
        const distance = (this.across.of(xs[index]) - x) ** 2 + (this.up.of(ys[index]) - y) ** 2;
        if (distance < least) [least, found] = [distance, points.trials[index]];
      }
    }
    return found;
  }

  #hover(event) {
    if (!this.across || event.buttons) return;
    const trial = this.#nearest(at(this.box, event));
    this.box.classList.toggle("point", trial !== null);
    if (trial === null) this.on.leave();
    else this.on.hover(trial, { x: event.clientX, y: event.clientY });
  }

  #click(place) {
    const trial = this.#nearest(place);
    if (trial !== null) this.on.open(trial);
    else this.on.select({ [this.x.name]: null, [this.y.name]: null }, true);
  }

  #brush(first, last, settled) {
    if (this.x.name === this.y.name) return;
    this.on.select({ [this.x.name]: this.across.range(first.x, last.x), [this.y.name]: this.up.range(first.y, last.y) }, settled);
  }
}

function axis(groups, name, from, to) {
  const [lowest, highest] = extent(groups.flatMap((points) => points.metrics[name]));
  const margin = (highest - lowest || Math.abs(highest) || 1) * 0.04;
  const low = lowest - margin;
  const high = highest + margin;
  const back = (place) => low + ((place - from) / (to - from)) * (high - low);
  return {
    low, high,
    of: (value) => from + ((value - low) / (high - low)) * (to - from),
    range: (first, last) => {
      const [least, most] = [back(first), back(last)].sort((a, b) => a - b);
      const span = high - low;
      return { low: least <= lowest ? null : rounded(least, span), high: most >= highest ? null : rounded(most, span) };
    },
  };
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

function line(context, x0, y0, x1, y1, colour) {
  context.strokeStyle = colour;
  context.beginPath();
  context.moveTo(x0, y0);
  context.lineTo(x1, y1);
  context.stroke();
}
