/* Amounts arrive as exact text; Intl rounds that text itself, so no digit passes through a float. */
const grouped = (places) =>
  new Intl.NumberFormat("en-US", { minimumFractionDigits: places, maximumFractionDigits: places });
const TWO = grouped(2);
const NONE = grouped(0);
const ONE = grouped(1);
const THREE = grouped(3);
const COMPACT = new Intl.NumberFormat("en-US", { notation: "compact", minimumSignificantDigits: 3, maximumSignificantDigits: 3 });

export function formatted(value, kind) {
  if (value === null || value === undefined) return "–";
  if (kind === "money") return TWO.format(value);
  if (kind === "share") return `${TWO.format(value * 100)} %`;
  if (kind === "count") return NONE.format(value);
  if (kind === "days") return `${ONE.format(value)} d`;
  if (kind === "hours") return `${TWO.format(value)} h`;
  return THREE.format(value);
}

export function short(value, kind) {
  if (value === null || value === undefined) return "";
  if (kind === "share") return `${withoutNegativeZero((value * 100).toFixed(1))}%`;
  if (kind === "ratio") return withoutNegativeZero(Number(value).toFixed(2));
  return kind === "count" ? NONE.format(value) : COMPACT.format(value);
}

/* A number with what it counts: 1 trial, 1,200 trials; `many` where an s is not enough. */
export const counted = (number, one, many = `${one}s`) => `${NONE.format(number)} ${number === 1 ? one : many}`;

function withoutNegativeZero(text) {
  return Number(text) === 0 ? text.replace("-", "") : text;
}
