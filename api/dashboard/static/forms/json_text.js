/* JSON as a person would write it: what fits on a line stays on one. */
const WIDTH = 88;
const EXACT_DIGITS = 15;

export function written(value, indent = "") {
  const line = oneLine(value);
  if (value === null || typeof value !== "object" || (indent && line.length + indent.length <= WIDTH)) return line;
  const inner = `${indent}  `;
  const list = Array.isArray(value);
  const parts = list
    ? value.map((item) => inner + written(item, inner))
    : Object.entries(value).map(([name, item]) => `${inner}${JSON.stringify(name)}: ${written(item, inner)}`);
  if (!parts.length) return list ? "[]" : "{}";
  return `${list ? "[" : "{"}\n${parts.join(",\n")}\n${indent}${list ? "]" : "}"}`;
}

export function oneLine(value) {
  if (Array.isArray(value)) return `[${value.map(oneLine).join(", ")}]`;
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  const members = Object.entries(value).map(([name, item]) => `${JSON.stringify(name)}: ${oneLine(item)}`);
  return members.length ? `{${members.join(", ")}}` : "{}";
}

/* A number with more digits than a float holds stays as it was written, as text; the service takes both. */
export function parsed(text) {
  return JSON.parse(text, (_, value, context) => (typeof value === "number" && isLong(context?.source) ? context.source : value));
}

const isLong = (source) => source !== undefined && source.replace(/[eE].*/, "").replace(/\D/g, "").replace(/^0+/, "").length > EXACT_DIGITS;

export function isObject(value) {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}
