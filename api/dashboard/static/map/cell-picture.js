/* Very many cells as one picture of the screen's pixels, painted in one go: colours, patterns, and hatching over colours. */
import { CELL_STATES, tilePixels, tileSize } from "./cell-patterns.js";

const [LUCK, LOSS] = [1, 2];
const FIRST_STATE = LUCK + LOSS + 1;
const PATTERNS = [[], ["luck"], ["loss"], ["luck", "loss"], ...CELL_STATES.map((state) => [state])];

/* `loss` hatches values below zero. Nothing else may have been drawn in the box yet. */
export function drawPicture(context, box, matrix, scale, colours, loss) {
  const ratio = context.getTransform().a;
  const [left, top, right, bottom] = [box.x, box.y, box.x + box.width, box.y + box.height].map((edge) => Math.round(edge * ratio));
  if (right <= left || bottom <= top) return;
  const picture = new ImageData(right - left, bottom - top);
  const kinds = kindsOf(matrix, loss);
  paint(picture, matrix, fillsOf(matrix, scale), kinds, tilesOf(kinds, colours, ratio));
  context.putImageData(picture, left, top);
}

/* The colour of each cell, 0 where it has no value; pixels are read as whole numbers: alpha, blue, green, red. */
function fillsOf({ values }, scale) {
  const table = Uint32Array.from(scale.table, ([red, green, blue]) => (255 << 24) | (blue << 16) | (green << 8) | red);
  const fills = new Uint32Array(values.length);
  for (let cell = 0; cell < fills.length; cell++) if (values[cell] !== null) fills[cell] = table[scale.place(values[cell])];
  return fills;
}

/* The pattern of each cell, 0 for none. */
function kindsOf({ values, states, lucky }, loss) {
  const kinds = new Uint8Array(values.length);
  let [last, kind] = [null, 0]; // neighbours are mostly alike
  for (let cell = 0; cell < kinds.length; cell++) {
    const state = states[cell];
    if (state) {
      if (state !== last) [last, kind] = [state, FIRST_STATE + CELL_STATES.indexOf(state)];
      kinds[cell] = kind;
    } else if (values[cell] !== null) kinds[cell] = (lucky?.[cell] ? LUCK : 0) + (loss && values[cell] < 0 ? LOSS : 0);
  }
  return kinds;
}

/* The patterns that cells have, one after the other by kind: squares of `size` pixels a side. */
function tilesOf(kinds, colours, ratio) {
  const size = tileSize(ratio);
  const pixels = new Uint32Array(PATTERNS.length * size * size);
  PATTERNS.forEach((names, kind) => {
    if (names.length && kinds.includes(kind)) pixels.set(tilePixels(names, colours, size), kind * size * size);
  });
  return { size, pixels };
}

function paint({ data, width, height }, { rows, columns }, fills, kinds, { size, pixels: tiles }) {
  const pixels = new Uint32Array(data.buffer);
  const across = new Uint16Array(width);
  for (let x = 0; x < width; x++) across[x] = Math.floor(((x + 0.5) / width) * columns);
  for (let y = 0, at = 0; y < height; y++) {
    const start = (rows - 1 - Math.floor(((y + 0.5) / height) * rows)) * columns;
    for (let x = 0; x < width; x++, at++) {
      const cell = start + across[x];
      const kind = kinds[cell];
      pixels[at] = kind ? over(tiles[(kind * size + (y % size)) * size + (x % size)], fills[cell]) : fills[cell];
    }
  }
}

function over(upper, lower) {
  const alpha = upper >>> 24;
  if (!lower || alpha === 255) return upper;
  if (!alpha) return lower;
  const mixed = (shift) => Math.round((((upper >>> shift) & 255) * alpha + ((lower >>> shift) & 255) * (255 - alpha)) / 255) << shift;
  return (255 << 24) | mixed(16) | mixed(8) | mixed(0);
}
