import { at, fitted, font, niceTicks, onDrag, onFrame, redrawOnResize, textSize, write } from "./canvas.js";
import { shortTicks } from "../format.js";
import { drawMark, drawMatrix } from "./matrix-drawing.js";
import { labelOf, Matrix } from "./matrix.js";
import { colours } from "../charts/colours.js";
import { anchoredScale, extent, robustExtent } from "./scale.js";

const LEGEND_WIDTH = 78;
const PANEL_GAP = 18;
const LEAST_PANEL = 235;
const ARROWS = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [1, 0], ArrowDown: [-1, 0] };

/* One matrix, or a small one for each value of a third axis, all on one scale. Reports cells through `on`:
   `hover(cell, spoken)`, `leave()`, `pin(cell)`, `open(cell)`, `select(first, last, panel)`, `release()`. */
export class Heatmap {
  constructor(box, on) {
    this.box = box;
    this.on = on;
    this.panels = [];
    this.cursor = null;
    this.anchor = null;
    this.band = null;
    this.pins = [];
    this.overlay = onFrame(() => this.#drawOverlay());
    redrawOnResize(box, () => this.draw());
    document.addEventListener("themechange", () => this.draw());
    box.addEventListener("pointermove", (event) => this.#hover(event));
    box.addEventListener("pointerleave", () => on.leave());
    box.addEventListener("keydown", (event) => this.#press(event));
    box.addEventListener("focus", () => this.overlay());
    box.addEventListener("blur", () => this.overlay());
    box.addEventListener("dblclick", (event) => {
      const place = at(this.box, event);
      const panel = this.#panelAt(place);
      if (panel) on.open({ panel, ...panel.matrix.cellAt(panel.box, place) });
    });
    onDrag(box, {
      start: (place) => this.#panelAt(place),
      move: (panel, place, first) => this.#drag(panel, place, first, false),
      end: (panel, place, first, moved) => (moved ? this.#drag(panel, place, first, true) : this.#click(panel, place)),
    });
  }

  /* `documents` are [{ title, heatmap }]; `metric` has label, kind and small_is_good; `names` are of x and y,
     each a list from the longest to the shortest; `ordered` says of x and y whether their values are numbers. */
  show(documents, metric, names, ordered) {
    this.panels = documents.map(({ title, heatmap }) => ({ title, matrix: new Matrix(heatmap, metric.small_is_good, ordered) }));
    this.metric = metric;
    this.names = names;
    if (this.cursor && !this.#valid(this.cursor)) this.cursor = null;
    this.draw();
  }

  /* Trials that are pinned, in order; their cells are numbered. */
  pin(trials) {
    this.pins = trials;
    this.overlay();
  }

  draw() {
    if (!this.panels.length) return;
    const many = this.panels.length > 1;
    const { context: shown, width, height } = fitted(this.box, this.#layout());
    const context = this.#stillLike(shown);
    const c = colours();
    const values = many ? this.panels.flatMap(({ matrix }) => matrix.values) : this.panels[0].matrix.values;
    this.scale = anchoredScale(...robustExtent(values), this.metric.small_is_good);
    const [least, most] = extent(values);
    this.beyond = { below: least < this.scale.low, above: most > this.scale.high };
    for (const panel of this.panels) {
      drawMatrix(context, panel.box, panel.matrix, this.scale, this.metric.kind, c);
      this.#drawSides(context, panel, c, many);
    }
    if (values.some((value) => value !== null)) this.#drawLegend(context, width - LEGEND_WIDTH + 18, height, c);
    this.#drawOverlay();
  }

  /* An empty canvas like the one shown, for all that stays while cursor, band and pins change. */
  #stillLike(shown) {
    this.still ??= document.createElement("canvas");
    const { width, height } = shown.canvas;
    Object.assign(this.still, { width, height });
    const context = this.still.getContext("2d");
    context.setTransform(shown.getTransform());
    return context;
  }

  /* Cursor, band and pins change more often than the cells: those stay as they were drawn. */
  #drawOverlay() {
    if (!this.still?.width) return;
    const canvas = this.box.querySelector("canvas");
    const context = canvas.getContext("2d");
    context.save();
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, canvas.width, canvas.height);
    context.drawImage(this.still, 0, 0);
    context.restore();
    const c = colours();
    this.#drawBand(context, c);
    this.#drawPins(context, c);
    this.#drawCursor(context, c);
  }

  #drawPins(context, c) {
    const size = textSize();
    font(context, { size: size * 0.85, bold: true });
    this.pins.forEach((trial, index) => {
      for (const { matrix, box } of this.panels) {
        const cell = matrix.cellOf(trial);
        if (!cell) continue;
        drawMark(context, box, matrix, [cell.row, cell.column], c, []);
        const { x, y } = matrix.place(box, cell.row, cell.column);
        context.fillStyle = c.accent;
        context.fillRect(x, y, size, size);
        write(context, index + 1, x + size / 2, y + size / 2, { align: "center", colour: c.card });
      }
    });
  }

  #layout() {
    const size = textSize();
    const probe = this.box.querySelector("canvas").getContext("2d");
    font(probe, { size });
    const { matrix } = this.panels[0];
    const widest = Math.max(...matrix.ticks("y").map((label) => probe.measureText(label).width));
    this.labels = Math.min(widest, this.box.clientWidth * 0.2);
    const left = this.labels + size * 2.8;
    const bottom = size * 3.4;
    const room = this.box.clientWidth - LEGEND_WIDTH;
    if (this.panels.length === 1) {
      const most = Math.min(matrix.rows * size * 8, room);
      const least = Math.min(Math.max(matrix.rows * size * 2.5, 300), Math.max(460, room * 0.6), most);
      this.box.style.minHeight = `${Math.ceil(least + bottom + size * 0.6)}px`;
      const tall = Math.min(Math.max(least, this.box.clientHeight - bottom - size * 0.6), most);
      this.panels[0].box = { x: left, y: size * 0.6, width: room - left, height: tall };
      return tall + bottom + size * 0.6;
    }
    const columns = Math.min(this.panels.length, Math.max(2, Math.min(Math.floor(room / LEAST_PANEL), 6)));
    const rows = Math.ceil(this.panels.length / columns);
    const wide = (room - left - PANEL_GAP * (columns - 1)) / columns;
    const tall = Math.min(Math.max(matrix.rows * size * 1.8, 320 / rows, 120), wide * 1.1);
    const whole = tall + bottom + size * 2;
    this.panels.forEach((panel, index) => {
      const y = Math.floor(index / columns) * whole;
      panel.box = { x: left + (index % columns) * (wide + PANEL_GAP), y: y + size * 2, width: wide, height: tall };
      panel.first = index % columns === 0;
    });
    this.box.style.minHeight = `${Math.ceil(rows * whole)}px`;
    return rows * whole;
  }

  #drawSides(context, { title, matrix, box, first = true }, c, many) {
    const size = textSize();
    font(context, { size });
    const across = matrix.ticks("x");
    const widest = Math.max(...across.map((label) => context.measureText(label).width));
    const step = Math.ceil(Math.min(widest + size, 120) / (box.width / matrix.columns));
    across.forEach((label, index) => {
      if (index % step) return;
      const x = box.x + ((index + 0.5) / matrix.columns) * box.width;
      write(context, label, x, box.y + box.height + size, { align: "center", colour: c.muted, most: Math.max((box.width / matrix.columns) * step - 4, 30) });
    });
    write(context, fitting(context, this.names.x, box.width), box.x + box.width / 2, box.y + box.height + size * 2.5, { align: "center", colour: c.ink, most: box.width });
    if (many) {
      font(context, { size, bold: true });
      write(context, title, box.x, box.y - size, { colour: c.ink, most: box.width });
      font(context, { size });
    }
    if (first) this.#drawUp(context, matrix, box, c);
  }

  #drawUp(context, matrix, box, c) {
    const size = textSize();
    const every = Math.ceil((size * 1.5) / (box.height / matrix.rows));
    matrix.ticks("y").forEach((label, index) => {
      if (index % every) return;
      const y = box.y + box.height - ((index + 0.5) / matrix.rows) * box.height;
      write(context, label, box.x - 7, y, { align: "right", colour: c.muted, most: box.x - size * 2 });
    });
    context.save();
    context.translate(box.x - this.labels - 7 - size * 1.1, box.y + box.height / 2);
    context.rotate(-Math.PI / 2);
    write(context, fitting(context, this.names.y, box.height), 0, 0, { align: "center", colour: c.ink, most: box.height });
    context.restore();
  }

  #drawLegend(context, x, height, c) {
    const size = textSize();
    const { y } = this.panels[0].box;
    const tall = Math.min(height - y - size * 3.4, 420);
    const { low, high, table } = this.scale;
    for (let at = 0; at < tall; at++) {
      const [red, green, blue] = table[Math.round((1 - at / tall) * (table.length - 1))];
      context.fillStyle = `rgb(${red} ${green} ${blue})`;
      context.fillRect(x, y + at, 12, 1.5);
    }
    font(context, { size: size * 0.92 });
    for (const tick of shortTicks(niceTicks(low, high, 5), this.metric.kind)) {
      const down = y + tall - ((tick.at - low) / (high - low)) * tall;
      write(context, tick.text, x + 17, down, { colour: c.muted, most: LEGEND_WIDTH - 36 });
    }
    if (this.beyond.above) write(context, "▲", x + 6, y - 4, { align: "center", colour: c.muted });
    if (this.beyond.below) write(context, "▼", x + 6, y + tall + 6, { align: "center", colour: c.muted });
  }

  #drawCursor(context, c) {
    if (!this.cursor || document.activeElement !== this.box) return;
    const { panel, row, column } = this.cursor;
    const { x, y, width, height } = panel.matrix.place(panel.box, row, column);
    context.strokeStyle = c.accent;
    context.lineWidth = 3;
    context.strokeRect(x - 1.5, y - 1.5, width + 3, height + 3);
  }

  #valid({ panel, row, column }) {
    const index = this.panels.findIndex(({ title }) => title === panel.title);
    if (index < 0 || row >= this.panels[index].matrix.rows || column >= this.panels[index].matrix.columns) return false;
    this.cursor.panel = this.panels[index];
    return true;
  }

  #panelAt({ x, y }) {
    return this.panels.find(({ box }) => box && x >= box.x && x <= box.x + box.width && y >= box.y && y <= box.y + box.height);
  }

  #hover(event) {
    if (event.buttons) return;
    const place = at(this.box, event);
    const panel = this.#panelAt(place);
    if (!panel) return this.on.leave();
    this.on.hover({ panel, ...panel.matrix.cellAt(panel.box, place) });
  }

  #drag(panel, place, first, settled) {
    const [from, to] = [first, place].map((point) => panel.matrix.cellAt(panel.box, point));
    this.band = settled ? null : { panel, from, to };
    if (settled) this.on.select(from, to, panel);
    else this.overlay();
  }

  #drawBand(context, c) {
    if (!this.band) return;
    const { panel, from, to } = this.band;
    const [first, last] = [from, to].map(({ row, column }) => panel.matrix.place(panel.box, row, column));
    const [left, top] = [Math.min(first.x, last.x), Math.min(first.y, last.y)];
    const size = [Math.abs(first.x - last.x) + first.width, Math.abs(first.y - last.y) + first.height];
    context.fillStyle = c.accent;
    context.globalAlpha = 0.2;
    context.fillRect(left, top, ...size);
    context.globalAlpha = 1;
    context.strokeStyle = c.ink;
    context.lineWidth = 2;
    context.strokeRect(left, top, ...size);
  }

  #click(panel, place) {
    this.on.pin({ panel, ...panel.matrix.cellAt(panel.box, place) });
  }

  #press(event) {
    const step = ARROWS[event.key];
    if (step) {
      event.preventDefault();
      this.#move(step, event.shiftKey);
    } else if (event.key === "Enter" && this.cursor) this.on.open(this.cursor);
    else if (event.key === " " && this.cursor) {
      event.preventDefault();
      this.on.pin(this.cursor);
    } else if (event.key === "Escape") {
      this.anchor = null;
      this.on.leave();
      this.on.release();
    }
  }

  #move([up, right], selecting) {
    if (!this.panels.length) return;
    const before = this.cursor ?? this.#start();
    const { matrix } = before.panel;
    const row = Math.min(Math.max(before.row + (this.cursor ? up : 0), 0), matrix.rows - 1);
    const column = Math.min(Math.max(before.column + (this.cursor ? right : 0), 0), matrix.columns - 1);
    this.anchor = selecting ? (this.anchor ?? { row: before.row, column: before.column }) : null;
    this.cursor = { panel: before.panel, row, column };
    this.overlay();
    this.on.hover(this.cursor, true);
    if (this.anchor) this.on.select(this.anchor, this.cursor, before.panel);
  }

  /* The keyboard begins at the best cell. */
  #start() {
    const panel = this.panels.find(({ matrix }) => matrix.document.best) ?? this.panels[0];
    const [row, column] = panel.matrix.document.best ?? [0, 0];
    return { panel, row, column };
  }
}

const fitting = (context, texts, most) => texts.find((text) => context.measureText(text).width <= most) ?? texts.at(-1);

export const panelTitle = (name, value) => `${name} ${labelOf(value)}`;
