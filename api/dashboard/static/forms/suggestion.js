/* First thresholds from the rates of the chosen window: they follow pair and window until somebody sets others. */
import { getJson } from "../requests.js";

const SETTLED_MS = 400;
const MOST_SYMBOLS = 20;

export function suggestionAddress(exchange, symbols, start, end) {
  const query = new URLSearchParams(symbols.slice(0, MOST_SYMBOLS).map((symbol) => ["symbols", symbol]));
  for (const [name, value] of Object.entries({ exchange, start, end })) if (value) query.set(name, value);
  /* Full names are of hedges, whose carry is not the rate of one perp. */
  const pairs = symbols.length > 0 && !symbols.some((name) => name.includes(">"));
  return pairs ? `/data/suggestion?${query}` : null;
}

export class Suggestions {
  /* `rates` shows the window's rates beside the thresholds that are compared with them. */
  constructor(source, market, changed, rates) {
    Object.assign(this, { source, market, changed, rates, address: null, found: {}, applied: new Map(), first: true });
    this.place = document.getElementById("suggestion");
    this.button = this.place.querySelector("button");
    this.button.addEventListener("click", () => this.apply(true));
  }

  complete() {
    this.rates.draw();
  }

  show() {
    const { names } = this.market.symbols();
    const [start, end] = ["start", "end"].map((name) => this.source().read(name)?.value);
    /* Rates of one perp say little about the carry of a hedge of other legs. */
    const address = this.market.hedges.active ? null : suggestionAddress(this.market.exchange, names, start, end);
    this.rates.draw();
    if (address === this.address) return this.tell();
    this.address = address;
    clearTimeout(this.waiting);
    this.waiting = setTimeout(() => this.ask(address), this.first ? 0 : SETTLED_MS);
  }

  async ask(address) {
    const answer = address && (await getJson(address).catch(() => null));
    if (address !== this.address) return;
    this.found = this.market.suggested = answer?.strategies ?? {};
    this.rates.show(answer);
    if (this.first) this.mark();
    else this.apply(false);
    this.first = false;
    this.tell();
  }

  /* Entries by name for the chosen strategies: axes of a sweep where it has some, else values. */
  targets() {
    const targets = new Map();
    const chosen = this.market.strategies().map((one) => this.found[one]).filter(Boolean);
    if ("grid" in this.source()) {
      for (const { grid } of chosen) for (const [name, axis] of Object.entries(grid)) targets.set(name, { axis: this.market.tied(name, axis) });
    }
    for (const { parameters } of chosen) for (const [name, value] of Object.entries(parameters)) if (!targets.has(name)) targets.set(name, { value });
    return targets;
  }

  written(name) {
    return JSON.stringify(this.source().read(name));
  }

  mark() {
    this.applied = new Map([...this.targets()].map(([name, entry]) => [name, JSON.stringify(entry)]).filter(([name, text]) => text === this.written(name)));
  }

  /* What somebody set stays, unless it is asked for; so do parameters that were never suggested. */
  apply(force) {
    const targets = this.targets();
    for (const name of new Set([...this.applied.keys(), ...targets.keys()])) {
      const untouched = this.written(name) === (this.applied.get(name) ?? "null") || this.written(name) === this.usual(name);
      if (force || untouched) this.source().write(name, targets.get(name) ?? null);
    }
    this.mark();
    this.changed(true);
  }

  usual(name) {
    const axes = this.market.strategies().map((one) => this.market.known.get(one)?.default_grid[name]).filter(Boolean);
    return axes.length ? JSON.stringify({ axis: this.market.tied(name, axes[0]) }) : null;
  }

  tell() {
    const notes = [...new Set(this.market.strategies().flatMap((one) => this.found[one]?.notes ?? []))];
    this.place.hidden = !notes.length;
    this.place.querySelector("ul").replaceChildren(...notes.map((note) => Object.assign(document.createElement("li"), { textContent: note })));
    this.button.hidden = [...this.targets()].every(([name, entry]) => JSON.stringify(entry) === this.written(name));
  }
}
