import { fitted, font, niceTicks, onDrag, textSize, write } from "./canvas.js";
import { Drawing } from "./drawing.js";
import { counted, formatted, short } from "../format.js";
import { rounded } from "./parallel.js";
import { colours } from "../charts/colours.js";

/* Counts of a metric: all finished trials behind, the selected ones before them. Dragging selects a range. */
export class Distribution extends Drawing {
  constructor(box, text, state, on) {
    super(box, state, on);
    this.text = text;
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
    const x = (value) => this.left + ((value - edges[0]) / (edges.at(-1) - edges[0])) * (this.right - this.left);
    const tall = (count) => (count ? Math.max((count / most) * (bottom - 8), 1.5) : 0);
    for (let bin = 0; bin < every.length; bin++) {
      const start = x(edges[bin]);
      const wide = Math.max(x(edges[bin + 1]) - start - 1, 1);
      context.fillStyle = c.line;
      context.fillRect(start, bottom - tall(every[bin]), wide, tall(every[bin]));
      context.fillStyle = this.scale.colour((edges[bin] + edges[bin + 1]) / 2);
      context.fillRect(start, bottom - tall(counts[bin]), wide, tall(counts[bin]));
    }
    if (quantiles.length) stroke(context, x(quantiles[2]), bottom, c.ink, [4, 3]);
    font(context, { size });
    for (const tick of niceTicks(edges[0], edges.at(-1), width / 85)) {
      const place = x(tick);
      context.fillStyle = c.muted;
      context.fillRect(place, bottom, 1, 4);
      write(context, short(tick, this.metric.kind), Math.min(Math.max(place, 16), width - 18), bottom + size * 1.1, { align: "center", colour: c.muted });
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
