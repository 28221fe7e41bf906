export { niceTicks } from "../charts/ticks.js";

/* Canvases that are as sharp as the screen, in the fonts and colours of the page. */
export function fitted(box, height = box.clientHeight) {
  const canvas = box.querySelector("canvas");
  const width = box.clientWidth;
  const ratio = window.devicePixelRatio || 1;
  if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
    canvas.style.width = `${width}px`;
    canvas.style.height = `${height}px`;
  }
  const context = canvas.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  return { context, width, height };
}

/* The size of text in pixels, and of the page's font in general: everything in a drawing is measured by it. */
export const textSize = () => parseFloat(getComputedStyle(document.documentElement).fontSize) * 0.88;

export function font(context, { size = textSize(), bold = false } = {}) {
  context.font = `${bold ? "600 " : ""}${size}px ${getComputedStyle(document.body).fontFamily}`;
}

/* Writes one line of text, cut short to `most` pixels. */
export function write(context, text, x, y, { align = "left", baseline = "middle", colour, most = Infinity } = {}) {
  context.textAlign = align;
  context.textBaseline = baseline;
  if (colour) context.fillStyle = colour;
  context.fillText(cut(context, String(text), most), x, y);
}

function cut(context, text, most) {
  if (most === Infinity || context.measureText(text).width <= most) return text;
  let low = 0;
  let high = text.length;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (context.measureText(`${text.slice(0, middle)}…`).width <= most) low = middle;
    else high = middle - 1;
  }
  return low ? `${text.slice(0, low)}…` : "";
}

/* Redraws when the box changes its size, at most once a frame. */
export function redrawOnResize(box, draw) {
  let size = "";
  new ResizeObserver(() => {
    if (`${box.clientWidth} ${box.clientHeight}` === size) return;
    size = `${box.clientWidth} ${box.clientHeight}`;
    requestAnimationFrame(draw);
  }).observe(box);
}

/* At most one call a frame, with what was asked for last. */
export function onFrame(work) {
  let waiting = false;
  return () => {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => {
      waiting = false;
      work();
    });
  };
}

/* Follows a pointer from press to release: `move` and `end` get the position within the box, `end` also whether it
   moved at all. */
export function onDrag(box, { start, move, end }) {
  box.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || event.target.tagName !== "CANVAS") return;
    const canvas = event.target;
    const first = at(canvas, event);
    const state = start(first, event);
    if (!state) return;
    let moved = false;
    const onMove = (later) => {
      const place = at(canvas, later);
      moved ||= Math.hypot(place.x - first.x, place.y - first.y) > 4;
      if (moved) move(state, place, first);
    };
    const onEnd = (later) => {
      canvas.removeEventListener("pointermove", onMove);
      canvas.removeEventListener("pointerup", onEnd);
      canvas.removeEventListener("pointercancel", onEnd);
      end(state, at(canvas, later), first, moved);
    };
    canvas.setPointerCapture(event.pointerId);
    canvas.addEventListener("pointermove", onMove);
    canvas.addEventListener("pointerup", onEnd);
    canvas.addEventListener("pointercancel", onEnd);
  });
}

export function at(canvas, event) {
  const box = canvas.getBoundingClientRect();
  return { x: event.clientX - box.left, y: event.clientY - box.top };
}
