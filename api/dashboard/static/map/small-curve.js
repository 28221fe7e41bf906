/* A small equity curve against holding, without axes: zero change is the line across. */
import { fitted, font, textSize, write } from "./canvas.js";
import { short } from "../format.js";
import { colours } from "../charts/colours.js";

/* `lines` are [{ times, equity, dashed }], equity as text; the first point of the first line is the capital. */
export function drawSmallCurve(box, lines) {
  const { context, width, height } = fitted(box);
  const size = textSize() * 0.85;
  const known = lines.filter((line) => line?.times.length > 1);
  if (!known.length) return;
  const c = colours();
  const points = known.map(({ times, equity }) => times.map((time, index) => [time, Number(equity[index])]));
  const all = points.flat();
  const span = (at) => [Math.min(...all.map((point) => point[at])), Math.max(...all.map((point) => point[at]))];
  const [[first, last], [low, high]] = [span(0), span(1)];
  const x = (time) => ((time - first) / (last - first || 1)) * (width - 2) + 1;
  const y = (value) => height - size * 1.5 - ((value - low) / (high - low || 1)) * (height - size * 1.9);
  context.strokeStyle = c.line;
  context.lineWidth = 1;
  stroke(context, [[first, points[0][0][1]], [last, points[0][0][1]]], x, y);
  points.toReversed().forEach((line, index) => {
    const { dashed } = known[known.length - 1 - index];
    context.strokeStyle = dashed ? c.muted : c.accent;
    context.lineWidth = dashed ? 1.2 : 1.8;
    context.setLineDash(dashed ? [5, 3] : []);
    stroke(context, line, x, y);
  });
  context.setLineDash([]);
  font(context, { size });
  const day = (time) => new Date(time).toISOString().slice(0, 10);
  write(context, day(first), 0, height - size * 0.5, { colour: c.muted });
  write(context, day(last), width, height - size * 0.5, { align: "right", colour: c.muted });
  write(context, `${short(low, "money")} to ${short(high, "money")}`, width / 2, height - size * 0.5, { align: "center", colour: c.muted });
}

function stroke(context, points, x, y) {
  context.beginPath();
  points.forEach(([time, value], index) => context[index ? "lineTo" : "moveTo"](x(time), y(value)));
  context.stroke();
}
