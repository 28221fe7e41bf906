/* A matrix as the server sends it, list by list: numbers to draw, labels of both sides, where cells are. Rows go upwards. */
import { outlineOf } from "./outlines.js";

const LUCKY_ABOVE = 0.05;
const STEPS = [[0, 1], [0, -1], [1, 0], [-1, 0]];

export class Matrix {
  /* `ordered` says of x and of y whether their values are numbers. */
  constructor(document, smallIsGood, ordered) {
    this.document = document;
    this.ordered = ordered;
    this.columns = document.x.values.length;
    this.rows = document.y.values.length;
    this.sign = smallIsGood ? -1 : 1;
    this.states = Array.from(document.states.cells, (digit) => document.states.names[digit - 1] ?? null);
    this.trials = summedUp(document.trials);
    this.values = document.cells.map((cell, index) => (cell === null || this.states[index] ? null : Number(cell)));
    this.lucky = null;
    this.found = new Map();
  }

  /* Chances of luck by cell, for eligible trials. */
  addLuck(chances) {
    this.lucky = chances.map((chance, index) => this.values[index] !== null && chance !== null && chance > LUCKY_ABOVE);
  }

  /* The line around the plateau and the cells joined to it, null if none; found when it is drawn, like all below. */
  get plateauOutline() {
    return this.#once("plateau", () => {
      const region = this.#region();
      return region && outlineOf(region, this.rows, this.columns);
    });
  }

  /* The line around values below zero, null if it would be too long to be read. */
  get lossOutline() {
    return this.#once("loss", () => outlineOf(this.losses, this.rows, this.columns));
  }

  /* 1 for each value below zero, else 0. */
  get losses() {
    return this.#once("losses", () => {
      const losses = new Uint8Array(this.values.length);
      for (let cell = 0; cell < losses.length; cell++) if (this.values[cell] < 0) losses[cell] = 1;
      return losses;
    });
  }

  /* Whether there are values below zero and above it. */
  get mixed() {
    return this.#once("mixed", () => this.values.some((value) => value < 0) && this.values.some((value) => value > 0));
  }

  value(row, column) {
    return this.values[row * this.columns + column];
  }

  trial(row, column) {
    return this.trials[row * this.columns + column];
  }

  /* The value of a cell as it was sent: an amount is exact text, one that cannot win is there too. */
  exact([row, column]) {
    return this.document.cells[row * this.columns + column];
  }

  /* Whether the first of two cells has a value that is as good as the second's, or better. */
  asGood(one, other) {
    const [value, than] = [this.value(...one), this.value(...other)];
    return value !== null && than !== null && this.sign * value >= this.sign * than;
  }

  /* Finished trials behind a cell. */
  count(row, column) {
    return this.document.counts?.[row * this.columns + column] ?? Number(this.trial(row, column) !== null);
  }

  /* The cell that shows a trial, null if none does. */
  cellOf(trial) {
    const at = this.trials.indexOf(trial);
    return at < 0 ? null : { row: Math.floor(at / this.columns), column: at % this.columns };
  }

  label(side, step) {
    const { values, until } = this.document[side];
    const one = labelOf(values[step]);
    return until && until[step] !== values[step] ? `${one} … ${labelOf(until[step])}` : one;
  }

  /* The first step of a side that has a value: those that the axis does not apply to come before. */
  firstValue(side) {
    return this.document[side].values.findIndex((value) => value !== null);
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

  /* Known values of the cells around one. */
  neighbours(row, column) {
    const found = [];
    for (let y = Math.max(row - 1, 0); y <= Math.min(row + 1, this.rows - 1); y++) {
      for (let x = Math.max(column - 1, 0); x <= Math.min(column + 1, this.columns - 1); x++) {
        if ((y !== row || x !== column) && this.value(y, x) !== null) found.push(this.value(y, x));
      }
    }
    return found;
  }

  /* Number of cells by state, and of those that luck explains. */
  counts() {
    const counts = {};
    for (const state of this.states) if (state) counts[state] = (counts[state] ?? 0) + 1;
    const lucky = this.lucky?.reduce((sum, one) => sum + Number(one), 0);
    return lucky ? { ...counts, luck: lucky } : counts;
  }

  /* The cells joined to the plateau's that are no worse than the worst right beside it: what is outlined. */
  #region() {
    const { plateau } = this.document;
    if (!plateau || this.value(...plateau) === null) return null;
    const beside = STEPS.map(([up, right]) => this.#known(plateau[0] + up, plateau[1] + right)).filter((value) => value !== null);
    const level = Math.min(...[this.value(...plateau), ...beside].map((value) => value * this.sign));
    const inside = new Uint8Array(this.values.length);
    const open = [plateau];
    inside[plateau[0] * this.columns + plateau[1]] = 1;
    while (open.length) {
      const [row, column] = open.pop();
      for (const [up, right] of STEPS) {
        const [y, x] = [row + up, column + right];
        const value = this.#known(y, x);
        if (value === null || value * this.sign < level || inside[y * this.columns + x]) continue;
        inside[y * this.columns + x] = 1;
        open.push([y, x]);
      }
    }
    return inside;
  }

  #once(name, found) {
    if (!this.found.has(name)) this.found.set(name, found());
    return this.found.get(name);
  }

  #known(row, column) {
    if (row < 0 || column < 0 || row >= this.rows || column >= this.columns) return null;
    return this.value(row, column);
  }
}

const clamp = (at, size) => Math.min(Math.max(at, 0), size - 1);

export function labelOf(value) {
  if (value === null) return "n/a";
  if (Array.isArray(value)) return value.map(labelOf).join(value.some((one) => one instanceof Object) ? "; " : ",");
  if (!(value instanceof Object)) return String(value);
  return Object.entries(value).filter(([, item]) => item !== null).map(([name, item]) => `${name} ${labelOf(item)}`).join(", ");
}

/* Numbers of trials from the steps between them; null where a cell has none. */
function summedUp(steps) {
  let number = 0;
  return steps.map((step) => (step === null ? null : (number += step)));
}
