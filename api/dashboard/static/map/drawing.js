/* What every canvas of the map shares: drawn once a frame, again on resize and in another theme. */
import { at, onDrag, onFrame, redrawOnResize } from "./canvas.js";

export class Drawing {
  /* A subclass draws in `paint()`, which may come before there is anything to draw. */
  constructor(box, state, on) {
    Object.assign(this, { box, state, on, sheets: new Map() });
    this.draw = onFrame(() => this.paint());
    redrawOnResize(box, () => this.paint());
    document.addEventListener("themechange", this.draw);
  }

  /* Draws what stays the same while `parts` are the same, once: the canvas like `context` is kept under `name`. */
  kept(name, context, parts, paint) {
    const { width, height } = context.canvas;
    const now = [width, height, ...parts];
    const before = this.sheets.get(name);
    if (before?.parts.length !== now.length || now.some((part, index) => part !== before.parts[index])) {
      // No OffscreenCanvas: colours that the system forces are known to elements of the page alone.
      const sheet = Object.assign(document.createElement("canvas"), { width, height });
      const drawing = sheet.getContext("2d");
      drawing.setTransform(context.getTransform());
      paint(drawing);
      this.sheets.set(name, { parts: now, sheet });
    }
    context.save();
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.drawImage(this.sheets.get(name).sheet, 0, 0);
    context.restore();
  }
}

/* A drawing of trials point by point, of which the nearest to the pointer can be opened. A subclass has `nearest(place)`
   (a trial or null), and takes a drag by `grab(place)`, `drag(held, place, first)` and `release(held, place, first, moved)`. */
export class PointDrawing extends Drawing {
  constructor(box, state, on) {
    super(box, state, on);
    box.addEventListener("dblclick", (event) => {
      const trial = this.points ? this.nearest(at(box, event)) : null;
      if (trial !== null) on.open(trial);
    });
    box.addEventListener("keydown", (event) => this.#step(event));
    box.addEventListener("blur", () => this.light(null));
    onDrag(box, {
      start: (place) => (this.points ? this.grab(place) : null),
      move: (held, place, first) => this.drag(held, place, first),
      end: (held, place, first, moved) => this.release(held, place, first, moved),
    });
  }

  /* Marks one trial as the one that is looked at, null for none. */
  light(trial, spoken = false) {
    if (this.lit === trial) return;
    this.lit = trial;
    if (trial !== null) this.on.hover(trial, spoken);
    this.draw();
  }

  /* Page down and up walk the trials that stand out by the metric, from the largest; Space pins one, Enter opens it. */
  #step(event) {
    const step = { PageDown: 1, PageUp: -1 }[event.key];
    const looked = this.lit ?? null;
    if (step && this.points) {
      const { trials, metrics } = this.points;
      const values = metrics[this.metric];
      const order = trials.map((_, place) => place).filter((place) => this.inside[place] && values[place] !== null);
      order.sort((a, b) => values[b] - values[a]);
      const now = order.findIndex((place) => trials[place] === looked);
      const next = order[Math.min(Math.max(now + step, 0), order.length - 1)];
      if (next !== undefined) this.light(trials[next], true);
    } else if (event.key === " " && looked !== null) this.on.pin(looked);
    else if (event.key === "Enter" && looked !== null) this.on.open(looked);
    else return;
    event.preventDefault();
  }

  /* `context` are points of all trials, of `points` those `inside` stand out; column by column as they are sent. */
  show(shown) {
    Object.assign(this, shown);
    this.draw();
  }
}

/* Places of points to draw, evenly thinned out to `most`; `inside` may be null for all. */
export function thinned(count, inside, most) {
  const all = [];
  for (let place = 0; place < count; place++) if (!inside || inside[place]) all.push(place);
  if (all.length <= most) return all;
  return Array.from({ length: most }, (_, index) => all[Math.floor((index * all.length) / most)]);
}
