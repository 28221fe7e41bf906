/* Rates of the chosen window below each threshold that is compared with them, with the values it takes. */
import { isObject } from "./json_text.js";
import { bps, rateWords } from "../rates.js";

const WIDTH = 240;
const HEIGHT = 36;
const MOST_VALUES = 500;
const ROUNDING = 1 + 1e-12;
const SVG = "http://www.w3.org/2000/svg";

export class RateHistograms {
  constructor(root, source) {
    Object.assign(this, { root, source, found: null });
  }

  /* `answer` is what the window suggests, null where nothing is known of it. */
  show(answer) {
    this.found = answer?.rates_8h ?? null;
    this.draw();
  }

  draw() {
    for (const row of this.root.querySelectorAll(".param[data-param]")) {
      const gate = this.found?.gates[row.dataset.param];
      const place = row.querySelector(".rates") ?? (gate && row.appendChild(Object.assign(document.createElement("div"), { className: "rates" })));
      if (!place) continue;
      place.hidden = !gate;
      if (gate) this.fill(place, gate, valuesOf(this.source().read(row.dataset.param), row.dataset.effective ?? row.dataset.default));
    }
  }

  fill(place, gate, values) {
    const words = document.createElement("span");
    words.className = "hint";
    words.textContent = sentence(this.found, gate, values);
    place.replaceChildren(picture(this.found, values), words);
  }
}

/* Values that a parameter takes as written; at its default that one. */
function valuesOf(entry, usual) {
  if (!entry) return numbers([usual]);
  if ("value" in entry) return numbers([entry.value]);
  const { axis } = entry;
  if (Array.isArray(axis)) return numbers(axis);
  if (!isObject(axis)) return [];
  if ("values" in axis) return numbers(axis.values);
  const [first, last] = numbers([axis.start, axis.stop]);
  const count = "num" in axis ? Number(axis.num) : Math.floor((last - first) / Number(axis.step) + 1e-9) + 1;
  if (!(count >= 1 && count <= MOST_VALUES) || last === undefined) return [];
  const share = (at) => (count > 1 ? at / (count - 1) : 0);
  if ("num" in axis) return Array.from({ length: count }, (_, at) => (axis.scale === "log" ? first * (last / first) ** share(at) : first + (last - first) * share(at)));
  return Array.from({ length: count }, (_, at) => first + at * Number(axis.step));
}

function numbers(written) {
  return (Array.isArray(written) ? written : []).map(Number).filter(Number.isFinite);
}

function sentence({ highest }, gate, values) {
  if (!values.length) return "";
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const level = rateWords(low, high);
  const idle = gate === "enter" ? values.filter((value) => value > highest * ROUNDING).length : 0;
  if (!idle) return level;
  const top = `the highest rate of this window is ${bps(highest)} bp`;
  return `${level}; ${values.length === 1 ? "never trades" : `${idle} of ${values.length} values never trade${idle === 1 ? "s" : ""}`}: ${top}`;
}

function picture({ start, width, counts }, values) {
  const most = Math.sqrt(Math.max(...counts));
  const right = start + width * counts.length;
  const bar = WIDTH / counts.length;
  const bars = counts.map((count, at) => shape("rect", { x: at * bar, width: Math.max(bar - 0.5, 0.5), y: HEIGHT * (1 - Math.sqrt(count) / most), height: (HEIGHT * Math.sqrt(count)) / most }));
  const marks = values.map((value) => {
    const x = Math.min(Math.max((value - start) / (right - start), 0), 1) * WIDTH;
    return shape("line", { x1: x, x2: x, y1: 0, y2: HEIGHT, class: value > right ? "beyond" : "value" });
  });
  const svg = shape("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, width: WIDTH, height: HEIGHT, role: "img" });
  svg.setAttribute("aria-label", `Rates per 8 h of this window from ${bps(start)} to ${bps(right)} bp, with the values chosen`);
  svg.append(...bars, ...marks);
  return svg;
}

function shape(name, attributes) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}
