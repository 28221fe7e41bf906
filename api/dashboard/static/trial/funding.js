import { drawChart } from "../charts/chart.js";
import { formatted } from "../format.js";
import { amountTick } from "../charts/equity.js";

const HOUR_MS = 3_600_000;
const MOST_SHADES = 300;
const MOST_SWITCHES = 60;
const MOST_NAMED = 8;

/* The rate per 8 h of each settlement as a bar, strong where it was collected; the sum collected as a line. */
export function drawFunding(chart, data, unit, { span = null, onSpan = null } = {}) {
  const rules = [["enter", "ok"], ["exit", "loss"]].filter(([name]) => data[name] !== null).map(([name, look]) => ({
    kind: "rule", y: Number(data[name]), look, note: name,
  }));
  const total = {
    kind: "line", name: "Booked so far", look: "second", onSecond: true, step: true, x: data.times, y: data.total.map(Number),
    texts: (index) => `booked so far ${formatted(data.total[index], "money")}`,
  };
  drawChart(chart, {
    x: { type: "time", title: "UTC", domain: span ?? [data.times[0], data.times.at(-1)] },
    panels: [{
      title: "Rate per 8 h", zero: true, tick: (value) => `${Number((value * 100).toPrecision(6))}%`, second: { title: `Booked, ${unit}`, zero: true, tick: amountTick },
      items: [...bars(data, unit), ...rules, total],
    }],
    shades: data.held.length > MOST_SHADES ? [] : data.held.map(([from, to]) => ({ from, to, look: "accent" })),
    uprights: data.switches.length > MOST_SWITCHES ? [] : data.switches.map((one) => ({ at: one.t, name: `${one.hours} h` })),
    onSpan,
  });
  chart.dataset.drawn = String(data.times.length);
}

function bars(data, unit) {
  const reach = data.times.length < data.points ? (data.times.at(-1) - data.times[0]) / data.times.length : 0;
  return [
    { name: "Collected", held: true, look: "accent" },
    { name: "Not held", held: false, look: "faint" },
  ].map(({ name, held, look }) => {
    const kept = data.times.map((_, index) => index).filter((index) => (data.booked[index] !== null) === held);
    return {
      kind: "bars", name, look, from: kept.map((index) => data.times[index]),
      to: kept.map((index) => data.times[index] + Math.max(data.hours[index] * HOUR_MS * 0.8, reach)),
      y: kept.map((index) => data.rate_8h[index]), texts: kept.map((index) => settlementText(data, index, unit)),
    };
  }).filter((item) => item.from.length);
}

function settlementText(data, index, unit) {
  const rate = `rate ${brief(data.rate[index])} per ${data.hours[index]} h`;
  const amount = data.booked[index];
  if (amount === null) return `${rate}, not held`;
  const legs = data.legs.length > 1 ? ` (${data.legs.map(({ leg, booked }) => `${leg} ${booked[index] ?? 0}`).join(", ")})` : "";
  return `${rate}, booked ${amount} ${unit}${legs}`;
}

/* A carry may have forty digits, a rate has few. */
const brief = (text) => (text.length > 14 ? String(Number(Number(text).toPrecision(8))) : text);
const minute = (t) => new Date(t).toISOString().slice(0, 16).replace("T", " ");

/* The same in words, for those who do not see the chart. */
export function intervalText(data) {
  if (!data.first_hours) return "";
  if (!data.switches.length) return `Funding settled every ${data.first_hours} h throughout.`;
  const named = data.switches.slice(0, MOST_NAMED).map((one) => `${one.hours} h from ${minute(one.t)}`);
  const more = data.switches.length > MOST_NAMED ? `, and ${data.switches.length - MOST_NAMED} more switches` : "";
  return `Funding interval: ${data.first_hours} h at first, then ${named.join(", ")}${more} (UTC).`;
}
