/* Rates per 8 hours as traders say them, beside the raw figure. */
const SETTLEMENTS_A_YEAR = 3 * 365;

/* Halves go up as on the server; a float's last digits are left out first, since 5.475 may be 5.474999. */
const trimmed = (value, places) => String((Math.sign(value) * Math.round(Number((Math.abs(value) * 10 ** places).toPrecision(12)))) / 10 ** places);
export const bps = (rate) => trimmed(rate * 10_000, 3);
const yearly = (rate) => trimmed(rate * SETTLEMENTS_A_YEAR * 100, 2);

/* One rate, or the span of several. */
export function rateWords(low, high = low) {
  if (low === high) return `${bps(low)} bp per 8 h, ${yearly(low)} % a year`;
  return `${bps(low)} to ${bps(high)} bp per 8 h, ${yearly(low)} to ${yearly(high)} % a year`;
}

/* The words for a value of an axis as text, "" where the axis is no rate or does not apply. */
export const rateOf = (axis, text) => (axis?.rate && text !== null && Number.isFinite(Number(text)) ? rateWords(Number(text)) : "");

/* The words for all values of an axis. */
export function rateSpan(axis) {
  const known = axis?.rate ? axis.values.filter((text) => text !== "null").map(Number).filter(Number.isFinite) : [];
  return known.length ? rateWords(Math.min(...known), Math.max(...known)) : "";
}
