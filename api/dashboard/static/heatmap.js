import { baseLayout, chartOptions, colours, fontSize, loadPlotly, showWaiting } from "./plotly-loader.js";
import { formatted, short } from "./format.js";

/* Blue gains, orange losses: distinguishable with every common colour vision; neutral at zero. */
const SCALES = {
  light: {
    loss: ["#7f2d04", "#b8500f", "#e08a45", "#f3c79d"], zero: "#f4f4f4",
    gain: ["#b5d3ea", "#6aa5d3", "#2a72b5", "#0b3f7a"],
  },
  dark: {
    loss: ["#ffc99a", "#ee9450", "#b8622a", "#6b3c22"], zero: "#2a3138",
    gain: ["#254a6b", "#2f77b3", "#62a9e2", "#b4dcff"],
  },
};
const TICKS = { share: ".2~%", ratio: ".3~r" };
const MOST_TEXT_CELLS = 700;
const LEAST_CELL_WIDTH = 42;

export async function drawHeatmap(chart, data, metric, unit, openTrial) {
  const plotly = await loadPlotly();
  const values = data.cells.map((row) => row.map((cell) => (cell === null ? null : Number(cell))));
  await plotly.react(chart, [trace(chart, data, values, metric, unit)], layout(chart, data), chartOptions("toImage"));
  showWaiting(chart, "");
  chart.removeAllListeners?.("plotly_click");
  chart.on("plotly_click", (event) => {
    const [row, column] = event.points[0].pointIndex;
    const number = data.trials[row][column];
    if (number !== null) openTrial(number);
  });
  chart.dataset.drawn = `${data.x.name} ${data.y.name} ${data.metric} ${data.agg}`;
  performance.mark("heatmap-drawn");
}

function trace(chart, data, values, metric, unit) {
  const range = anchoredRange(values, metric.small_is_good);
  return {
    type: "heatmap",
    x: data.x.values.map((_, index) => index),
    y: data.y.values.map((_, index) => index),
    z: values,
    ...range,
    xgap: 1,
    ygap: 1,
    hoverongaps: false,
    customdata: data.cells.map((row, r) => row.map((_, c) => hover(data, r, c, metric, unit))),
    hovertemplate: "%{customdata}<extra></extra>",
    ...cellText(chart, data, metric),
    colorbar: {
      title: { text: metric.kind === "money" ? unit : metric.label, side: "top", font: { size: fontSize() * 0.92 } },
      thickness: 12, outlinewidth: 0, ...ticks(metric, range),
    },
  };
}

function ticks(metric, range) {
  if (metric.kind === "count" && range.zmax - range.zmin <= 8) return { tickformat: ",d", dtick: 1 };
  return { tickformat: TICKS[metric.kind] ?? "~s" };
}

/* Half of the scale where all values share a sign, so that zero keeps its colour and nothing is wasted.
   Orange is the side nobody wants: below zero, or above it for drawdowns, fees and liquidations. */
export function anchoredRange(values, smallIsGood) {
  const known = values.flat().filter((value) => value !== null && Number.isFinite(value));
  const low = Math.min(0, ...known);
  const high = Math.max(0, ...known);
  const scale = SCALES[document.documentElement.dataset.theme === "dark" ? "dark" : "light"];
  const half = Math.max(-low, high) || 1;
  const above = smallIsGood ? [...scale.loss].reverse() : scale.gain;
  if (low === 0) return { zmin: 0, zmax: half, colorscale: stops([scale.zero, ...above]) };
  if (high === 0) return { zmin: -half, zmax: 0, colorscale: stops([...scale.loss, scale.zero]) };
  return { zmin: -half, zmax: half, colorscale: stops([...scale.loss, scale.zero, ...scale.gain]) };
}

function stops(list) {
  return list.map((colour, index) => [index / (list.length - 1), colour]);
}

function cellText(chart, data, metric) {
  const columns = data.x.values.length;
  const rows = data.y.values.length;
  if (columns * rows > MOST_TEXT_CELLS || chart.clientWidth / columns < LEAST_CELL_WIDTH) return {};
  return {
    text: data.cells.map((row) => row.map((cell) => short(cell, metric.kind))),
    texttemplate: "%{text}",
    textfont: { size: fontSize() * 0.92 },
  };
}

function hover(data, row, column, metric, unit) {
  const value = data.cells[row][column];
  const number = data.trials[row][column];
  const lines = [
    `<b>${metric.label} ${formatted(value, metric.kind)}${metric.kind === "money" ? ` ${unit}` : ""}</b>`,
    `${data.x.name} ${escaped(data.x.values[column])}`,
    `${data.y.name} ${escaped(data.y.values[row])}`,
  ];
  if (data.counts[row][column] > 1) lines.push(`${data.agg} of ${data.counts[row][column]} trials`);
  if (number !== null) lines.push(`trial ${number} · click to open`);
  return lines.join("<br>");
}

function escaped(value) {
  return String(value).replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

function layout(chart, data) {
  const c = colours();
  const size = fontSize();
  return {
    ...baseLayout(),
    height: Math.min(Math.max(380, data.y.values.length * size * 4 + 110), 820),
    margin: { l: 20, r: 10, t: 28, b: 20 },
    xaxis: axis(data.x, c, Math.max(4, Math.floor(chart.clientWidth / 90))),
    yaxis: axis(data.y, c, 24),
  };
}

/* Categories at whole numbers: uneven steps, symbols and dates all get cells of one size. */
function axis(side, c, most) {
  const step = Math.ceil(side.values.length / most);
  const shown = side.values.map((_, index) => index).filter((index) => index % step === 0);
  return {
    title: { text: side.name, standoff: 8, font: { size: fontSize() } },
    tickmode: "array",
    tickvals: shown,
    ticktext: shown.map((index) => escaped(side.values[index])),
    automargin: true, showgrid: false, zeroline: false, ticks: "", color: c.muted, fixedrange: false,
  };
}
