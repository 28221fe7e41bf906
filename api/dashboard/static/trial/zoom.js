/* Tells when the reader has zoomed a chart's time axis: a span of ms, or null for all of it. */
export function onZoom(chart, act) {
  chart.on("plotly_relayout", (event) => {
    if (event["xaxis.autorange"]) act(null);
    const first = event["xaxis.range[0]"] ?? event["xaxis.range"]?.[0];
    const last = event["xaxis.range[1]"] ?? event["xaxis.range"]?.[1];
    if (first && last) act([moment(first), moment(last)]);
  });
}

/* The library writes UTC times without saying so. */
function moment(text) {
  return Math.round(Date.parse(`${String(text).replace(" ", "T").slice(0, 19).padEnd(10)}${text.length > 10 ? "" : "T00:00"}Z`));
}

export const spanQuery = (span) => (span ? `first=${Math.max(0, span[0])}&last=${span[1]}` : "");
