import { baseLayout, chartOptions, colours, fontSize, loadPlotly, showWaiting } from "./plotly-loader.js";

/* Drawdown from the running peak, which starts at the capital that was put in. */
export function drawdowns(values, capital) {
  let peak = capital;
  return values.map((value) => {
    peak = Math.max(peak, value);
    return (value - peak) / peak;
  });
}

/* A line is a name, times (ms), values (exact text), a colour of the page, maybe a dash, and whether its drawdown is drawn. */
export async function drawEquity(chart, lines, capital, unit) {
  const plotly = await loadPlotly();
  const traces = lines.flatMap((line) => tracesOf(line, lines.length, capital, unit));
  hideWhatWasHidden(chart, traces);
  await plotly.react(chart, traces, layout(capital, unit, traces), chartOptions("toImage", "zoom2d", "pan2d", "resetScale2d"));
  showWaiting(chart, "");
  chart.dataset.drawn = String(lines[0].times.length);
  chart.dataset.lines = String(lines.length);
  performance.mark("equity-drawn");
}

function tracesOf(line, count, capital, unit) {
  const c = colours();
  const x = line.times.map((t) => new Date(t).toISOString().slice(0, 19));
  const values = line.values.map(Number);
  const shared = { type: "scatter", mode: "lines", x, legendgroup: line.name };
  const equity = {
    ...shared, name: line.name, y: values, line: { color: c[line.colour], width: 1.6, dash: line.dash ?? "solid" },
    hovertemplate: `%{x|%Y-%m-%d %H:%M} UTC<br>${line.name} %{y:,.2f} ${unit}<extra></extra>`,
  };
  if (!line.drawdown) return [equity];
  const colour = line.drawdownColour ? c[line.drawdownColour] : c[line.colour];
  const fall = {
    ...shared, name: `${line.name} drawdown`, y: drawdowns(values, capital), yaxis: "y2", showlegend: false,
    line: { color: colour, width: 1 }, fill: line.drawdownColour ? "tozeroy" : "none", fillcolor: `${colour}33`,
    hovertemplate: `%{x|%Y-%m-%d %H:%M} UTC<br>${line.name}, drawdown %{y:.2%}<extra></extra>`,
  };
  return [equity, fall];
}

/* A redrawing for another theme keeps what the reader has hidden through the legend. */
function hideWhatWasHidden(chart, traces) {
  for (const trace of traces) {
    const before = chart.data?.find((one) => one.name === trace.name);
    if (before?.visible) trace.visible = before.visible;
  }
}

function small(text) {
  return { text, font: { size: fontSize() } };
}

/* Without any fall the axis of drawdowns would run to 100 %. */
function layout(capital, unit, traces) {
  const c = colours();
  const several = traces.filter((trace) => trace.showlegend !== false).length > 1;
  const flat = traces.every((trace) => trace.yaxis !== "y2" || trace.y.every((fall) => fall === 0));
  const side = { color: c.muted, gridcolor: c.soft, zeroline: false, automargin: true };
  return {
    ...baseLayout(),
    showlegend: several,
    legend: { orientation: "h", x: 0, y: 1.01, yanchor: "bottom", bgcolor: "rgba(0,0,0,0)" },
    hovermode: "x",
    margin: { l: 20, r: 16, t: 28, b: 20 },
    xaxis: { ...side, anchor: "y2", type: "date", showgrid: false, title: { ...small("UTC"), standoff: 4 } },
    yaxis: { ...side, domain: [0.32, 1], title: { ...small(`Equity, ${unit}`), standoff: 14 }, tickformat: ",.0f" },
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
