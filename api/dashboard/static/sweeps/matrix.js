import { font, textSize, write } from "./canvas.js";
import { short } from "../format.js";

const MOST_SINGLE_CELLS = 6000;
const GAP_FROM = 7;

/* A heatmap of the API, read once: numbers to draw, labels of both sides, and where cells are. Rows go upwards.
   Cells of trials that cannot win are not drawn. */
export class Matrix {
  constructor(document) {
    this.document = document;
    this.columns = document.x.values.length;
    this.rows = document.y.values.length;
    const eligible = document.eligible.flat();
    this.values = document.cells.flat().map((cell, index) => (cell === null || !eligible[index] ? null : Number(cell)));
  }

  value(row, column) {
    return this.values[row * this.columns + column];
  }

  trial(row, column) {
    return this.document.trials[row][column];
  }

  label(side, step) {
    const { values, until } = this.document[side];
    const one = labelOf(values[step]);
    return until && until[step] !== values[step] ? `${one} … ${labelOf(until[step])}` : one;
  }

  /* What stands along a side: merged values are called by the first of them. */
  ticks(side) {
    return this.document[side].values.map(labelOf);
  }

  place(box, row, column) {
    const width = box.width / this.columns;
    const height = box.height / this.rows;
    return { x: box.x + column * width, y: box.y + (this.rows - 1 - row) * height, width, height };
  }

  /* The cell under a point, the nearest one outside. */
  cellAt(box, { x, y }) {
    const column = Math.floor(((x - box.x) / box.width) * this.columns);
    const row = this.rows - 1 - Math.floor(((y - box.y) / box.height) * this.rows);
    return { row: clamp(row, this.rows), column: clamp(column, this.columns) };
  }
}

const clamp = (at, size) => Math.min(Math.max(at, 0), size - 1);

export function labelOf(value) {
  if (value === null) return "n/a";
  return Array.isArray(value) ? value.join(",") : String(value);
}

export function drawMatrix(context, box, matrix, scale, kind, colours) {
  hatch(context, box, colours);
  if (matrix.rows * matrix.columns > MOST_SINGLE_CELLS) drawPicture(context, box, matrix, scale);
  else drawCells(context, box, matrix, scale);
  drawTexts(context, box, matrix, scale, kind);
  drawMark(context, box, matrix, matrix.document.plateau, colours.ink, true);
  drawMark(context, box, matrix, matrix.document.best, colours.ink, false);
}

function hatch(context, { x, y, width, height }, colours) {
  context.save();
  context.beginPath();
  context.rect(x, y, width, height);
  context.clip();
  context.strokeStyle = colours.line;
  context.lineWidth = 1;
  context.beginPath();
  for (let at = x - height; at < x + width; at += 6) {
    context.moveTo(at, y + height);
    context.lineTo(at + height, y);
  }
  context.stroke();
  context.restore();
}

function drawCells(context, box, matrix, scale) {
  for (let row = 0; row < matrix.rows; row++) {
    for (let column = 0; column < matrix.columns; column++) {
      const value = matrix.value(row, column);
      if (value === null) continue;
      const { x, y, width, height } = matrix.place(box, row, column);
      const gap = width >= GAP_FROM && height >= GAP_FROM ? 1 : 0;
      context.fillStyle = scale.colour(value);
      context.fillRect(Math.round(x), Math.round(y), Math.round(x + width) - Math.round(x) - gap, Math.round(y + height) - Math.round(y) - gap);
    }
  }
}

/* Very many cells are one picture of a pixel each, enlarged without smoothing. */
function drawPicture(context, box, matrix, scale) {
  const picture = new ImageData(matrix.columns, matrix.rows);
  const pixels = new Uint32Array(picture.data.buffer);
  const table = scale.table.map(([red, green, blue]) => (255 << 24) | (blue << 16) | (green << 8) | red);
  for (let row = 0; row < matrix.rows; row++) {
    const start = (matrix.rows - 1 - row) * matrix.columns;
    for (let column = 0; column < matrix.columns; column++) {
      const value = matrix.value(row, column);
      if (value !== null) pixels[start + column] = table[scale.place(value)];
    }
  }
  const sheet = new OffscreenCanvas(matrix.columns, matrix.rows);
  sheet.getContext("2d").putImageData(picture, 0, 0);
  context.imageSmoothingEnabled = false;
  context.drawImage(sheet, box.x, box.y, box.width, box.height);
}

/* Values are written where the widest of them fits into a cell. */
function drawTexts(context, box, matrix, scale, kind) {
  const size = textSize() * 0.92;
  const { width, height } = matrix.place(box, 0, 0);
  if (height < size * 1.3 || width < size * 2) return;
  font(context, { size });
  const texts = matrix.values.map((value) => short(value, kind));
  const widest = texts.reduce((most, text) => (text.length > most.length ? text : most), "");
  if (context.measureText(widest).width > width - 6) return;
  matrix.values.forEach((value, index) => {
    if (value === null) return;
    const place = matrix.place(box, Math.floor(index / matrix.columns), index % matrix.columns);
    write(context, texts[index], place.x + width / 2, place.y + height / 2, { align: "center", colour: scale.ink(value) });
  });
}

/* The best cell has a full frame, the plateau a dashed one; a lighter line around keeps both visible on any colour. */
export function drawMark(context, box, matrix, place, ink, dashed) {
  if (!place) return;
  const cell = matrix.place(box, place[0], place[1]);
  const least = Math.max(0, 9 - Math.min(cell.width, cell.height)) / 2;
  const frame = [cell.x - least, cell.y - least, cell.width + 2 * least, cell.height + 2 * least];
  context.save();
  context.setLineDash([]);
  context.lineWidth = 4;
  context.strokeStyle = getComputedStyle(document.documentElement).getPropertyValue("--card");
  context.strokeRect(...frame);
  context.lineWidth = 2;
  context.strokeStyle = ink;
  context.setLineDash(dashed ? [4, 3] : []);
  context.strokeRect(...frame);
  context.restore();
}
