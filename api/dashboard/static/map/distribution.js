import { fitted, font, niceTicks, onDrag, textSize, write } from "./canvas.js";
import { patternOf } from "./cell-patterns.js";
import { Drawing } from "./drawing.js";
import { counted, formatted, shortTicks } from "../format.js";
import { rounded } from "./parallel.js";
import { colours } from "../charts/colours.js";

/* Counts of a metric: all finished trials behind, the selected ones before them. Dragging selects a range. */
export class Distribution extends Drawing {
  constructor(box, text, state, on) {
    super(box, state, on);
    Object.assign(this, { text, cursor: null, anchor: null });
    box.addEventListener("keydown", (event) => this.#press(event));
    box.addEventListener("blur", this.draw);
    onDrag(box, {
      start: () => this.document?.edges.length > 1 && {},
      move: (_, place, first) => on.select({ [this.metric.name]: this.#range(first.x, place.x) }, false),
      end: (_, place, first, moved) => on.select({ [this.metric.name]: moved ? this.#range(first.x, place.x) : null }, true),
    });
  }

  /* `metric` has name, label, kind. */
  show(document, metric, scale) {
    Object.assign(this, { document, metric, scale });
    this.#describe();
    this.draw();
  }

  /* Arrow keys walk the bars, with Shift they select those walked over; Escape lets go. */
  #press(event) {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (event.key === "Escape") this.on.select({ [this.metric.name]: null }, true);
    if (!step || !(this.document?.edges.length > 1)) return;
    event.preventDefault();
    const last = this.document.every.length - 1;
    const before = this.cursor ?? (step > 0 ? -1 : last + 1);
    this.cursor = Math.min(Math.max(before + step, 0), last);
    this.anchor = event.shiftKey ? (this.anchor ?? Math.min(Math.max(before, 0), last)) : null;
    this.draw();
    const { edges, counts, every } = this.document;
    const [low, high] = [edges[this.cursor], edges[this.cursor + 1]].map((edge) => formatted(edge, this.metric.kind));
    this.on.hover(null, [`${this.metric.label} ${low} … ${high}`, `${counted(every[this.cursor], "trial")}, ${formatted(counts[this.cursor], "count")} selected`], true);
    if (this.anchor !== null) this.on.select({ [this.metric.name]: this.#bins(this.anchor, this.cursor) }, true);
  }

  #bins(one, other) {
    const { edges, every } = this.document;
    const [first, last] = [one, other].sort((a, b) => a - b);
    return { low: first ? edges[first] : null, high: last + 1 < every.length ? edges[last + 1] : null };
  }

  #describe() {
    const { quantiles, undefined: without } = this.document;
    const words = [];
    if (quantiles.length) {
      const [low, lower, middle, upper, high] = quantiles.map((value) => formatted(value, this.metric.kind));
      words.push(`Median ${middle}; half of the selected trials lie in ${lower} … ${upper}, nine of ten in ${low} … ${high}.`);
    } else words.push("No selected trial has a value.");
    if (without) words.push(`${counted(without, "selected trial has", "selected trials have")} none.`);
    this.text.textContent = words.join(" ");
  }

  paint() {
    if (!this.document) return;
    const { edges, every, counts, quantiles } = this.document;
    const size = textSize();
    const { context, width, height } = fitted(this.box);
    if (edges.length < 2) return;
    const c = colours();
    this.left = 4;
    this.right = width - 4;
    const bottom = height - size * 1.9;
    const most = Math.max(...every);
    const hatching = patternOf(context, "loss", c);
    const x = (value) => this.left + ((value - edges[0]) / (edges.at(-1) - edges[0])) * (this.right - this.left);
    const tall = (count) => (count ? Math.max((count / most) * (bottom - 8), 1.5) : 0);
    for (let bin = 0; bin < every.length; bin++) {
      const start = x(edges[bin]);
      const wide = Math.max(x(edges[bin + 1]) - start - 1, 1);
      context.fillStyle = c.line;
      context.fillRect(start, bottom - tall(every[bin]), wide, tall(every[bin]));
      context.fillStyle = this.scale.colour((edges[bin] + edges[bin + 1]) / 2);
      context.fillRect(start, bottom - tall(counts[bin]), wide, tall(counts[bin]));
      if (edges[bin + 1] <= 0) {
        context.fillStyle = hatching;
        context.fillRect(start, bottom - tall(counts[bin]), wide, tall(counts[bin]));
      }
    }
    if (edges[0] < 0 && edges.at(-1) > 0) stroke(context, x(0), bottom, c.muted, []);
    if (this.cursor !== null && document.activeElement === this.box) {
      context.strokeStyle = c.ink;
      context.lineWidth = 2;
      context.strokeRect(x(edges[this.cursor]), 2, x(edges[this.cursor + 1]) - x(edges[this.cursor]), bottom - 2);
    }
    if (quantiles.length) stroke(context, x(quantiles[2]), bottom, c.ink, [4, 3]);
    font(context, { size });
    for (const { at, text } of shortTicks(niceTicks(edges[0], edges.at(-1), width / 85), this.metric.kind)) {
      const place = x(at);
      context.fillStyle = c.muted;
      context.fillRect(place, bottom, 1, 4);
      write(context, text, Math.min(Math.max(place, 16), width - 18), bottom + size * 1.1, { align: "center", colour: c.muted });
    }
    this.#drawBrush(context, x, bottom, c);
  }

  #drawBrush(context, x, bottom, c) {
    const range = this.state.ranges.get(this.metric.name);
    if (!range) return;
    const from = range.low === null ? this.left : Math.max(x(range.low), this.left);
    const to = range.high === null ? this.right : Math.min(x(range.high), this.right);
    context.fillStyle = c.accent;
    context.globalAlpha = 0.12;
    context.fillRect(from, 2, to - from, bottom - 2);
    context.globalAlpha = 1;
    context.strokeStyle = c.accent;
    context.strokeRect(from, 2, to - from, bottom - 2);
  }

  #range(from, to) {
    const { edges } = this.document;
    const span = edges.at(-1) - edges[0];
    const value = (place) => edges[0] + ((place - this.left) / (this.right - this.left)) * span;
    const [low, high] = [value(from), value(to)].sort((a, b) => a - b);
    return { low: low <= edges[0] ? null : rounded(low, span), high: high >= edges.at(-1) ? null : rounded(high, span) };
  }
}

function stroke(context, x, bottom, colour, dash) {
  context.strokeStyle = colour;
  context.lineWidth = 1.2;
  context.setLineDash(dash);
  context.beginPath();
  context.moveTo(x, 2);
  context.lineTo(x, bottom);
  context.stroke();
  context.setLineDash([]);
}
