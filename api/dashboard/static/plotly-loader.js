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
    accent: of("accent"), second: of("second"), ok: of("ok"), faint: of("faint"), gain: of("gain"), loss: of("loss"), bad: of("bad"),
  };
}

export function baseLayout() {
  const c = colours();
  const family = getComputedStyle(document.body).fontFamily;
  return {
    paper_bgcolor: "rgba(0,0,0,0)",
    plot_bgcolor: "rgba(0,0,0,0)",
    font: { family, size: fontSize(), color: c.ink },
    hoverlabel: { bgcolor: c.card, bordercolor: c.line, font: { color: c.ink, family }, align: "left" },
    modebar: { bgcolor: "rgba(0,0,0,0)", color: c.muted, activecolor: c.accent },
  };
}

export function fontSize() {
  return parseFloat(getComputedStyle(document.documentElement).fontSize) * 0.9;
}

/* Named one by one: the library's own choice includes buttons that hand the data to another site. */
export const chartOptions = (...buttons) => ({ responsive: true, displaylogo: false, modeBarButtons: [buttons] });

export function showWaiting(chart, text) {
  const waiting = chart.querySelector(".waiting");
  if (!waiting) return;
  waiting.hidden = !text;
  if (text) waiting.textContent = text;
}
