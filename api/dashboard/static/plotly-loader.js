/* The charting library is large: it is fetched once, after the page can already be read. */
let loading;

export function loadPlotly() {
  loading ??= new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = document.documentElement.dataset.plotly;
    script.onload = () => {
      performance.mark("plotly-ready");
      resolve(window.Plotly);
    };
    script.onerror = () => reject(new Error("the charting library did not load"));
    document.head.append(script);
  });
  return loading;
}

export function colours() {
  const style = getComputedStyle(document.documentElement);
  const of = (name) => style.getPropertyValue(`--${name}`).trim();
  return {
    ink: of("ink"), muted: of("muted"), line: of("line"), soft: of("line-soft"), card: of("card"),
    accent: of("accent"), gain: of("gain"), loss: of("loss"), bad: of("bad"),
  };
}

export function baseLayout() {
  const c = colours();
  return {
    paper_bgcolor: "rgba(0,0,0,0)",
    plot_bgcolor: "rgba(0,0,0,0)",
    font: { family: getComputedStyle(document.body).fontFamily, size: fontSize(), color: c.ink },
    hoverlabel: { bgcolor: c.card, bordercolor: c.line, font: { color: c.ink }, align: "left" },
  };
}

export function fontSize() {
  return parseFloat(getComputedStyle(document.documentElement).fontSize) * 0.9;
}

export const CHART_OPTIONS = {
  responsive: true,
  displaylogo: false,
  modeBarButtonsToRemove: ["lasso2d", "select2d", "autoScale2d"],
};

export function showWaiting(chart, text) {
  const waiting = chart.querySelector(".waiting");
  if (!waiting) return;
  waiting.hidden = !text;
  if (text) waiting.textContent = text;
}
