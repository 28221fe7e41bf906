/* Text of a field to the JSON value it stands for, and back. Decimals stay text, so no digit passes through a float. */
const INTEGER = /^-?\d{1,15}$/;

export function valueOf(text, kind) {
  const given = text.trim();
  if (given === "none" || given === "null") return null;
  if (kind === "boolean" && (given === "true" || given === "false")) return given === "true";
  if (kind === "integer" && INTEGER.test(given)) return Number(given);
  return given;
}

export function valuesOf(text, kind) {
  return text
    .split(/[,\n]/)
    .map((part) => part.trim())
    .filter(Boolean)
    .map((part) => valueOf(part, kind));
}

export function textOf(value) {
  if (value === null || value === undefined) return "none";
  return Array.isArray(value) ? value.map(textOf).join(", ") : String(value);
}
