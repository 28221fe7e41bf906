import { drawChart, showWaiting } from "../charts/chart.js";
import { amountTick } from "../charts/equity.js";
import { formatted } from "../format.js";

const LOOKS = ["accent", "second", "line3", "line4", "line5", "line6", "line7", "line8"];
const DASHES = ["", "mixed", "dotted", "dashed"];
const shareTick = (value) => `${Number((value * 100).toPrecision(6))}%`;

/* Equity and free cash of each exchange; below, how far each margined leg was from the price that takes it. */
export function drawAccounts(chart, { wallets, margins }, unit, { span = null, onSpan = null } = {}) {
  if (!wallets) return showWaiting(chart, "This run has one account and no margins to tell of.");
  const panels = [{ share: 2, title: `Wallets, ${unit}`, tick: amountTick, items: wallets.lines.map((line) => walletLine(line, wallets)) }];
  if (margins.length) panels.push({ share: 2, title: "Distance to liquidation", zero: true, tick: shareTick, items: margins.flatMap(marginItems) });
  drawChart(chart, { x: { type: "time", title: "UTC", domain: span ?? [wallets.times[0], wallets.times.at(-1)] }, panels, onSpan });
  chart.dataset.drawn = String(wallets.times.length);
}

function walletLine({ name, what, values }, { times, lines }) {
  const exchange = lines.findIndex((line) => line.name === name);
  const title = what === "under way" ? "Under way" : what === "free" ? `${name}, free cash` : name;
  return {
    kind: "line", name: title, look: LOOKS[exchange % LOOKS.length], dash: { free: "dotted", "under way": "mixed" }[what], step: what !== "equity",
    thin: what !== "equity", x: times, y: values.map(Number), texts: (index) => `${title} ${formatted(values[index], "money")}`,
  };
}

function marginItems({ leg, market, times, distance, reached, wiped_out_at: wipedOutAt, liquidated }, place) {
  const name = `${leg} ${market}`;
  const line = {
    kind: "line", name, look: LOOKS[place % LOOKS.length], dash: DASHES[place % DASHES.length], x: times, y: distance,
    texts: (index) => (distance[index] === null ? "" : `${name} ${formatted(distance[index], "share")}: mark ${formatted(reached[index], "price")}, taken at ${formatted(String(wipedOutAt[index]), "price")}`),
  };
  if (!liquidated.length) return [line];
  const mark = { kind: "marks", name: "Liquidated", look: "bad", shape: "cross", x: liquidated, y: liquidated.map(() => 0), texts: () => `${name} liquidated` };
  return [line, mark];
}

export function accountsNote({ margins, left_out: more }) {
  if (!margins.length) return "No leg has a margin that a mark price could take.";
  const nearest = margins[0];
  const leg = `${nearest.leg} ${nearest.market}`;
  const told = nearest.nearest > 0
    ? `The nearest that a mark price came to taking a leg: ${formatted(nearest.nearest, "share")}, ${leg}.`
    : `A mark price went ${formatted(-nearest.nearest, "share")} beyond the one that takes ${leg}.`;
  return more ? `${told} Shown are the ${margins.length} legs that came nearest; ${more} more stayed farther away.` : told;
}
