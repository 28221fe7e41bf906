/* Amounts arrive as exact text; Intl rounds that text itself, so no digit passes through a float. */
const grouped = (places) =>
  new Intl.NumberFormat("en-US", { minimumFractionDigits: places, maximumFractionDigits: places });
const TWO = grouped(2);
const NONE = grouped(0);
const ONE = grouped(1);
const THREE = grouped(3);
const compact = (digits) =>
  new Intl.NumberFormat("en-US", { notation: "compact", minimumSignificantDigits: digits, maximumSignificantDigits: digits });
const COMPACT = compact(3);
const MOST_DIGITS = 9;

export function formatted(value, kind) {
  if (value === null || value === undefined) return "–";
  if (kind === "money") return TWO.format(value);
  if (kind === "share") return `${TWO.format(value * 100)} %`;
  if (kind === "count") return NONE.format(value);
  if (kind === "days") return `${ONE.format(value)} d`;
  if (kind === "hours") return `${TWO.format(value)} h`;
  return THREE.format(value);
}

/* A number in few characters, with `more` digits than usual. */
export function short(value, kind, more = 0) {
  if (value === null || value === undefined) return "";
  if (kind === "share") return `${withoutNegativeZero((value * 100).toFixed(1 + more))}%`;
  if (kind === "ratio") return withoutNegativeZero(Number(value).toFixed(2 + more));
  if (kind === "count") return (more ? grouped(more) : NONE).format(value);
  return (more ? compact(3 + more) : COMPACT).format(value);
}

/* The numbers along an axis, no two of them the same text: with more digits where they lie close together. */
export function shortTicks(ticks, kind) {
  for (let more = 0; ; more++) {
    const texts = ticks.map((tick) => short(tick, kind, more));
    if (more === MOST_DIGITS || new Set(texts).size === texts.length) return ticks.map((at, index) => ({ at, text: texts[index] }));
  }
}

/* A number with what it counts: 1 trial, 1,200 trials; `many` where an s is not enough. */
export const counted = (number, one, many = `${one}s`) => `${NONE.format(number)} ${number === 1 ? one : many}`;

function withoutNegativeZero(text) {
  return Number(text) === 0 ? text.replace("-", "") : text;
}
