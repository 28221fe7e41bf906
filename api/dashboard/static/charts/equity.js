import { drawChart } from "./chart.js";
import { lastAtOrBefore } from "./reading.js";
import { formatted } from "../format.js";

const MANY_MARKS = 100;
const DASHES = ["", "mixed", "dotted", "dashed"]; // holding is dashed as well: few compare four
const MARKS = [
  { name: "Opened", shape: "up", look: "ok", of: (move) => move.action === "open" },
  { name: "Closed", shape: "down", look: "loss", of: (move) => move.action === "close" && move.reason !== "liquidation" },
  { name: "Liquidated", shape: "cross", look: "bad", of: (move) => move.reason === "liquidation" },
];

/* A line is a name, times (ms), values (exact text), a look, maybe a dash, drawdown (fractions) with a look of its area,
   rolling Sharpe by day, and the moves of its run. `span` is what is shown of the time axis, null for all of it. */
export function drawEquity(chart, given, { capital, unit, span = null, onSpan = null }) {
  const lines = given.map((line, place) => ({ ...line, dash: line.dash ?? DASHES[place % DASHES.length] }));
  const panels = [equityPanel(lines, capital, unit), drawdownPanel(lines), sharpePanel(lines)].filter((panel) => panel.items.length);
  drawChart(chart, { x: { type: "time", title: "UTC", domain: span ?? wholeSpan(lines) }, panels, onSpan });
  chart.dataset.drawn = String(lines[0].times.length);
  chart.dataset.lines = String(lines.length);
  performance.mark("equity-drawn");
}

function wholeSpan(lines) {
  const shown = lines.filter((line) => line.times.length);
  return [Math.min(...shown.map((line) => line.times[0])), Math.max(...shown.map((line) => line.times.at(-1)))];
}

function equityPanel(lines, capital, unit) {
  const curves = lines.map((line) => ({
    kind: "line", name: line.name, look: line.look, dash: line.dash,
    x: line.times, y: line.values.map(Number), texts: (index) => `${line.name} ${formatted(line.values[index], "money")}`,
  }));
  const marks = lines.flatMap((line) => MARKS.map((look) => markItem(line, look))).filter((item) => item.x.length);
  const start = { kind: "rule", y: capital, look: "muted" };
  return { share: 3, title: `Equity, ${unit}`, tick: amountTick, items: [start, ...curves, ...marks] };
}

/* Without any fall the axis of drawdowns would run to 100 %. */
function drawdownPanel(lines) {
  const items = lines.filter((line) => line.drawdown).map((line) => ({
    kind: "line", of: line.name, look: line.drawdownLook ?? line.look, area: Boolean(line.drawdownLook), thin: true, dash: line.dash,
    x: line.times, y: line.drawdown, texts: (index) => `${lines.length > 2 ? `${line.name} ` : ""}drawdown ${formatted(line.drawdown[index], "share")}`,
  }));
  return { share: 1, title: "Drawdown", zero: true, flat: [-0.01, 0], tick: (value) => `${formatted(value * 100, "ratio")}%`.replace(/\.?0+%/, "%"), items };
}

function sharpePanel(lines) {
  const items = lines.filter((line) => line.sharpe?.times.length).map(({ name, look, dash, sharpe }) => ({
    kind: "line", of: name, look, dash, thin: true, x: sharpe.times, y: sharpe.values,
    texts: (index) => (sharpe.values[index] === null ? "" : `${lines[0].name === name ? "" : `${name} `}${sharpe.days}-day Sharpe ${formatted(sharpe.values[index], "ratio")}`),
  }));
  return { share: 1, title: items.length ? `Sharpe of the last ${lines.find((line) => line.sharpe).sharpe.days} days` : "", zero: true, items };
}

/* A move sits on the curve at the last point at or before it: liquidations happen between settlements. */
function markItem(line, { name, shape, look, of }) {
  const moves = (line.moves ?? []).filter(of);
  return {
    kind: "marks", name, shape, look, radius: line.moves?.length > MANY_MARKS ? 3.5 : 5.5,
    x: moves.map((move) => move.t), y: moves.map((move) => Number(line.values[Math.max(0, lastAtOrBefore(line.times, move.t))])),
    texts: moves.map(moveText),
  };
}

function moveText({ action, symbol, reason, net_pnl: net }) {
  return action === "open" ? `opened ${symbol}` : `closed ${symbol} (${reason}), net P&L ${net}`;
}

const AMOUNT = new Intl.NumberFormat("en-US", { maximumFractionDigits: 2 });
export const amountTick = (value) => AMOUNT.format(value);
