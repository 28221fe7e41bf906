/* The cells of a matrix on canvas: colours, patterns, values, and the marks on them. */
import { font, textSize, write } from "./canvas.js";
import { CELL_STATES, patternOf } from "./cell-patterns.js";
import { drawPicture } from "./cell-picture.js";
import { short } from "../format.js";
import { drawOutline, strokedTwice } from "./outlines.js";

const MOST_SINGLE_CELLS = 6000;
const GAP_FROM = 7;
const DASH_FROM = 9;
const FEWEST_ON_A_SIDE = 3; // of two values, every one is the last

export function drawMatrix(context, box, matrix, scale, kind, colours) {
  const tiny = Math.min(box.width / matrix.columns, box.height / matrix.rows) < DASH_FROM;
  const hatched = tiny && matrix.mixed && !matrix.lossOutline;
  if (matrix.rows * matrix.columns > MOST_SINGLE_CELLS) drawPicture(context, box, matrix, scale, colours, hatched);
  else drawSingly(context, box, matrix, scale, colours, hatched);
  drawRefused(context, box, matrix, kind, colours);
  if (!drawTexts(context, box, matrix, scale, kind) && !tiny) drawSigns(context, box, matrix, scale);
  if (tiny && matrix.mixed && !hatched) drawOutline(context, box, matrix, matrix.lossOutline, colours, { weight: 1 });
  context.strokeStyle = colours.muted;
  context.lineWidth = 1;
  context.strokeRect(box.x - 0.5, box.y - 0.5, box.width + 1, box.height + 1);
  if (matrix.plateauOutline) drawOutline(context, box, matrix, matrix.plateauOutline, colours, { dash: [5, 3] });
  drawMark(context, box, matrix, matrix.document.plateau, colours, [3, 2]);
  drawMark(context, box, matrix, matrix.document.best, colours, []);
}

function drawSingly(context, box, matrix, scale, colours, hatched) {
  drawStates(context, box, matrix, colours);
  drawCells(context, box, matrix, scale);
  if (matrix.lucky) fillWhere(context, box, matrix, (index) => matrix.lucky[index], patternOf(context, "luck", colours));
  if (hatched) fillWhere(context, box, matrix, (index) => matrix.losses[index], patternOf(context, "loss", colours));
}

function drawStates(context, box, matrix, colours) {
  const present = new Set(matrix.states);
  for (const state of CELL_STATES) {
    if (present.has(state)) fillWhere(context, box, matrix, (index) => matrix.states[index] === state, patternOf(context, state, colours));
  }
}

/* Neighbours in a row are one rectangle. */
function fillWhere(context, box, matrix, wanted, style) {
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
  context.fill();
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
  const { width, height } = matrix.place(box, 0, 0);
  if (height < size * 1.3) return;
  font(context, { size });
  matrix.document.cells.forEach((cell, index) => {
    if (cell === null || matrix.states[index] !== "ineligible") return;
    const text = short(Number(cell), kind);
    if (context.measureText(text).width > width - 12) return;
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

/* Without its colour a value below zero is known by a dash; where cells are tiny, by a line around all of them, or by
   hatching where that would be too long. */
function drawSigns(context, box, matrix, scale) {
  matrix.losses.forEach((loss, index) => {
    if (!loss) return;
    const place = matrix.place(box, Math.floor(index / matrix.columns), index % matrix.columns);
    context.fillStyle = scale.ink(matrix.values[index]);
    context.fillRect(place.x + place.width / 2 - 3, place.y + place.height / 2 - 1, 6, 2);
  });
}

/* A frame around one cell; small ones get one that can be seen. */
export function drawMark(context, box, matrix, place, colours, dash) {
  if (!place) return;
  const cell = matrix.place(box, place[0], place[1]);
  const least = Math.max(0, 9 - Math.min(cell.width, cell.height)) / 2;
  strokedTwice(context, colours, dash, 2, () => context.strokeRect(cell.x - least + 1, cell.y - least + 1, cell.width + 2 * least - 2, cell.height + 2 * least - 2));
  for (const side of borders(matrix, place)) drawBorder(context, box, cell, side, colours);
}

/* Sides of the matrix that a cell lies at and values rise towards: of three steps or more, the one before is not as good.
   Only numbers go on beyond their last one; steps without a value are no part of them. */
export function borders(matrix, place) {
  return [...ends(matrix, "x", place, 1, ["left", "right"]), ...ends(matrix, "y", place, 0, ["bottom", "top"])];
}

function ends(matrix, side, place, at, [low, high]) {
  const first = matrix.firstValue(side);
  const last = matrix.document[side].values.length - 1;
  if (!matrix.ordered[side] || last - first + 1 < FEWEST_ON_A_SIDE) return [];
  const rises = (step) => !matrix.asGood(place.map((where, index) => (index === at ? where + step : where)), place);
  if (place[at] === first && rises(1)) return [low];
  return place[at] === last && rises(-1) ? [high] : [];
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
