/* Patterns of cells without a value, and their words; each can be told from the others without its colour. */
import { counted } from "../format.js";

const TILE = 8;

const STATES = {
  not_traded: ["never traded", (context, c) => { base(context, c.soft); dash(context, c.muted, 1, 4, 5, 4); }],
  failed: ["failed", (context, c) => { dash(context, c.bad, 1, 1, 6, 6); dash(context, c.bad, 6, 1, 1, 6); }],
  undefined: ["without a value of this metric", (context, c) => { base(context, c.soft); dot(context, c.muted, 2, 2); dot(context, c.muted, 6, 6); }],
  ineligible: ["cannot win: the guard refuses all trials", (context, c) => { base(context, c.soft); dash(context, c.muted, 0, TILE, TILE, 0); }],
  not_run: ["no trial finished", (context, c) => dash(context, c.faint, 4, 1, 4, 3)],
  outside: ["outside the selection", (context, c) => dot(context, c.faint, 4, 4)],
};
const LUCK = ["luck alone shows such a Sharpe ratio in more than one search of twenty", (context, c) => dash(context, c.ink, 0, 0, TILE, TILE, 0.55)];
const LOSS = ["below zero", (context, c) => dash(context, c.ink, 0, 4, TILE, 4, 0.5)];
const OVERLAYS = { luck: LUCK, loss: LOSS };
export const CELL_STATES = Object.keys(STATES);

export const stateWords = (state) => STATES[state][0];

/* A fill of a pattern: the name of a state, or `luck` or `loss`, which are drawn over a colour. */
export function patternOf(context, name, colours) {
  return context.createPattern(tileOf([name], colours, TILE), "repeat");
}

/* The pixels a side of a pattern, for a screen of `ratio` of them to a CSS pixel. */
export const tileSize = (ratio) => Math.round(TILE * ratio);

/* The pixels of patterns upon each other, row by row. */
export function tilePixels(names, colours, size) {
  return new Uint32Array(tileOf(names, colours, size).getContext("2d").getImageData(0, 0, size, size).data.buffer);
}

function tileOf(names, colours, size) {
  const tile = Object.assign(document.createElement("canvas"), { width: size, height: size });
  const context = tile.getContext("2d", { willReadFrequently: true });
  context.scale(size / TILE, size / TILE);
  for (const name of names) (STATES[name] ?? OVERLAYS[name])[1](context, colours);
  return tile;
}

/* Lists the patterns that are on the map, `counts` of cells by name, each with its words. */
export function showLegend(list, counts, colours) {
  list.replaceChildren(...Object.entries(counts).filter(([, count]) => count).map(([name, count]) => item(name, count, colours)));
}

function item(name, count, colours) {
  const line = document.createElement("li");
  line.dataset.state = name;
  const swatch = Object.assign(document.createElement("canvas"), { width: 22, height: 14 });
  swatch.setAttribute("aria-hidden", "true");
  const context = swatch.getContext("2d");
  context.fillStyle = patternOf(context, name, colours);
  context.fillRect(0, 0, 22, 14);
  context.strokeStyle = colours.muted;
  context.strokeRect(0.5, 0.5, 21, 13);
  line.append(swatch, `${counted(count, "cell")}: ${(STATES[name] ?? OVERLAYS[name])[0]}`);
  return line;
}

function base(context, colour) {
  context.fillStyle = colour;
  context.fillRect(0, 0, TILE, TILE);
}

function dash(context, colour, x0, y0, x1, y1, alpha = 1) {
  context.globalAlpha = alpha;
  context.strokeStyle = colour;
  context.lineWidth = 1.2;
  context.beginPath();
  context.moveTo(x0, y0);
  context.lineTo(x1, y1);
  context.stroke();
  context.globalAlpha = 1;
}

function dot(context, colour, x, y) {
  context.fillStyle = colour;
  context.fillRect(x - 0.9, y - 0.9, 1.8, 1.8);
}
