/* Elements of a drawing, as SVG: colours come from the style sheet by class, so that a theme or a printer may change them. */
const NAMESPACE = "http://www.w3.org/2000/svg";

export function element(name, attributes = {}, children = []) {
  const made = document.createElementNS(NAMESPACE, name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined) made.setAttribute(key, value);
  }
  made.append(...children);
  return made;
}

const px = (value) => Math.round(value * 10) / 10;

/* A path through points; `step` holds each value until the next. NaN and null leave a gap. */
export function linePath(xs, ys, { step = false } = {}) {
  const parts = [];
  let pen = "M";
  for (let index = 0; index < xs.length; index++) {
    if (ys[index] === null || Number.isNaN(ys[index])) {
      pen = "M";
      continue;
    }
    if (step && pen === "L") parts.push(`H${px(xs[index])}V${px(ys[index])}`);
    else parts.push(`${pen}${px(xs[index])} ${px(ys[index])}`);
    pen = "L";
  }
  return parts.join("");
}

/* The surface between two lines over the same places. */
export function bandPath(xs, lows, highs) {
  if (!xs.length) return "";
  const back = xs.map((x, index) => `L${px(x)} ${px(lows[index])}`).reverse();
  return `${linePath(xs, highs)}${back.join("")}Z`;
}

export function barsPath(lefts, rights, tops, bottom) {
  return lefts.map((left, index) => `M${px(left)} ${px(bottom)}V${px(tops[index])}H${px(Math.max(rights[index], left + 0.5))}V${px(bottom)}Z`).join("");
}

const SHAPES = {
  up: (x, y, r) => `M${px(x)} ${px(y - r)}L${px(x + r)} ${px(y + r * 0.8)}H${px(x - r)}Z`,
  down: (x, y, r) => `M${px(x)} ${px(y + r)}L${px(x + r)} ${px(y - r * 0.8)}H${px(x - r)}Z`,
  cross: (x, y, r) => `M${px(x - r)} ${px(y - r)}L${px(x + r)} ${px(y + r)}M${px(x + r)} ${px(y - r)}L${px(x - r)} ${px(y + r)}`,
};

export const marksPath = (shape, xs, ys, radius) => xs.map((x, index) => SHAPES[shape](x, ys[index], radius)).join("");
