import { drawChart, showWaiting } from "../charts/chart.js";
import { formatted } from "../format.js";
import { getJson } from "../requests.js";

const BP = 10_000;
const SHADES = [1, 2, 4, 8];
const root = document.getElementById("pair");
const chartOf = (name) => document.getElementById(`${name}-chart`);
const tick = (value) => String(Number(value.toPrecision(6)));

function drawOn(name, drawing, count) {
  const chart = chartOf(name);
  drawChart(chart, drawing);
  chart.dataset.drawn = String(count);
}

/* The shades are those of the coverage picture: the shorter the interval, the stronger. */
function intervalShades(intervals, from, to) {
  if (intervals.length < 2) return [];
  return intervals.map((span, index) => ({
    from: Math.max(span.from_ms, from), to: Math.min(intervals[index + 1]?.from_ms ?? span.to_ms, to),
    look: SHADES.includes(span.hours) ? `h${span.hours}` : "hx",
  }));
}

function curve(points, name, look) {
  return {
    kind: "line", look, thin: true, x: points.map(([t]) => t), y: points.map(([, value]) => value * BP),
    texts: (index) => `${name} ${formatted(points[index][1] * BP, "money")} bp`,
  };
}

function drawRates(pair) {
  const panels = [{ share: 3, title: "Rate per 8 h, bp", zero: true, tick, items: [curve(pair.rates_8h, "rate per 8 h", "accent")] }];
  if (pair.basis_points.length) panels.push({ share: 2, title: "Basis, bp", zero: true, tick, items: [curve(pair.basis_points, "basis", "second")] });
  const { first_ms: first, last_ms: last } = pair.funding;
  drawOn("rates", { x: { type: "time", title: "UTC", domain: [first, last] }, panels, shades: intervalShades(pair.intervals, first, last) }, pair.rates_8h.length);
}

function drawDistribution({ distribution }) {
  const [start, width] = [distribution.start * BP, distribution.width * BP];
  const last = distribution.counts.length - 1;
  const edge = (index) => Number((start + index * width).toFixed(6));
  const range = (index) => {
    if (index === 0) return `below ${edge(1)} bp`;
    return index === last ? `${edge(last)} bp and above` : `${edge(index)} to below ${edge(index + 1)} bp`;
  };
  const told = (index) => `${range(index)}: ${formatted(distribution.counts[index], "count")} settlements`;
  const items = signedBars(distribution.counts, (index) => edge(index) < 0, (index) => [edge(index) + width * 0.03, edge(index) + width * 0.97], told);
  drawOn("distribution", {
    x: { type: "number", domain: [edge(0), edge(last + 1)], tick, title: "Rate per 8 h, bp" }, panels: [{ title: "Settlements", zero: true, tick, items }],
  }, distribution.counts.length);
}

/* Bars in two looks, as two items: those of losses and the others. */
function signedBars(values, isLoss, edges, told) {
  return [["accent", false], ["loss", true]].map(([look, wanted]) => {
    const kept = values.map((_, index) => index).filter((index) => isLoss(index) === wanted);
    const sides = kept.map(edges);
    return { kind: "bars", look, from: sides.map(([from]) => from), to: sides.map(([, to]) => to), y: kept.map((index) => values[index]), texts: kept.map(told) };
  }).filter((item) => item.from.length);
}

const around = (index) => [index - 0.4, index + 0.4];

function drawCorrelation({ autocorrelations, funding }) {
  const noise = 1.96 / Math.sqrt(funding.settlements);
  const told = (index) => `${index + 1} settlements before: ${formatted(autocorrelations[index], "ratio")}`;
  const bars = signedBars(autocorrelations, () => false, (index) => around(index + 1), told);
  const rules = [noise, -noise].map((y) => ({ kind: "rule", y, look: "muted" }));
  drawOn("correlation", {
    x: { type: "number", domain: [0.5, autocorrelations.length + 0.5], title: "Lag, settlements" }, panels: [{ title: "Autocorrelation", zero: true, tick, items: [...bars, ...rules] }],
  }, autocorrelations.length);
}

function drawMonths({ months }) {
  const names = months.map(({ month }) => monthName(month));
  const told = (index) => `${names[index]}: ${formatted(months[index].total * 100, "ratio")} % of the notional in ${formatted(months[index].settlements, "count")} settlements, ${formatted(months[index].carry_per_year * 100, "money")} % a year`;
  const items = signedBars(months.map((one) => one.total * 100), (index) => months[index].total < 0, around, told);
  drawOn("months", { x: { type: "category", names, domain: [-0.5, names.length - 0.5] }, panels: [{ title: "% of the notional", zero: true, tick, items }] }, months.length);
}

/* Box plots of rates, one a group: an hour of the day or a month. */
function drawBoxes(name, boxes, nameOf) {
  const names = boxes.map((box) => nameOf(box.group));
  const of = (key) => boxes.map((box) => box[key] * BP);
  const told = (index) => {
    const box = boxes[index];
    const [low, median, high] = [box.low, box.median, box.high].map((value) => formatted(value * BP, "money"));
    return `${names[index]}: median ${median} bp, nine of ten from ${low} to ${high} bp, ${formatted(box.settlements, "count")} settlements`;
  };
  const item = {
    kind: "boxes", look: "accent", from: boxes.map((_, index) => index - 0.3), to: boxes.map((_, index) => index + 0.3),
    low: of("low"), first: of("first"), median: of("median"), third: of("third"), high: of("high"), texts: told,
  };
  drawOn(name, { x: { type: "category", names, domain: [-0.5, names.length - 0.5] }, panels: [{ title: "Rate per 8 h, bp", zero: true, tick, items: [item] }] }, boxes.length);
}

const monthName = (month) => `${Math.floor(month / 100)}-${String(month % 100).padStart(2, "0")}`;
const hourName = (hour) => `${String(hour).padStart(2, "0")}:00`;

async function show() {
  const pair = await getJson(root.dataset.source);
  for (const draw of [drawRates, drawDistribution, drawCorrelation, drawMonths]) draw(pair);
  drawBoxes("hours", pair.boxes_by_hour, hourName);
  drawBoxes("boxes", pair.boxes_by_month, monthName);
  root.dataset.drawn = "true";
}

show().catch((error) => {
  for (const name of ["rates", "distribution", "correlation", "months", "hours", "boxes"]) {
    showWaiting(chartOf(name), `The curves could not be loaded: ${error.message}. Reload the page to try again.`);
  }
});
