import { isoSecond, small, timeAxis } from "./equity.js";
import { baseLayout, chartOptions, colours, loadPlotly, showWaiting } from "../plotly-loader.js";

const HOUR_MS = 3_600_000;
const MOST_SHADES = 300;
const MOST_SWITCHES = 60;
const MOST_NAMED = 8;

/* The rate per 8 h of each settlement as a bar, strong where it was collected; the sum collected as a line. */
export async function drawFunding(chart, data, unit, span = null) {
  const plotly = await loadPlotly();
  const traces = [...bars(data, unit), total(data, unit)];
  await plotly.react(chart, traces, layout(data, unit, span), chartOptions("toImage", "zoom2d", "pan2d", "resetScale2d"));
  showWaiting(chart, "");
  chart.dataset.drawn = String(data.times.length);
}

function bars(data, unit) {
  const c = colours();
  const booked = data.booked.map((amount) => amount !== null);
  const reach = data.times.length < data.points ? (data.times.at(-1) - data.times[0]) / data.times.length : 0;
  return [
    { name: "Collected", held: true, color: c.accent },
    { name: "Not held", held: false, color: c.faint },
  ].map(({ name, held, color }) => {
    const kept = data.times.map((_, index) => index).filter((index) => booked[index] === held);
    return {
      type: "bar", name, x: kept.map((index) => isoSecond(data.times[index])), y: kept.map((index) => data.rate_8h[index]),
      width: kept.map((index) => Math.max(data.hours[index] * HOUR_MS * 0.8, reach)),
      marker: { color, line: { width: 0 } },
      text: kept.map((index) => hover(data, index, unit)), textposition: "none",
      hovertemplate: "%{x|%Y-%m-%d %H:%M} UTC<br>%{text}<extra></extra>",
    };
  });
}

function hover(data, index, unit) {
  const rate = `rate ${data.rate[index]} per ${data.hours[index]} h`;
  const amount = data.booked[index];
  return amount === null ? `${rate}<br>not held` : `${rate}<br>booked ${amount} ${unit}`;
}

function total(data, unit) {
  const c = colours();
  return {
    type: "scatter", mode: "lines", name: "Booked so far", x: data.times.map(isoSecond), y: data.total.map(Number), yaxis: "y2",
    line: { color: c.second, width: 1.6, shape: "hv" }, hovertemplate: `booked so far %{y:,.2f} ${unit}<extra></extra>`,
  };
}

function layout(data, unit, span) {
  const c = colours();
  const side = { color: c.muted, zeroline: false, automargin: true, fixedrange: true };
  return {
    ...baseLayout(),
    barmode: "overlay", bargap: 0, hovermode: "x", showlegend: true,
    legend: { orientation: "h", x: 0, y: 1.01, yanchor: "bottom", bgcolor: "rgba(0,0,0,0)" },
    margin: { l: 20, r: 16, t: 28, b: 20 },
    xaxis: { ...timeAxis(c, span), title: { ...small("UTC"), standoff: 4 } },
    yaxis: { ...side, gridcolor: c.soft, zeroline: true, zerolinecolor: c.line, tickformat: ".3~%", title: { ...small("Rate per 8 h"), standoff: 14 } },
    yaxis2: { ...side, overlaying: "y", side: "right", showgrid: false, tickmode: "auto", nticks: 6, rangemode: "tozero", tickformat: ",.2~f", title: { ...small(`Booked, ${unit}`), standoff: 14 } },
    shapes: [...held(data, c), ...switches(data, c), ...thresholds(data, c)],
    annotations: data.switches.length > MOST_SWITCHES ? [] : data.switches.map((one) => ({
      x: isoSecond(one.t), y: 1, yref: "paper", yanchor: "top", xanchor: "left", text: `${one.hours} h`, showarrow: false, font: { color: c.muted },
    })),
  };
}

function held(data, c) {
  if (data.held.length > MOST_SHADES) return [];
  return data.held.map(([opened, closed]) => ({
    type: "rect", xref: "x", yref: "paper", x0: isoSecond(opened), x1: isoSecond(closed), y0: 0, y1: 1, layer: "below",
    line: { width: 0 }, fillcolor: `${c.accent}14`,
  }));
}

function switches(data, c) {
  if (data.switches.length > MOST_SWITCHES) return [];
  return data.switches.map((one) => ({
    type: "line", x0: isoSecond(one.t), x1: isoSecond(one.t), yref: "paper", y0: 0, y1: 1, line: { color: c.muted, width: 1, dash: "dot" },
  }));
}

function thresholds(data, c) {
  return [["enter", c.ok], ["exit", c.loss]].filter(([name]) => data[name] !== null).map(([name, color]) => ({
    type: "line", xref: "paper", x0: 0, x1: 1, y0: Number(data[name]), y1: Number(data[name]), line: { color, width: 1, dash: "dot" },
    label: { text: name === "enter" ? "enter" : "exit", textposition: name === "enter" ? "start" : "end", font: { color }, padding: 2 },
  }));
}

/* The same in words, for those who do not see the chart. */
export function intervalText(data) {
  if (!data.first_hours) return "";
  if (!data.switches.length) return `Funding settled every ${data.first_hours} h throughout.`;
  const named = data.switches.slice(0, MOST_NAMED).map((one) => `${one.hours} h from ${isoSecond(one.t).slice(0, 16).replace("T", " ")}`);
  const more = data.switches.length > MOST_NAMED ? `, and ${data.switches.length - MOST_NAMED} more switches` : "";
  return `Funding interval: ${data.first_hours} h at first, then ${named.join(", ")}${more} (UTC).`;
}
