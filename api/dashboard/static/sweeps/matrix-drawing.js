/* The cells of a matrix on canvas: colours, patterns, values, and the marks on them. */
import { font, textSize, write } from "./canvas.js";
import { CELL_STATES, patternOf } from "./cell-patterns.js";
import { short } from "../format.js";

const MOST_SINGLE_CELLS = 6000;
const GAP_FROM = 7;
const DASH_FROM = 9;
const MOST_STROKES = 1500;

/* While a pointer still moves (`quick`) colours and frames are enough: the rest follows once it rests. */
export function drawMatrix(context, box, matrix, scale, kind, colours, quick = false) {
  if (!quick) drawStates(context, box, matrix, colours);
  if (matrix.rows * matrix.columns > MOST_SINGLE_CELLS) drawPicture(context, box, matrix, scale);
  else drawCells(context, box, matrix, scale);
  if (matrix.lucky && !quick) fillWhere(context, box, matrix, (index) => matrix.lucky[index], patternOf(context, "luck", colours));
  if (!quick) drawRefused(context, box, matrix, kind, colours);
  if (!drawTexts(context, box, matrix, scale, kind) && !quick) drawSigns(context, box, matrix, scale, colours);
  context.strokeStyle = colours.muted;
  context.lineWidth = 1;
  context.strokeRect(box.x - 0.5, box.y - 0.5, box.width + 1, box.height + 1);
  if (!quick && matrix.region) outline(context, box, matrix, (index) => matrix.region[index], colours, [5, 3]);
  drawMark(context, box, matrix, matrix.document.plateau, colours, [3, 2]);
  drawMark(context, box, matrix, matrix.document.best, colours, []);
}

function drawStates(context, box, matrix, colours) {
  const present = new Set(matrix.states);
  for (const state of CELL_STATES) {
    if (present.has(state)) fillWhere(context, box, matrix, (index) => matrix.states[index] === state, patternOf(context, state, colours));
  }
}

/* Neighbours in a row are one rectangle; very many cells are a mask of a pixel each, enlarged. */
function fillWhere(context, box, matrix, wanted, style) {
  if (matrix.rows * matrix.columns > MOST_SINGLE_CELLS) return fillMask(context, box, matrix, wanted, style);
  context.beginPath();
  for (let row = 0; row < matrix.rows; row++) {
    for (let column = 0; column < matrix.columns; column++) {
      if (!wanted(row * matrix.columns + column)) continue;
      const from = column;
      while (column + 1 < matrix.columns && wanted(row * matrix.columns + column + 1)) column++;
      const { x, y, width, height } = matrix.place(box, row, from);
      context.rect(x, y, width * (column - from + 1), height);
    }
  }
  context.fillStyle = style;
  return context.fill();
}

function fillMask(context, box, matrix, wanted, style) {
  const picture = new ImageData(matrix.columns, matrix.rows);
  const pixels = new Uint32Array(picture.data.buffer);
  for (let row = 0; row < matrix.rows; row++) {
    const start = (matrix.rows - 1 - row) * matrix.columns;
    for (let column = 0; column < matrix.columns; column++) if (wanted(row * matrix.columns + column)) pixels[start + column] = 0xff000000;
  }
  const mask = new OffscreenCanvas(matrix.columns, matrix.rows);
  mask.getContext("2d").putImageData(picture, 0, 0);
  const sheet = new OffscreenCanvas(Math.ceil(box.width), Math.ceil(box.height));
  const drawing = sheet.getContext("2d");
  drawing.imageSmoothingEnabled = false;
  drawing.drawImage(mask, 0, 0, sheet.width, sheet.height);
  drawing.globalCompositeOperation = "source-in";
  drawing.fillStyle = style;
  drawing.fillRect(0, 0, sheet.width, sheet.height);
  context.drawImage(sheet, box.x, box.y, box.width, box.height);
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

/* Values are written where the widest of them fits into a cell; says whether it does. */
function drawTexts(context, box, matrix, scale, kind) {
  const size = textSize() * 0.92;
  const { width, height } = matrix.place(box, 0, 0);
  if (height < size * 1.3 || width < size * 2) return false;
  font(context, { size });
  const texts = matrix.values.map((value) => short(value, kind));
  const widest = texts.reduce((most, text) => (text.length > most.length ? text : most), "");
  if (context.measureText(widest).width > width - 6) return false;
  matrix.values.forEach((value, index) => {
    if (value === null) return;
    const place = matrix.place(box, Math.floor(index / matrix.columns), index % matrix.columns);
    if (matrix.lucky?.[index]) behind(context, texts[index], place, scale.colour(value), size);
    write(context, texts[index], place.x + place.width / 2, place.y + place.height / 2, { align: "center", colour: scale.ink(value) });
  });
  return true;
}

/* Values that cannot win are written on their pattern, where they fit; they have no colour. */
function drawRefused(context, box, matrix, kind, colours) {
  const size = textSize() * 0.92;
  const cells = matrix.document.cells.flat();
  const { width, height } = matrix.place(box, 0, 0);
  if (height < size * 1.3) return;
  font(context, { size });
  cells.forEach((cell, index) => {
    if (cell === null || matrix.states[index] !== "ineligible") return;
    const text = short(Number(cell), kind);
    if (context.measureText(text).width > width - 6) return;
    const place = matrix.place(box, Math.floor(index / matrix.columns), index % matrix.columns);
    behind(context, text, place, colours.card, size);
    write(context, text, place.x + place.width / 2, place.y + place.height / 2, { align: "center", colour: colours.muted });
  });
}

function behind(context, text, { x, y, width, height }, colour, size) {
  const wide = context.measureText(text).width + 4;
  context.fillStyle = colour;
  context.fillRect(x + (width - wide) / 2, y + (height - size) / 2 - 1, wide, size + 2);
}

/* Without its colour a value below zero is known by a dash, or by a line around all of them where cells are tiny. */
function drawSigns(context, box, matrix, scale, colours) {
  const negative = (index) => matrix.values[index] !== null && matrix.values[index] < 0;
  const { width, height } = matrix.place(box, 0, 0);
  if (Math.min(width, height) < DASH_FROM) {
    const mixed = matrix.values.some((value) => value < 0) && matrix.values.some((value) => value > 0);
    if (mixed && !outline(context, box, matrix, negative, colours, [], 1)) fillMask(context, box, matrix, negative, patternOf(context, "loss", colours));
    return;
  }
  matrix.values.forEach((value, index) => {
    if (!negative(index)) return;
    const place = matrix.place(box, Math.floor(index / matrix.columns), index % matrix.columns);
    context.fillStyle = scale.ink(value);
    context.fillRect(place.x + place.width / 2 - 3, place.y + place.height / 2 - 1, 6, 2);
  });
}

/* A line around cells, none and false where it would be too long to be read; a lighter one below it keeps it visible on
   any colour. Sides that follow each other are one stroke. */
function outline(context, box, matrix, inside, colours, dash, weight = 2) {
  const { rows, columns } = matrix;
  const at = (row, column) => row >= 0 && column >= 0 && row < rows && column < columns && Boolean(inside(row * columns + column));
  const path = new Path2D();
  const [width, height] = [box.width / columns, box.height / rows];
  let strokes = 0;
  const along = (count, apart, draw) => {
    for (let from = 0; from < count; from++) {
      if (!apart(from)) continue;
      const first = from;
      while (from + 1 < count && apart(from + 1)) from++;
      strokes++;
      draw(first, from + 1);
    }
  };
  for (let row = 0; row <= rows && strokes <= MOST_STROKES; row++) {
    const y = box.y + (rows - row) * height;
    along(columns, (column) => at(row, column) !== at(row - 1, column), (from, to) => segment(path, box.x + from * width, y, box.x + to * width, y));
  }
  for (let column = 0; column <= columns && strokes <= MOST_STROKES; column++) {
    const x = box.x + column * width;
    along(rows, (row) => at(row, column) !== at(row, column - 1), (from, to) => segment(path, x, box.y + (rows - from) * height, x, box.y + (rows - to) * height));
  }
  if (strokes > MOST_STROKES) return false;
  twice(context, colours, dash, weight, () => context.stroke(path));
  return true;
}

function segment(path, x0, y0, x1, y1) {
  path.moveTo(x0, y0);
  path.lineTo(x1, y1);
}

/* A frame around one cell; small ones get one that can be seen. */
export function drawMark(context, box, matrix, place, colours, dash) {
  if (!place) return;
  const cell = matrix.place(box, place[0], place[1]);
  const least = Math.max(0, 9 - Math.min(cell.width, cell.height)) / 2;
  twice(context, colours, dash, 2, () => context.strokeRect(cell.x - least + 1, cell.y - least + 1, cell.width + 2 * least - 2, cell.height + 2 * least - 2));
  for (const side of borders(matrix, place)) drawBorder(context, box, cell, side, colours);
}

/* Sides of the matrix that a cell lies at, of those that have more than one step. */
export function borders(matrix, [row, column]) {
  const sides = [];
  if (matrix.columns > 1 && column === 0) sides.push("left");
  if (matrix.columns > 1 && column === matrix.columns - 1) sides.push("right");
  if (matrix.rows > 1 && row === 0) sides.push("bottom");
  if (matrix.rows > 1 && row === matrix.rows - 1) sides.push("top");
  return sides;
}

/* A bar outside the matrix beside a cell at its border, beyond which nothing was tried. */
function drawBorder(context, box, cell, side, colours) {
  const wide = Math.max(cell.width, 10);
  const tall = Math.max(cell.height, 10);
  context.fillStyle = colours.bad;
  if (side === "left") context.fillRect(box.x - 5, cell.y, 4, tall);
  if (side === "right") context.fillRect(box.x + box.width + 1, cell.y, 4, tall);
  if (side === "bottom") context.fillRect(cell.x, box.y + box.height + 1, wide, 4);
  if (side === "top") context.fillRect(cell.x, box.y - 5, wide, 4);
}

function twice(context, colours, dash, weight, stroke) {
  context.save();
  context.setLineDash([]);
  context.lineWidth = weight + 2;
  context.strokeStyle = colours.card;
  stroke();
  context.lineWidth = weight;
  context.strokeStyle = colours.ink;
  context.setLineDash(dash);
  stroke();
  context.restore();
}
