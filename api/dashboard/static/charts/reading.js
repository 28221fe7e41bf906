/* Reading a chart off by pointer or arrow keys, and choosing a span of it by dragging. */
import { utcText } from "./ticks.js";

const DRAG_PX = 8;

export function read(box, reading, state) {
  const svg = state.svg;
  const at = (event) => Math.min(Math.max(event.clientX - svg.getBoundingClientRect().left, state.place.left), state.place.right);
  let pressed = null;
  svg.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || !state.chart.onSpan) return;
    pressed = at(event);
    svg.setPointerCapture(event.pointerId);
  });
  svg.addEventListener("pointermove", (event) => {
    show(box, reading, state, state.place.valueOf(at(event)));
    if (pressed !== null) markSpan(state, pressed, at(event));
  });
  svg.addEventListener("pointerup", (event) => {
    const [from, to] = [pressed, at(event)];
    pressed = null;
    state.chosen?.remove();
    if (from !== null && Math.abs(to - from) > DRAG_PX) {
      state.chart.onSpan([from, to].map(state.place.valueOf).sort((a, b) => a - b).map(Math.round));
    }
  });
  svg.addEventListener("pointerleave", () => { if (pressed === null) clear(reading, state); });
  svg.addEventListener("dblclick", () => state.chart.onSpan?.(null));
  box.addEventListener("keydown", (event) => step(event, box, reading, state));
  box.addEventListener("blur", () => clear(reading, state));
}

function markSpan(state, from, to) {
  state.chosen ??= document.createElementNS("http://www.w3.org/2000/svg", "rect");
  const { top, bottom } = state.place;
  const [x, width] = [Math.min(from, to), Math.abs(to - from)];
  for (const [name, value] of Object.entries({ class: "chosen", x, width, y: top, height: bottom - top })) state.chosen.setAttribute(name, value);
  state.svg.append(state.chosen);
}

/* Left and right step from point to point, Home and End to the edges; Escape shows all again. */
function step(event, box, reading, state) {
  if (event.target !== box) return;
  const places = placesOf(leading(state));
  const moves = { ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity };
  if (event.key === "Escape") state.chart.onSpan?.(null);
  if (!(event.key in moves) || !places.length) return;
  event.preventDefault();
  const now = state.at === undefined ? -1 : lastAtOrBefore(places, state.at);
  const next = Math.min(Math.max(now + moves[event.key] * (event.shiftKey ? 10 : 1), 0), places.length - 1);
  show(box, reading, state, places[next]);
}

const shownItems = (state) => state.chart.panels.flatMap((panel) => panel.items).filter((item) => item.texts && !state.hidden.has(item.of ?? item.name));
const leading = (state) => shownItems(state)[0] ?? {};
const placesOf = (item) => item.x ?? item.from ?? [];

function show(box, reading, state, value) {
  const first = leading(state);
  const places = placesOf(first);
  if (!places.length) return;
  state.at = places[Math.max(lastAtOrBefore(places, value), 0)];
  const told = shownItems(state).flatMap((item) => tellings(item, state.at));
  const where = state.chart.x.type === "time" ? [utcText(state.at)] : [];
  reading.textContent = [...where, ...told].join(" · ");
  const x = state.place.x(first.from && first.to ? (state.at + first.to[places.indexOf(state.at)]) / 2 : state.at);
  for (const [name, place] of [["x1", x], ["x2", x]]) state.cursor.setAttribute(name, place);
  state.cursor.setAttribute("visibility", "visible");
  box.dataset.reading = String(state.at);
}

/* Marks and bars speak only of their own place, lines until their next point. */
function tellings(item, at) {
  const places = placesOf(item);
  const index = lastAtOrBefore(places, at);
  if (index < 0 || (item.kind !== "line" && item.kind !== "band" && places[index] !== at)) return [];
  const text = typeof item.texts === "function" ? item.texts(index) : item.texts[index];
  return text ? [text] : [];
}

function clear(reading, state) {
  reading.textContent = "";
  state.at = undefined;
  state.cursor?.setAttribute("visibility", "hidden");
}

/* The place of the last of ascending values that is not above `wanted`, -1 if none is. */
export function lastAtOrBefore(values, wanted) {
  let [low, high] = [0, values.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (values[middle] <= wanted) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
