/* One row for each parameter: left at its default, fixed, or varied. */
import { isObject } from "./json_text.js";
import { textOf, valueOf, valuesOf } from "./values.js";

const RANGES = { step: ["start", "stop", "step"], num: ["start", "stop", "num"], log: ["start", "stop", "num"] };

export class ParameterRows {
  /* `tied` gives an axis that is new the condition under which it applies, `follow` says whether other axes changed with a parameter. */
  constructor(root, source, changed, tied, follow) {
    this.root = root;
    this.source = source;
    this.rows = [...root.querySelectorAll(".param")];
    root.addEventListener("input", (event) => {
      const row = event.target.closest(".param");
      if (!row) return;
      if (event.target.matches(".mode")) this.prefill(row);
      const { param } = row.dataset;
      const before = this.source().read(param);
      const entry = entryOf(row, before);
      const fresh = Boolean(entry?.axis && !before?.axis);
      this.source().write(param, fresh ? { axis: tied(param, entry.axis) } : entry);
      const followed = follow(param);
      this.dress(row);
      this.count();
      changed(fresh || followed);
    });
  }

  /* Show what is written, under some strategies; `preset` holds the values that stand in for defaults. */
  show(strategies, preset, presetName) {
    for (const row of this.rows) {
      const entry = this.source().read(row.dataset.param);
      const readers = row.dataset.strategies.split(" ").filter(Boolean);
      row.hidden = !entry && readers.length > 0 && !readers.some((one) => strategies.includes(one));
      const { param, default: usual } = row.dataset;
      row.dataset.effective = param in preset ? textOf(preset[param]) : usual;
      const usually = row.querySelector("option[value=default]");
      if (usually) usually.textContent = param in preset ? `${presetName} ${row.dataset.effective}` : `default ${usual}`;
      if (!row.contains(document.activeElement) || document.activeElement.matches(".mode")) fill(row, entry);
      this.dress(row);
    }
    for (const group of this.root.querySelectorAll(".params")) {
      group.hidden = [...group.querySelectorAll(".param")].every((row) => row.hidden);
    }
    this.count();
  }

  prefill(row) {
    const known = row.dataset.effective === "required" || row.dataset.effective === "none" ? "" : row.dataset.effective;
    for (const name of ["value", "list", "start", "stop"]) {
      const input = row.querySelector(`[data-part=${name}]`);
      if (input && !input.value) input.value = known;
    }
    const choice = row.querySelector("select[data-part=value]");
    if (choice && known && modeIn(row) === "value") choice.value = known;
    if (row.dataset.kind === "boolean") row.querySelector("[data-part=list]").value = "false, true";
  }

  dress(row) {
    const mode = modeIn(row);
    row.dataset.mode = mode;
    for (const input of row.querySelectorAll("[data-modes]")) input.hidden = !input.dataset.modes.split(" ").includes(mode);
  }

  count() {
    for (const group of this.root.querySelectorAll(".params")) {
      const modes = [...group.querySelectorAll(".param:not([hidden])")].map((row) => row.dataset.mode);
      const fixed = modes.filter((mode) => mode === "value").length;
      const varied = modes.filter((mode) => mode !== "value" && mode !== "default").length;
      const words = [varied && `${varied} varied`, fixed && `${fixed} set`].filter(Boolean);
      group.querySelector("[data-count]").textContent = words.join(", ") || `${modes.length} at their defaults`;
    }
  }
}

function part(row, name) {
  return row.querySelector(`[data-part=${name}]`);
}

/* A row without a choice of modes is at its default while it is empty. */
function modeIn(row) {
  const mode = row.querySelector(".mode");
  if (mode) return mode.value;
  return part(row, "value").value.trim() ? "value" : "default";
}

function entryOf(row, before) {
  const mode = modeIn(row);
  const { kind } = row.dataset;
  if (mode === "default") return null;
  if (mode === "value") return { value: valueOf(part(row, "value").value, kind) };
  const when = isObject(before?.axis) && before.axis.when ? { when: before.axis.when } : null;
  if (mode === "list") {
    const values = valuesOf(part(row, "list").value, kind);
    return { axis: when ? { values, ...when } : values };
  }
  const range = Object.fromEntries(RANGES[mode].map((name) => [name, valueOf(part(row, name).value, name === "num" ? "integer" : kind)]));
  if (mode === "log") range.scale = "log";
  return { axis: { ...range, ...when } };
}

function fill(row, entry) {
  const mode = modeOf(row, entry);
  const chooser = row.querySelector(".mode");
  if (chooser) chooser.value = mode;
  else if (mode === "default") part(row, "value").value = "";
  const when = row.querySelector("[data-when]");
  if (when) {
    const condition = isObject(entry?.axis) ? entry.axis.when : null;
    when.hidden = !condition;
    when.textContent = isObject(condition) ? `only where ${Object.entries(condition).map(([name, value]) => `${name} is ${textOf(value)}`).join(" and ")}` : "";
  }
  if (mode === "default") return;
  const { kind } = row.dataset;
  if (mode === "value") part(row, "value").value = textOf(entry.value, kind);
  else if (mode === "list") part(row, "list").value = listOf(entry.axis).map((value) => textOf(value, kind)).join(", ");
  else for (const name of RANGES[mode]) part(row, name).value = textOf(entry.axis[name] ?? "");
}

function listOf(axis) {
  return Array.isArray(axis) ? axis : (axis?.values ?? []);
}

function modeOf(row, entry) {
  if (!entry) return "default";
  if ("value" in entry) return "value";
  const { axis } = entry;
  if (!isObject(axis) || "values" in axis || !part(row, "start")) return "list";
  if (axis.scale === "log") return "log";
  return "num" in axis ? "num" : "step";
}
