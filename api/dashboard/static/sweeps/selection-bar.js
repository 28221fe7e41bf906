import { counted, formatted } from "../format.js";

/* Says how many trials are selected and by what, lets each range go, and takes ranges typed in. */
export class SelectionBar {
  constructor(state) {
    this.state = state;
    this.chips = document.getElementById("chips");
    this.count = document.getElementById("selected");
    this.clear = document.getElementById("clear");
    this.form = document.getElementById("filter-form");
    this.values = document.getElementById("filter-values");
    this.clear.addEventListener("click", () => state.clear());
    this.form.addEventListener("submit", (event) => this.#submit(event));
    this.form.elements.name.addEventListener("change", () => this.#offerValues());
    this.chips.addEventListener("click", (event) => {
      const name = event.target.closest("button")?.dataset.name;
      if (!name) return;
      state.select({ [name]: null });
      (this.chips.querySelector("button") ?? this.form.elements.name).focus();
    });
    this.#offerValues();
    this.draw();
  }

  draw() {
    this.clear.disabled = !this.state.ranges.size;
    this.chips.replaceChildren(...[...this.state.ranges].map(([name, range]) => this.#chip(name, range)));
  }

  tell({ selected, finished }) {
    const scenarios = this.state.get("scenarios");
    const ranked = scenarios && scenarios !== "none";
    const all = ranked ? `${counted(finished, "setting")} at the ${this.state.get("scenario_rank")} ${scenarios.split(",").join(", ")}` : counted(finished, "finished trial");
    if (!finished) {
      this.count.textContent = "No trial has finished yet";
      return;
    }
    this.count.textContent = this.state.ranges.size ? `${formatted(selected, "count")} of ${all} selected` : `${finished > 1 ? "All " : ""}${all}`;
  }

  #chip(name, range) {
    const metric = this.state.metrics[name];
    const chip = Object.assign(document.createElement("button"), { type: "button", className: "chip" });
    chip.dataset.name = name;
    chip.title = "Let this range go";
    chip.textContent = `${metric && !this.state.axes.has(name) ? metric.label : name} ${this.#words(name, range, metric)} ×`;
    return chip;
  }

  #words(name, { low, high }, metric) {
    const values = this.state.axes.get(name)?.values;
    const shown = (bound) => (values ? (values[bound] === "null" ? "n/a" : values[bound]) : formatted(bound, metric.kind));
    if (low === high) return `= ${shown(low)}`;
    if (low === null) return `≤ ${shown(high)}`;
    return high === null ? `≥ ${shown(low)}` : `${shown(low)} … ${shown(high)}`;
  }

  #offerValues() {
    const values = this.state.axes.get(this.form.elements.name.value)?.values ?? [];
    this.values.replaceChildren(...values.slice(0, 200).map((value) => Object.assign(document.createElement("option"), { value })));
  }

  #submit(event) {
    event.preventDefault();
    const { name, low, high } = this.form.elements;
    const range = this.state.parse(name.value, `${low.value.trim()}..${high.value.trim()}`);
    low.setCustomValidity(range ? "" : `No trial lies in that range: write values of ${name.value}, the lower one first.`);
    low.reportValidity();
    low.addEventListener("input", () => low.setCustomValidity(""), { once: true });
    if (range) this.state.select({ [name.value]: range });
  }
}
