import { baseLayout, chartOptions, colours, fontSize, loadPlotly, showWaiting } from "../plotly-loader.js";

const MANY_MARKS = 100;
const MARKS = [
  { name: "Opened", symbol: "triangle-up", colour: "ok", of: (move) => move.action === "open" },
  { name: "Closed", symbol: "triangle-down", colour: "loss", of: (move) => move.action === "close" && move.reason !== "liquidation" },
  { name: "Liquidated", symbol: "x", colour: "bad", of: (move) => move.reason === "liquidation" },
];

/* A line is a name, times (ms), values (exact text), a colour of the page, maybe a dash, drawdown (fractions),
   a colour of its shading, and the moves of its run. `span` is what is shown of the time axis, null for all of it. */
export async function drawEquity(chart, lines, { capital, unit, span = null }) {
  const plotly = await loadPlotly();
  const traces = lines.flatMap((line) => tracesOf(line, unit));
  hideWhatWasHidden(chart, traces);
  await plotly.react(chart, traces, layout(capital, unit, traces, span), chartOptions("toImage", "zoom2d", "pan2d", "resetScale2d"));
  showWaiting(chart, "");
  chart.dataset.drawn = String(lines[0].times.length);
  chart.dataset.lines = String(lines.length);
  performance.mark("equity-drawn");
}

function tracesOf(line, unit) {
  const c = colours();
  const x = line.times.map(isoSecond);
  const shared = { type: "scatter", mode: "lines", x, legendgroup: line.name };
  const equity = {
    ...shared, name: line.name, y: line.values.map(Number), line: { color: c[line.colour] ?? line.colour, width: 1.6, dash: line.dash ?? "solid" },
    hovertemplate: `%{x|%Y-%m-%d %H:%M} UTC<br>${line.name} %{y:,.2f} ${unit}<extra></extra>`,
  };
  const marks = MARKS.map((look) => markTrace(line, look)).filter((trace) => trace.x.length);
  if (!line.drawdown) return [equity, ...marks];
  const colour = c[line.drawdownColour ?? line.colour] ?? line.colour;
  const fall = {
    ...shared, name: `${line.name} drawdown`, y: line.drawdown, yaxis: "y2", showlegend: false,
    line: { color: colour, width: 1 }, fill: line.drawdownColour ? "tozeroy" : "none", fillcolor: `${colour}33`,
    hovertemplate: `%{x|%Y-%m-%d %H:%M} UTC<br>${line.name}, drawdown %{y:.2%}<extra></extra>`,
  };
  return [equity, ...marks, fall];
}

/* A move sits on the curve at the last point at or before it: liquidations happen between settlements. */
function markTrace(line, look) {
  const c = colours();
  const moves = (line.moves ?? []).filter(look.of);
  return {
    type: "scatter", mode: "markers", name: look.name, legendgroup: `${line.name} ${look.name}`,
    x: moves.map((move) => isoSecond(move.t)),
    y: moves.map((move) => Number(line.values[Math.max(0, lastAtOrBefore(line.times, move.t))])),
    marker: { symbol: look.symbol, size: line.moves?.length > MANY_MARKS ? 6 : 10, color: c[look.colour], line: { width: 1.2, color: c.card } },
    text: moves.map(moveText),
    hovertemplate: "%{x|%Y-%m-%d %H:%M} UTC<br>%{text}<extra></extra>",
  };
}

function moveText({ action, symbol, reason, net_pnl: net }) {
  return action === "open" ? `opened ${symbol}` : `closed ${symbol} (${reason})<br>net P&L ${net}`;
}

function lastAtOrBefore(times, wanted) {
  let [low, high] = [0, times.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (times[middle] <= wanted) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

export function isoSecond(t) {
  return new Date(t).toISOString().slice(0, 19);
}

/* A redrawing for another theme keeps what the reader has hidden through the legend. */
function hideWhatWasHidden(chart, traces) {
  for (const trace of traces) {
    const before = chart.data?.find((one) => one.name === trace.name);
    if (before?.visible) trace.visible = before.visible;
  }
}

export function small(text) {
  return { text, font: { size: fontSize() } };
}

export function timeAxis(c, span) {
  const range = span ? { range: span.map(isoSecond), autorange: false } : { autorange: true };
  return { color: c.muted, zeroline: false, automargin: true, type: "date", showgrid: false, ...range };
}

/* Without any fall the axis of drawdowns would run to 100 %. */
function layout(capital, unit, traces, span) {
  const c = colours();
  const several = traces.filter((trace) => trace.showlegend !== false).length > 1;
  const flat = traces.every((trace) => trace.yaxis !== "y2" || trace.y.every((fall) => fall === 0));
  const side = { color: c.muted, gridcolor: c.soft, zeroline: false, automargin: true, fixedrange: true };
  return {
    ...baseLayout(),
    showlegend: several,
    legend: { orientation: "h", x: 0, y: 1.01, yanchor: "bottom", bgcolor: "rgba(0,0,0,0)" },
    hovermode: "x",
    margin: { l: 20, r: 16, t: 28, b: 20 },
    xaxis: { ...timeAxis(c, span), anchor: "y2", title: { ...small("UTC"), standoff: 4 } },
    yaxis: { ...side, domain: [0.32, 1], title: { ...small(`Equity, ${unit}`), standoff: 14 }, tickformat: ",.2~f" },
    yaxis2: {
      ...side, domain: [0, 0.25], title: { ...small("Drawdown"), standoff: 14 }, tickformat: ".1%", rangemode: "tozero",
      ...(flat ? { range: [-0.0115, 0] } : {}),
    },
    shapes: [
      {
        type: "line", xref: "paper", x0: 0, x1: 1, y0: capital, y1: capital, layer: "below",
        line: { color: c.muted, width: 1, dash: "dot" },
      },
    ],
  };
}
