/* Charts with one horizontal axis and panels above each other, drawn as SVG.

   A chart is { x, panels, shades, uprights }: `x` has a type ("time" in ms, "number", or "category" with names) and a
   domain; a panel has a share of the height, a title, the text of its ticks, maybe a second axis on its right, and items:
   lines, bars, bands, rules, marks, boxes. An item's `look` names its colour in charts.css, `of` the item that it is hidden
   with; `texts` are what a reader is told at each of its places. */
import { element } from "./svg.js";
import { drawItem, extentOf } from "./items.js";
import { read } from "./reading.js";
import { niceTicks, timeTicks } from "./ticks.js";

const PRINTED_PX = 690;
const charts = new WeakMap();

export function drawChart(box, chart) {
  const known = charts.get(box);
  const state = known ?? { hidden: new Set(), printing: false };
  state.chart = chart;
  if (!known) begin(box, state);
  showWaiting(box, "");
  writeLegend(box, state);
  draw(box, state);
}

export function showWaiting(box, text) {
  const waiting = box.querySelector(".waiting");
  if (!waiting) return;
  waiting.hidden = !text;
  if (text) waiting.textContent = text;
}

function begin(box, state) {
  charts.set(box, state);
  const legend = Object.assign(document.createElement("div"), { className: "chart-legend" });
  const reading = Object.assign(document.createElement("output"), { className: "chart-reading" });
  reading.setAttribute("aria-live", "off");
  state.svg = element("svg", { class: "drawing", "aria-hidden": "true" });
  box.append(legend, reading, state.svg);
  box.tabIndex = 0;
  legend.addEventListener("click", ({ target }) => {
    const button = target.closest("button");
    if (!button) return;
    const name = button.dataset.name;
    if (!state.hidden.delete(name)) state.hidden.add(name);
    button.setAttribute("aria-pressed", String(!state.hidden.has(name)));
    draw(box, state);
  });
  read(box, reading, state);
  const sizeOf = () => `${box.clientWidth} ${box.clientHeight}`;
  let size = sizeOf();
  new ResizeObserver(() => {
    if (sizeOf() === size || state.printing) return;
    size = sizeOf();
    requestAnimationFrame(() => draw(box, state));
  }).observe(box);
  addEventListener("beforeprint", () => redrawn(box, state, true));
  addEventListener("afterprint", () => redrawn(box, state, false));
}

function redrawn(box, state, printing) {
  state.printing = printing;
  draw(box, state);
}

const named = (chart) => chart.panels.flatMap((panel) => panel.items.filter((item) => item.name));

function writeLegend(box, { chart, hidden }) {
  const legend = box.querySelector(".chart-legend");
  const names = new Map(named(chart).map((item) => [item.name, item]));
  legend.hidden = names.size < 2;
  legend.replaceChildren(...[...names].map(([name, item]) => {
    const button = Object.assign(document.createElement("button"), { type: "button", className: "quiet" });
    button.dataset.name = name;
    button.setAttribute("aria-pressed", String(!hidden.has(name)));
    const key = element("svg", { class: "key", viewBox: "0 0 22 10", "aria-hidden": "true" });
    key.append(...drawItem({ ...item, key: true }));
    button.append(key, name);
    return button;
  }));
}

function draw(box, state) {
  const { chart, svg, hidden } = state;
  const width = state.printing ? PRINTED_PX : box.clientWidth;
  const height = Math.max(box.clientHeight - svg.getBoundingClientRect().top + box.getBoundingClientRect().top, 120);
  const text = parseFloat(getComputedStyle(box).fontSize) * 0.86;
  const panels = chart.panels.map((panel) => ({ ...panel, items: panel.items.filter((item) => !hidden.has(item.of ?? item.name)) }));
  const frames = framesOf(panels, { width, height, text });
  const [left, right] = [frames[0].left, frames[0].right];
  const domain = chart.x.domain;
  const span = domain[1] - domain[0] || 1;
  const x = (value) => left + ((value - domain[0]) / span) * (right - left);
  state.place = { x, left, right, top: frames[0].top, bottom: frames.at(-1).bottom, valueOf: (at) => domain[0] + ((at - left) / (right - left)) * span };
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  svg.setAttribute("height", height);
  const clip = `${box.id}-plot`;
  const shape = element("clipPath", { id: clip }, [element("rect", { x: left, y: 0, width: Math.max(right - left, 1), height })]);
  const plots = element("g", { "clip-path": `url(#${clip})` });
  const places = element("g", { class: "places" });
  for (const frame of frames) plots.append(...shadesOf(chart, frame, x));
  for (const frame of frames) drawPanel(frame, { plots, places, x, text });
  drawUprights(chart, frames, { plots, places, x, text });
  drawAcross(chart.x, frames.at(-1), { places, x, text });
  state.cursor = element("line", { class: "cursor", y1: state.place.top, y2: state.place.bottom, visibility: "hidden" });
  svg.replaceChildren(element("defs", {}, [shape]), places, plots, state.cursor);
  box.dataset.panels = String(frames.length);
}

/* Every panel with its edges and scales; the gutters are as wide as the longest of their texts. */
function framesOf(panels, { width, height, text }) {
  const inner = height - text * 2.4;
  const gap = text * 1.9;
  const shares = panels.reduce((sum, panel) => sum + (panel.share ?? 1), 0);
  let top = text * 1.5;
  const frames = panels.map((panel) => {
    const tall = Math.max((inner - text * 1.5 - gap * (panels.length - 1)) * ((panel.share ?? 1) / shares), 20);
    const frame = { ...panel, top, bottom: top + tall };
    frame.scale = scaleOf(panel.items.filter((item) => !item.onSecond), panel, frame);
    if (panel.second) frame.secondScale = scaleOf(panel.items.filter((item) => item.onSecond), panel.second, frame);
    top += tall + gap;
    return frame;
  });
  const widest = (of) => Math.max(0, ...frames.flatMap(of).map((label) => label.length)) * text * 0.58 + text * 0.8;
  const left = widest((frame) => frame.scale.texts);
  const last = frames.some((frame) => frame.secondScale) ? widest((frame) => frame.secondScale?.texts ?? []) : text;
  return frames.map((frame) => ({ ...frame, left, right: Math.max(width - last, left + 10) }));
}

function scaleOf(items, axis, { top, bottom }) {
  let [low, high] = axis.domain ?? extentOf(items);
  if (axis.zero) [low, high] = [Math.min(low, 0), Math.max(high, 0)];
  if (low === high) [low, high] = axis.flat ?? [low - Math.abs(low || 1) * 0.05, high + Math.abs(high || 1) * 0.05];
  const room = axis.domain ? 0 : (high - low) * 0.04;
  const [from, to] = [axis.zero && low === 0 ? 0 : low - room, axis.zero && high === 0 ? 0 : high + room];
  const ticks = niceTicks(from, to, Math.max(Math.floor((bottom - top) / 45), 2));
  return { y: (value) => bottom - ((value - from) / (to - from)) * (bottom - top), ticks, texts: ticks.map(axis.tick ?? String) };
}

function drawPanel(frame, { plots, places, x, text }) {
  const { left, right, top, scale, secondScale } = frame;
  for (const [index, tick] of scale.ticks.entries()) {
    const y = scale.y(tick);
    places.append(element("line", { class: tick === 0 ? "zero" : "grid", x1: left, x2: right, y1: y, y2: y }));
    places.append(element("text", { class: "tick end", x: left - text * 0.4, y: y + text * 0.35 }, [scale.texts[index]]));
  }
  for (const [index, tick] of (secondScale?.ticks ?? []).entries()) {
    places.append(element("text", { class: "tick", x: right + text * 0.4, y: secondScale.y(tick) + text * 0.35 }, [secondScale.texts[index]]));
  }
  places.append(element("text", { class: "title", x: left, y: top - text * 0.5 }, [frame.title]));
  if (frame.second) places.append(element("text", { class: "title end", x: right, y: top - text * 0.5 }, [frame.second.title]));
  for (const item of frame.items) plots.append(...drawItem(item, { x, y: (item.onSecond ? secondScale : scale).y, left, right, text }));
}

function shadesOf(chart, frame, x) {
  return (chart.shades ?? []).map(({ from, to, look }) => element("rect", {
    class: `shade look-${look}`, x: x(from), width: Math.max(x(to) - x(from), 0.5), y: frame.top, height: frame.bottom - frame.top,
  }));
}

function drawUprights(chart, frames, { plots, places, x, text }) {
  const [top, bottom] = [frames[0].top, frames.at(-1).bottom];
  for (const { at, look, name } of chart.uprights ?? []) {
    plots.append(element("line", { class: `upright look-${look ?? "muted"}`, x1: x(at), x2: x(at), y1: top, y2: bottom }));
    const ahead = x(at) < (frames[0].left + frames[0].right) / 2;
    if (name) places.append(element("text", { class: `tick look-text look-${look ?? "muted"} ${ahead ? "" : "end"}`, x: x(at) + (ahead ? 4 : -4), y: top + text }, [name]));
  }
}

function drawAcross(axis, frame, { places, x, text }) {
  const { left, right, bottom } = frame;
  const most = Math.max(Math.floor((right - left) / (text * 7.5)), 2);
  places.append(element("line", { class: "base", x1: left, x2: right, y1: bottom, y2: bottom }));
  for (const { at, text: label } of ticksAcross(axis, most)) {
    places.append(element("line", { class: "base", x1: x(at), x2: x(at), y1: bottom, y2: bottom + 4 }));
    places.append(element("text", { class: "tick middle", x: x(at), y: bottom + text * 1.35 }, [label]));
  }
  if (axis.title) places.append(element("text", { class: "title end", x: right, y: bottom + text * 2.3 }, [axis.title]));
}

function ticksAcross({ type, domain, names, tick = String }, most) {
  if (type === "time") return timeTicks(domain[0], domain[1], most);
  if (type !== "category") return niceTicks(domain[0], domain[1], most).map((at) => ({ at, text: tick(at) }));
  const step = Math.ceil(names.length / most);
  return names.map((text, at) => ({ at, text })).filter(({ at }) => at % step === 0);
}
