import { baseLayout, chartOptions, colours, fontSize, loadPlotly, showWaiting } from "../plotly-loader.js";
import { getJson } from "../requests.js";

const BP = 10_000;
const root = document.getElementById("pair");
const chartOf = (name) => document.getElementById(`${name}-chart`);
const isoOf = (t) => new Date(t).toISOString().slice(0, 19);
const small = (text) => ({ text, font: { size: fontSize() } });
const side = () => ({ color: colours().muted, gridcolor: colours().soft, zerolinecolor: colours().line, automargin: true });

async function drawOn(name, traces, layout) {
  const plotly = await loadPlotly();
  const chart = chartOf(name);
  const margin = { l: 20, r: 16, t: 12, b: 20 };
  await plotly.react(chart, traces, { ...baseLayout(), showlegend: false, margin, ...layout }, chartOptions("toImage", "zoom2d", "pan2d", "resetScale2d"));
  showWaiting(chart, "");
  chart.dataset.drawn = String(traces[0]?.x?.length ?? 0);
}

/* The shades are those of the coverage picture: the shorter the interval, the stronger. */
function intervalShades(intervals, from, to) {
  const style = getComputedStyle(document.documentElement);
  const shade = (hours) => style.getPropertyValue(`--h${hours}`).trim() || style.getPropertyValue("--hx").trim();
  if (intervals.length < 2) return [];
  return intervals.map((span, index) => ({
    type: "rect", layer: "below", xref: "x", yref: "paper", y0: 0, y1: 1, line: { width: 0 }, opacity: 0.16, fillcolor: shade(span.hours),
    x0: isoOf(Math.max(span.from_ms, from)), x1: isoOf(Math.min(intervals[index + 1]?.from_ms ?? span.to_ms, to)),
  }));
}

function curve(points, name, colour, axis) {
  return {
    type: "scatter", mode: "lines", name, yaxis: axis, line: { color: colour, width: 1.2 },
    x: points.map(([t]) => isoOf(t)), y: points.map(([, value]) => value * BP),
    hovertemplate: `%{x|%Y-%m-%d %H:%M} UTC<br>${name} %{y:,.2f} bp<extra></extra>`,
  };
}

function drawRates(pair) {
  const c = colours();
  const traces = [curve(pair.rates_8h, "rate per 8 h", c.accent, "y"), curve(pair.basis_points, "basis", c.second, "y2")];
  const known = pair.basis_points.length > 0;
  return drawOn("rates", traces, {
    hovermode: "x",
    xaxis: { ...side(), type: "date", showgrid: false, anchor: known ? "y2" : "y", title: { ...small("UTC"), standoff: 4 } },
    yaxis: { ...side(), domain: known ? [0.45, 1] : [0, 1], title: { ...small("Rate per 8 h, bp"), standoff: 14 } },
    yaxis2: { ...side(), domain: [0, 0.38], visible: known, title: { ...small("Basis, bp"), standoff: 14 } },
    shapes: intervalShades(pair.intervals, pair.funding.first_ms, pair.funding.last_ms),
  });
}

function drawDistribution({ distribution }) {
  const c = colours();
  const [start, width] = [distribution.start * BP, distribution.width * BP];
  const last = distribution.counts.length - 1;
  const edge = (index) => Number((start + index * width).toFixed(6));
  const range = (index) => {
    if (index === 0) return `below ${edge(1)} bp`;
    return index === last ? `${edge(last)} bp and above` : `${edge(index)} to below ${edge(index + 1)} bp`;
  };
  const bars = {
    type: "bar", x: distribution.counts.map((_, index) => edge(index) + width / 2), y: distribution.counts, width: width * 0.94,
    customdata: distribution.counts.map((_, index) => range(index)),
    marker: { color: distribution.counts.map((_, index) => (edge(index) < 0 ? c.loss : c.accent)) },
    hovertemplate: "%{customdata}<br>%{y:,} settlements<extra></extra>",
  };
  return drawOn("distribution", [bars], {
    bargap: 0,
    xaxis: { ...side(), showgrid: false, title: { ...small("Rate per 8 h, bp"), standoff: 4 } },
    yaxis: { ...side(), title: { ...small("Settlements"), standoff: 14 } },
  });
}

function drawCorrelation({ autocorrelations, funding }) {
  const c = colours();
  const noise = 1.96 / Math.sqrt(funding.settlements);
  const bars = {
    type: "bar", x: autocorrelations.map((_, index) => index + 1), y: autocorrelations, marker: { color: c.accent },
    hovertemplate: "%{x} settlements before<br>%{y:.3f}<extra></extra>",
  };
  return drawOn("correlation", [bars], {
    xaxis: { ...side(), showgrid: false, title: { ...small("Lag, settlements"), standoff: 4 } },
    yaxis: { ...side(), title: { ...small("Autocorrelation"), standoff: 14 } },
    shapes: [noise, -noise].map((y) => ({ type: "line", xref: "paper", x0: 0, x1: 1, y0: y, y1: y, line: { color: c.muted, width: 1, dash: "dot" } })),
  });
}

function drawMonths({ months }) {
  const c = colours();
  const name = (month) => `${Math.floor(month / 100)}-${String(month % 100).padStart(2, "0")}`;
  const bars = {
    type: "bar", x: months.map((one) => name(one.month)), y: months.map((one) => one.total * 100),
    customdata: months.map((one) => [one.settlements, one.carry_per_year * 100]),
    marker: { color: months.map((one) => (one.total < 0 ? c.loss : c.accent)) },
    hovertemplate: "%{x}<br>%{y:.3f} % of the notional<br>%{customdata[0]} settlements, %{customdata[1]:.2f} % per year<extra></extra>",
  };
  return drawOn("months", [bars], {
    xaxis: { ...side(), type: "category", showgrid: false, nticks: 24 },
    yaxis: { ...side(), title: { ...small("% of the notional"), standoff: 14 } },
  });
}

async function show() {
  const pair = await getJson(root.dataset.source);
  const draw = () => Promise.all([drawRates(pair), drawDistribution(pair), drawCorrelation(pair), drawMonths(pair)]);
  document.addEventListener("themechange", draw);
  await draw();
  root.dataset.drawn = "true";
}

show().catch((error) => {
  for (const name of ["rates", "distribution", "correlation", "months"]) {
    showWaiting(chartOf(name), `The curves could not be loaded: ${error.message}. Reload the page to try again.`);
  }
});
