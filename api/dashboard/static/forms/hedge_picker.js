/* Hedges beside spot against a perp of one exchange: structure, exchanges of the legs, names, and what is held of both legs. */
import { getJson } from "../requests.js";

const USUAL = "spot_perp";
const SETTLED_MS = 200;
const MOST_NAMED = 100;
const SELECTS = { structure: "structure", long_exchange: "long-exchange", short_exchange: "short-exchange" };

export class HedgePicker {
  /* `form` is the form of markets: it tells names, exchange and preset, and takes names. */
  constructor(source, form, changed) {
    Object.assign(this, { source, form, changed, answer: null, asked: new Set(), told: new Set(), question: null, problem: "", retarget: false });
    this.place = document.getElementById("legs");
    this.note = document.getElementById("hedge-note");
    this.preset = document.getElementById("structure-preset");
    for (const [name, id] of Object.entries(SELECTS)) {
      const select = document.getElementById(id);
      select.addEventListener("change", () => this.write(name, select.value));
    }
    this.preset.addEventListener("click", () => form.takePreset(this.preset.value));
    document.getElementById("add-hedge").addEventListener("click", () => this.addWritten());
  }

  get varied() {
    return ["exchange", ...Object.keys(SELECTS)].some((name) => this.source().read(name)?.axis);
  }

  value(name) {
    return this.source().read(name)?.value ?? this.form.preset().values[name];
  }

  get structure() {
    return String(this.value("structure") ?? USUAL);
  }

  /* Whether names are those of hedges, which only the server can tell. */
  get active() {
    const elsewhere = this.varied || this.value("long_exchange") || this.value("short_exchange");
    return Boolean(elsewhere || this.structure !== USUAL || this.form.symbols().names.some((name) => name.includes(">")));
  }

  /* Whether names may still be those of another structure or exchange, which the server is known to refuse. */
  get choosing() {
    return this.retarget && this.active && !this.varied && !this.answer && !this.problem;
  }

  /* Hedges by name as the server tells of them; null while it is asked, and for structures that vary. What lacks something and
     is told of for having been asked after alone, as the symbol of another structure, is an option only while it is chosen. */
  get options() {
    if (!this.answer) return null;
    const { names } = this.form.symbols();
    const told = this.answer.hedges.filter((one) => !one.lacks || !this.told.has(one.name) || names.includes(one.name));
    return new Map(told.map((one) => [one.name, { ...one, symbol: one.name }]));
  }

  /* Names without those of a hedge that another one stands for already, `A<>B` before `A>B`: no run takes one twice. */
  distinct(names) {
    const taken = new Set();
    const kept = new Set();
    for (const name of [...names].sort((one, other) => other.includes("<>") - one.includes("<>"))) {
      const ways = this.ways(name);
      if (ways.some((way) => taken.has(way))) continue;
      for (const way of ways) taken.add(way);
      kept.add(name);
    }
    return kept;
  }

  ways(name) {
    const legs = this.options?.get(name)?.legs ?? [];
    if (!legs.length) return [name];
    const [long, short] = legs.map((leg) => `${leg.symbol}@${leg.exchange}`);
    return name.includes("<>") ? [`${long}>${short}`, `${short}>${long}`] : [`${long}>${short}`];
  }

  write(name, wanted) {
    const usual = name === "structure" ? USUAL : "";
    const preset = this.form.preset().values[name];
    this.source().write(name, wanted === (preset ?? usual) ? null : { value: wanted });
    this.adapt();
    this.changed(true);
  }

  /* Hedges end with their recorded lives, so what ends stale markets goes, and comes back with spot against a perp. */
  adapt() {
    this.retarget = true;
    const entry = this.source().read("end_dead_markets");
    if (this.active && entry?.value === true) {
      this.source().write("end_dead_markets", null);
      this.ended = true;
    } else if (!this.active && this.ended) {
      if (!entry) this.source().write("end_dead_markets", { value: true });
      this.ended = false;
    }
  }

  show() {
    for (const [name, id] of Object.entries(SELECTS)) this.showSelect(name, document.getElementById(id));
    const asks = this.active && !this.varied;
    document.getElementById("other-hedge").hidden = !asks;
    if (asks) this.ask();
    else {
      this.answer = this.question = null;
      if (this.retarget && !this.varied) this.choose(this.form.here());
    }
    this.showPreset();
    this.tell();
  }

  showSelect(name, select) {
    const wanted = String(this.value(name) ?? (name === "structure" ? USUAL : ""));
    if (![...select.options].some((option) => option.value === wanted)) select.add(new Option(wanted, wanted));
    select.value = wanted;
    select.disabled = Boolean(this.source().read(name)?.axis);
  }

  showPreset() {
    const presets = this.active ? this.form.presets() : {};
    const [name, values] = Object.entries(presets).find(([, one]) => one.structure === this.structure) ?? [];
    const taken = !name || Object.entries(values).every(([parameter, value]) => String(this.value(parameter)) === String(value));
    this.preset.hidden = taken;
    this.preset.value = taken ? "" : name;
    this.preset.textContent = taken ? "" : `Use preset ${name}: thresholds and margin for this structure`;
  }

  ask() {
    const query = new URLSearchParams({ structure: this.structure, exchange: this.form.exchange });
    for (const name of ["long_exchange", "short_exchange"]) if (this.value(name)) query.set(name, this.value(name));
    const question = String(query);
    const { names } = this.form.symbols();
    const known = this.options;
    if (question === this.question && names.every((name) => known?.has(name) || this.asked.has(name))) return;
    if (question !== this.question) Object.assign(this, { answer: null, problem: "" });
    this.question = question;
    this.asked = new Set(names);
    for (const name of names.slice(0, MOST_NAMED)) query.append("symbols", name);
    clearTimeout(this.waiting);
    this.waiting = setTimeout(() => this.take(question, names, `/data/hedges?${query}`), this.answer ? SETTLED_MS : 0);
  }

  async take(question, names, address) {
    let answer = null;
    let problem = "";
    try {
      answer = await getJson(address);
    } catch (error) {
      problem = error.problem?.errors?.map(({ field, message }) => `${field}: ${message}`).join("; ") ?? error.message;
    }
    if (question !== this.question) return;
    Object.assign(this, { answer, problem, told: new Set(names) });
    this.fillLegs();
    if (answer && this.retarget && this.choose([...this.options.values()])) return;
    this.changed(true);
  }

  /* After another structure or exchange, names that do not fit give way to the first that can be replayed. */
  choose(options) {
    this.retarget = false;
    const { names } = this.form.symbols();
    const usable = options.filter((one) => !one.lacks).map((one) => one.symbol);
    if (!usable.length || (names.length && names.every((name) => usable.includes(name)))) return false;
    this.form.take([usable[0]]);
    return true;
  }

  tell() {
    const { names } = this.form.symbols();
    const chosen = this.active ? names.map((name) => this.options?.get(name)).filter(Boolean) : [];
    this.place.hidden = !chosen.length;
    this.place.querySelector("tbody").replaceChildren(...chosen.flatMap(legRows));
    let words = "";
    if (this.active && this.answer && this.answer.hedges.every((one) => one.lacks)) {
      words = "Nothing that is held makes a hedge of this structure on these exchanges: choose others for its legs, or import the data first.";
    }
    this.note.textContent = (this.active && this.problem) || words;
    this.note.hidden = !this.note.textContent;
  }

  fillLegs() {
    for (const [id, markets] of [["long-leg", this.answer?.long_markets], ["short-leg", this.answer?.short_markets]]) {
      const select = document.getElementById(id);
      const before = select.value;
      const options = (markets ?? []).map(({ exchange, symbol }) => new Option(`${symbol} on ${exchange}`, `${symbol}@${exchange}`));
      select.replaceChildren(...options);
      if (options.some((option) => option.value === before)) select.value = before;
    }
    document.getElementById("both-ways").closest("label").hidden = this.structure !== "perp_perp";
  }

  addWritten() {
    const [long, short] = ["long-leg", "short-leg"].map((id) => document.getElementById(id).value);
    if (!long || !short) return;
    const both = document.getElementById("both-ways");
    const sign = both.checked && !both.closest("label").hidden ? "<>" : ">";
    this.form.take([...new Set([...this.form.symbols().names, `${long}${sign}${short}`])]);
  }
}

function legRows(hedge) {
  if (!hedge.legs.length) return [row([hedge.name, "", "", hedge.lacks], true)];
  return hedge.legs.map((leg, place) => {
    const held = leg.first ? `${leg.first} to ${leg.last}` : "nothing";
    const market = `${place ? "short" : "long"} ${leg.symbol} on ${leg.exchange}`;
    return row([place ? "" : hedge.name, market, held, leg.lacks || leg.records.join(", ") || "nothing"], Boolean(leg.lacks));
  });
}

function row(texts, lacks) {
  const line = document.createElement("tr");
  for (const text of texts) line.append(Object.assign(document.createElement("td"), { textContent: text, className: "wrap" }));
  if (lacks) line.lastChild.className = "wrap bad";
  return line;
}
