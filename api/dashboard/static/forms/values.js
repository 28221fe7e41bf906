/* Text of a field to the JSON value it stands for, and back. Decimals stay text, so no digit passes through a float. */
import { isObject, oneLine, parsed } from "./json_text.js";

const INTEGER = /^-?\d{1,15}$/;

export function valueOf(text, kind) {
  const given = text.trim();
  if (kind === "json") return fromJson(given, given);
  if (kind === "choice") return given; // none can be one of the choices
  if (given === "none" || given === "null") return null;
  if (kind === "boolean" && (given === "true" || given === "false")) return given === "true";
  if (kind === "integer" && INTEGER.test(given)) return Number(given);
  return given;
}

export function valuesOf(text, kind) {
  if (kind === "json") return fromJson(`[${text}]`, [text.trim()]);
  return text
    .split(/[,\n]/)
    .map((part) => part.trim())
    .filter(Boolean)
    .map((part) => valueOf(part, kind));
}

/* What is no JSON yet goes to the service as it is, which says what is wrong with it. */
function fromJson(text, otherwise) {
  if (text === "none") return null;
  try {
    return parsed(text);
  } catch {
    return otherwise;
  }
}

export function textOf(value, kind = "") {
  if (value === null || value === undefined) return "none";
  if (isObject(value) || (kind === "json" && Array.isArray(value))) return oneLine(value);
  if (Array.isArray(value)) return value.length ? value.map((one) => textOf(one)).join(", ") : "[]";
  return String(value);
}
