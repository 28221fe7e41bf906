import { baseLayout, chartOptions, colours, fontSize, loadPlotly, showWaiting } from "./plotly-loader.js";

/* Drawdown from the running peak, which starts at the capital that was put in. */
export function drawdowns(values, capital) {
  let peak = capital;
  return values.map((value) => {
    peak = Math.max(peak, value);
    return (value - peak) / peak;
  });
}

export async function drawEquity(chart, points, capital, unit) {
  const plotly = await loadPlotly();
  const times = points.map(([t]) => new Date(t).toISOString().slice(0, 19));
  const values = points.map(([, equity]) => Number(equity));
  await plotly.react(chart, traces(times, values, capital, unit), layout(capital, unit), chartOptions("toImage", "zoom2d", "pan2d", "resetScale2d"));
  showWaiting(chart, "");
  chart.dataset.drawn = String(points.length);
  performance.mark("equity-drawn");
}

function traces(times, values, capital, unit) {
  const c = colours();
  return [
    {
      type: "scatter", mode: "lines", name: "Equity", x: times, y: values,
      line: { color: c.accent, width: 1.6, shape: "linear" },
      hovertemplate: `%{x|%Y-%m-%d %H:%M} UTC<br>Equity %{y:,.2f} ${unit}<extra></extra>`,
    },
    {
      type: "scatter", mode: "lines", name: "Drawdown", x: times, y: drawdowns(values, capital), yaxis: "y2",
      line: { color: c.loss, width: 1 }, fill: "tozeroy", fillcolor: `${c.loss}33`,
      hovertemplate: "%{x|%Y-%m-%d %H:%M} UTC<br>Drawdown %{y:.2%}<extra></extra>",
    },
  ];
}

function small(text) {
  return { text, font: { size: fontSize() } };
}

function layout(capital, unit) {
  const c = colours();
  const side = { color: c.muted, gridcolor: c.soft, zeroline: false, automargin: true };
  return {
    ...baseLayout(),
    showlegend: false,
    hovermode: "x",
    margin: { l: 20, r: 16, t: 28, b: 20 },
    xaxis: { ...side, anchor: "y2", type: "date", showgrid: false, title: { ...small("UTC"), standoff: 4 } },
    yaxis: { ...side, domain: [0.32, 1], title: small(`Equity, ${unit}`), tickformat: ",.0f" },
    yaxis2: {
      ...side, domain: [0, 0.25], title: small("Drawdown"), tickformat: ".1%", rangemode: "tozero",
    },
    shapes: [
      {
        type: "line", xref: "paper", x0: 0, x1: 1, y0: capital, y1: capital, layer: "below",
        line: { color: c.muted, width: 1, dash: "dot" },
      },
    ],
  };
}
