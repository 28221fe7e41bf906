/* What a panel may hold, and how each is drawn: { kind, name, look, ... } in the values of the axes. */
import { bandPath, barsPath, element, linePath, marksPath } from "./svg.js";

const KEY = { x: (value) => value, y: (value) => value, left: 0, right: 22, text: 10 };
const KINDS = { line, bars, band, rule, marks, boxes };

export function drawItem(item, place = KEY) {
  return KINDS[item.kind](item.key ? { ...item, ...keyOf(item) } : item, place);
}

/* The same look in a legend of 22 by 10 pixels. */
function keyOf({ kind }) {
  if (kind === "marks") return { x: [11], y: [5], radius: 4 };
  if (kind === "bars") return { from: [6], to: [16], y: [1], base: 9 };
  if (kind === "band") return { x: [0, 22], low: [9, 9], high: [1, 1] };
  return { x: [0, 22], y: [5, 5], area: false, step: false };
}

function line({ x: xs, y: ys, look, dash, step, area, thin }, { x, y }) {
  const across = Array.from(xs, x);
  const up = Array.from(ys, (value) => (value === null ? null : y(value)));
  const path = element("path", { class: `line look-${look}${dash ? ` ${dash}` : ""}${thin ? " thin" : ""}`, d: linePath(across, up, { step }) });
  if (!area) return [path];
  return [element("path", { class: `area look-${look}`, d: bandPath(across, across.map(() => y(0)), up) }), path];
}

function bars({ from, to, y: ys, look, base = 0 }, { x, y }) {
  return [element("path", { class: `bars look-${look}`, d: barsPath(from.map(x), to.map(x), ys.map(y), y(base)) })];
}

function band({ x: xs, low, high, look, strong }, { x, y }) {
  return [element("path", { class: `band look-${look}${strong ? " strong" : ""}`, d: bandPath(xs.map(x), low.map(y), high.map(y)) })];
}

function rule({ y: at, look, note }, { y, left, right, text }) {
  const drawn = [element("line", { class: `rule look-${look}`, x1: left, x2: right, y1: y(at), y2: y(at) })];
  if (note) drawn.push(element("text", { class: `tick look-text look-${look} end`, x: right - 4, y: y(at) - text * 0.3 }, [note]));
  return drawn;
}

function marks({ x: xs, y: ys, look, shape, radius = 5 }, { x, y }) {
  return [element("path", { class: `marks ${shape} look-${look}`, d: marksPath(shape, xs.map(x), ys.map(y), radius) })];
}

/* Box plots: whiskers from `low` to `high`, a box from `first` to `third`, a bar at `median`. */
function boxes({ from, to, low, first, median, third, high, look }, { x, y }) {
  return from.flatMap((start, index) => {
    const [left, right] = [x(start), x(to[index])];
    const middle = (left + right) / 2;
    return [
      element("line", { class: `whisker look-${look}`, x1: middle, x2: middle, y1: y(low[index]), y2: y(high[index]) }),
      element("rect", { class: `box look-${look}`, x: left, width: right - left, y: y(third[index]), height: Math.max(y(first[index]) - y(third[index]), 1) }),
      element("line", { class: `median look-${look}`, x1: left, x2: right, y1: y(median[index]), y2: y(median[index]) }),
    ];
  });
}

/* The smallest and largest value of items, [0, 1] of none. */
export function extentOf(items) {
  let [low, high] = [Infinity, -Infinity];
  for (const item of items) {
    for (const values of valuesOf(item)) {
      for (const value of values) {
        if (value === null || Number.isNaN(value)) continue;
        if (value < low) low = value;
        if (value > high) high = value;
      }
    }
  }
  return low > high ? [0, 1] : [low, high];
}

function valuesOf({ kind, y, low, high, area, base = 0 }) {
  if (kind === "rule") return [[y]];
  if (kind === "band" || kind === "boxes") return [low, high];
  if (kind === "bars") return [y, [base]];
  return area ? [y, [0]] : [y];
}
