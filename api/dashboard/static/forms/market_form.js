/* Exchange, symbols, window, strategies and preset: what a form asks for in its own words. */
import { HedgePicker } from "./hedge_picker.js";
import { isObject } from "./json_text.js";
import { textOf } from "./values.js";

const DAY_MS = 86_400_000;

export class MarketForm {
  /* `conditions` name, by parameter, the other one under some values of which alone it is read. */
  constructor(root, { markets, strategies, strategy, conditions = {} }, source, changed) {
    Object.assign(this, { root, markets, strategy, conditions, source, changed });
    this.known = new Map(strategies.map((one) => [one.name, one]));
    this.hedges = new HedgePicker(source, this, changed);
    this.on("exchange", "change", (select) => this.moveTo(select.value));
    for (const name of ["start", "end"]) this.on(name, "input", (input) => this.set(name, input.value.trim() ? { value: input.value.trim() } : null));
    root.addEventListener("change", (event) => {
      if (event.target.matches("#symbols input, #pool input")) this.writeSymbols();
      if (event.target.name === "strategy") this.choose();
      if (event.target.id === "preset") this.takePreset(event.target.value);
    });
    root.addEventListener("click", (event) => {
      const button = event.target.closest("button[data-window]");
      if (button) this.takeWindow(button.dataset.window);
      if (event.target.closest("#first-grid")) this.takeGrids();
      if (event.target.closest("#every-symbol")) this.takeSymbols();
    });
  }

  on(id, event, act) {
    const element = document.getElementById(id);
    element.addEventListener(event, () => act(element));
  }

  set(name, entry) {
    this.source().write(name, entry);
    this.changed(true);
  }

  get exchange() {
    return this.source().read("exchange")?.value ?? this.markets[0]?.exchange;
  }

  /* Symbols as written: a list of names, and whether each is a value of its own. */
  symbols() {
    const entry = this.source().read("symbols");
    const values = entry?.axis ?? entry?.value ?? [];
    const list = Array.isArray(values) ? values : isObject(values) && Array.isArray(values.values) ? values.values : [values];
    const singles = list.map((one) => (Array.isArray(one) && one.length === 1 ? one[0] : one));
    return { names: [...new Set(singles.flat())].map(String), alone: Boolean(entry?.axis), plain: singles.every((one) => typeof one === "string") };
  }

  strategies() {
    const entry = this.source().read("strategy_mode");
    const axis = isObject(entry?.axis) ? entry.axis.values : entry?.axis;
    return [axis ?? entry?.value ?? this.strategy].flat().map(String);
  }

  preset() {
    const name = this.source().read("preset")?.value;
    return { name, values: this.valuesOf(name) };
  }

  valuesOf(preset) {
    const values = {};
    for (const one of this.strategies().toReversed()) Object.assign(values, this.known.get(one)?.presets[preset]);
    return values;
  }

  presets() {
    return Object.assign({}, ...this.strategies().map((one) => this.known.get(one)?.presets ?? {}));
  }

  /* Markets of the exchange that are spot against a perp. */
  here() {
    return this.markets.filter((one) => one.exchange === this.exchange);
  }

  /* What may be chosen, by name; null while that is not known. */
  offered() {
    return this.hedges.active ? this.hedges.options : new Map(this.here().map((one) => [one.symbol, one]));
  }

  extent() {
    const { names } = this.symbols();
    const held = [...(this.offered()?.values() ?? [])].filter((one) => one.first && (!names.length || names.includes(one.symbol)));
    if (!held.length) return null;
    return { first: held.map((one) => one.first).sort().at(-1), last: held.map((one) => one.last).sort()[0] };
  }

  show() {
    this.showExchange();
    this.hedges.show();
    this.showSymbols();
    for (const name of ["start", "end"]) showText(document.getElementById(name), this.source().read(name));
    const extent = this.extent();
    const unknown = this.offered() ? "nothing is held of these" : "";
    document.getElementById("held").textContent = extent ? `held: ${extent.first} to ${extent.last}` : unknown;
    const chosen = this.strategies();
    for (const box of this.root.querySelectorAll("[name=strategy]")) box.checked = chosen.includes(box.value);
    this.showPresets(chosen);
    const grids = document.getElementById("first-grid");
    if (grids) grids.disabled = chosen.every((one) => !Object.keys(this.known.get(one)?.default_grid ?? {}).length);
  }

  showExchange() {
    const select = document.getElementById("exchange");
    const varied = Boolean(this.source().read("exchange")?.axis);
    select.disabled = varied;
    const wanted = String(this.exchange ?? "");
    if (![...select.options].some((option) => option.value === wanted)) select.add(new Option(wanted, wanted));
    select.value = wanted;
  }

  showSymbols() {
    const { names, alone, plain } = this.symbols();
    const offered = this.offered();
    const held = offered ?? new Map();
    const box = document.getElementById("symbols");
    const focused = box.contains(document.activeElement) ? document.activeElement.value : null;
    box.replaceChildren(...[...new Set([...held.keys(), ...names])].map((symbol) => choice(symbol, names.includes(symbol), held.get(symbol), Boolean(offered))));
    for (const input of box.querySelectorAll("input")) {
      input.disabled = !plain;
      if (input.value === focused) input.focus();
    }
    const pool = document.getElementById("pool");
    if (!pool) return;
    for (const radio of pool.querySelectorAll("input")) {
      radio.checked = (radio.value === "alone") === alone;
      radio.disabled = !plain;
    }
    document.getElementById("pool-note").hidden = plain;
  }

  showPresets(chosen) {
    const select = document.getElementById("preset");
    const names = [...new Set(chosen.flatMap((one) => Object.keys(this.known.get(one)?.presets ?? {})))];
    const wanted = this.source().read("preset")?.value;
    if (wanted !== undefined && !names.includes(String(wanted))) names.push(String(wanted));
    select.replaceChildren(new Option("none", ""), ...names.map((name) => new Option(name, name)));
    select.value = wanted === undefined ? "" : String(wanted);
    select.disabled = !names.length;
  }

  moveTo(exchange) {
    this.source().write("exchange", { value: exchange });
    if (this.hedges.active) {
      this.hedges.adapt();
      return this.changed(true);
    }
    const here = this.here();
    const usable = here.filter((one) => !one.lacks);
    const held = (usable.length ? usable : here).map((one) => one.symbol);
    const { names } = this.symbols();
    const kept = names.filter((name) => held.includes(name));
    const first = held.find((name) => name.startsWith("BTC/")) ?? held[0];
    this.take(kept.length ? kept : [first]);
  }

  /* Write symbols, each a value of its own where they are an axis. */
  take(names) {
    this.set("symbols", this.symbols().alone ? { axis: names } : { value: names });
  }

  takeSymbols() {
    const inputs = [...this.root.querySelectorAll("#symbols input")];
    const named = this.hedges.distinct(inputs.map((input) => input.value));
    for (const input of inputs) input.checked = named.has(input.value);
    this.writeSymbols();
  }

  writeSymbols() {
    const chosen = [...this.root.querySelectorAll("#symbols input:checked")].map((input) => input.value);
    const alone = this.root.querySelector("#pool input[value=alone]")?.checked;
    this.set("symbols", alone ? { axis: chosen } : { value: chosen });
  }

  /* Parameters that no chosen strategy reads would only repeat runs, so they go; a strategy without axes gets its first ones. */
  choose() {
    const chosen = [...this.root.querySelectorAll("[name=strategy]:checked")].map((box) => box.value);
    if (!chosen.length) return this.changed(true);
    this.source().write("strategy_mode", chosen.length > 1 ? { axis: chosen } : { value: chosen[0] });
    const read = new Set(chosen.flatMap((one) => Object.keys(this.known.get(one).parameters.properties ?? {})));
    for (const one of this.known.values()) {
      for (const name of Object.keys(one.parameters.properties ?? {})) if (!read.has(name)) this.source().write(name, null);
    }
    const preset = this.source().read("preset")?.value;
    if (preset && !chosen.some((one) => preset in this.known.get(one).presets)) this.source().write("preset", null);
    const axes = Object.keys(this.source().grid ?? { none: null }).filter((name) => name !== "strategy_mode");
    if (!axes.length) this.writeGrids();
    this.tieAgain();
    this.changed(true);
  }

  /* Return an axis that some of several chosen strategies, or values of another axis, read as one for those alone: the others would only repeat runs. */
  tied(name, axis) {
    const when = {};
    const chosen = this.strategies();
    const readers = chosen.filter((one) => name in (this.known.get(one)?.parameters.properties ?? {}));
    if (readers.length && readers.length < chosen.length) when.strategy_mode = readers;
    const [other, reading] = this.reading(name);
    if (reading) when[other] = reading;
    if (!Object.keys(when).length) return axis;
    return { ...(Array.isArray(axis) ? { values: axis } : axis), when };
  }

  /* Return the parameter that another one is read under, and those of its varied values; null where all or none of them read it. */
  reading(name) {
    const [other, values] = this.conditions[name] ?? [null, []];
    const axis = this.source().grid?.[other];
    const varied = Array.isArray(axis) ? axis : (axis?.values ?? []);
    const reading = varied.filter((one) => values.includes(one));
    return [other, reading.length && reading.length < varied.length ? reading : null];
  }

  /* Axes that are read under values of `changed` follow it, other conditions stay; return whether there are any. */
  tieTo(changed) {
    let found = false;
    for (const [name, axis] of Object.entries(this.source().grid ?? {})) {
      const [other, reading] = this.reading(name);
      if (other !== changed) continue;
      const { when = {}, ...free } = isObject(axis) ? axis : { values: axis };
      const { [other]: _, ...kept } = when;
      const conditions = reading ? { ...kept, [other]: reading } : kept;
      const plain = Object.keys(free).join() === "values" ? free.values : free;
      const tied = Object.keys(conditions).length ? { ...free, when: conditions } : plain;
      this.source().write(name, { axis: tied });
      found = true;
    }
    return found;
  }

  /* Conditions that the form writes follow the choice of strategies; others were written by hand and stay. */
  tieAgain() {
    for (const [name, axis] of Object.entries(this.source().grid ?? {})) {
      if (name === "strategy_mode") continue;
      const { when = {}, ...free } = isObject(axis) ? axis : { values: axis };
      if (Object.keys(when).some((other) => other !== "strategy_mode" && other !== this.conditions[name]?.[0])) continue;
      const plain = Object.keys(free).join() === "values" ? free.values : free;
      this.source().write(name, { axis: this.tied(name, plain) });
    }
  }

  /* A sweep names its preset, whose values then stand where it says nothing itself; a run holds the values. */
  takePreset(name) {
    const named = "grid" in this.source();
    this.source().write("preset", named && name ? { value: name } : null);
    for (const [parameter, value] of Object.entries(this.valuesOf(name))) {
      const entry = this.source().read(parameter);
      if (!named) this.source().write(parameter, { value });
      else if (entry && "value" in entry) this.source().write(parameter, null);
    }
    this.hedges.adapt();
    this.changed(true);
  }

  takeGrids() {
    this.writeGrids();
    this.changed(true);
  }

  writeGrids() {
    for (const one of this.strategies()) {
      const suggested = this.suggested?.[one]?.grid ?? {};
      const grid = Object.keys(suggested).length ? suggested : (this.known.get(one)?.default_grid ?? {});
      for (const [name, axis] of Object.entries(grid)) this.source().write(name, { axis: this.tied(name, structuredClone(axis)) });
    }
  }

  takeWindow(days) {
    const extent = this.extent();
    if (!extent?.first) return;
    const start = days ? new Date(Date.parse(`${extent.last}T00:00:00Z`) - Number(days) * DAY_MS).toISOString().slice(0, 10) : extent.first;
    this.useWindow(start < extent.first ? extent.first : start, extent.last);
  }

  useWindow(start, end) {
    this.source().write("start", { value: start });
    this.source().write("end", { value: end });
    this.changed(true);
  }
}

function showText(input, entry) {
  input.disabled = Boolean(entry?.axis);
  if (input === document.activeElement) return;
  input.value = entry?.axis ? "varied" : entry ? textOf(entry.value) : "";
}

function choice(symbol, checked, held, known) {
  const label = document.createElement("label");
  const input = Object.assign(document.createElement("input"), { type: "checkbox", value: symbol, checked });
  label.append(input, ` ${symbol}${!held ? (known ? " (not held)" : "") : held.lacks ? ` (${held.lacks})` : ""}`);
  if (held?.first) label.title = `held from ${held.first} to ${held.last}`;
  return label;
}
