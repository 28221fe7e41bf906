/* The fixed place beside the map that says what is under the pointer or the keyboard's cursor: it covers no cell. */
import { getJson } from "../requests.js";
import { drawSmallCurve } from "./small-curve.js";

const NUMBERS_MS = 120;
const CURVE_MS = 350;

export class Inspector {
  constructor(box, pageOf) {
    this.box = box;
    this.pageOf = pageOf;
    this.known = new Map();
    this.shown = null;
    this.place = (name) => box.querySelector(`[data-inspector="${name}"]`);
    this.curve = this.place("curve");
    new ResizeObserver(() => this.#drawCurve()).observe(this.curve);
    document.addEventListener("themechange", () => this.#drawCurve());
  }

  /* `lines` are text, the first stands out; the trial's numbers and curve follow once the reader rests on it. */
  show(trial, lines) {
    const key = `${trial} ${lines.join("\n")}`;
    if (this.shown === key) return;
    const other = this.trial !== trial;
    this.box.toggleAttribute("data-empty", trial === null);
    Object.assign(this, { shown: key, trial });
    const tag = (index) => (index ? "div" : "strong");
    this.place("lines").replaceChildren(...lines.map((line, index) => Object.assign(document.createElement(tag(index)), { textContent: line })));
    if (!other) return;
    clearTimeout(this.waiting);
    clearTimeout(this.resting);
    this.lines = [];
    this.#drawCurve();
    this.place("numbers").replaceChildren();
    this.place("origin").textContent = "";
    if (trial === null) return;
    this.waiting = setTimeout(() => this.#numbers(trial), this.known.has(`${trial} numbers`) ? 0 : NUMBERS_MS);
    this.resting = setTimeout(() => this.#curves(trial), this.known.has(`${trial} curve`) ? 0 : CURVE_MS);
  }

  /* Shows a trial as long as the reader has not pointed at another one. */
  begin(trial, lines) {
    if (this.shown === null) this.show(trial, lines);
  }

  /* What was fetched may be old once more trials have finished. */
  forget() {
    this.known.clear();
  }

  async #once(trial, name, ask) {
    const key = `${trial} ${name}`;
    if (!this.known.has(key)) this.known.set(key, await ask());
    return this.known.get(key);
  }

  async #numbers(trial) {
    const html = await this.#once(trial, "numbers", async () => {
      const response = await fetch(`${this.pageOf(trial)}/glance`, { headers: { Accept: "text/html" } });
      return response.ok && !response.redirected ? response.text() : "";
    }).catch(() => "");
    if (this.trial === trial) this.place("numbers").innerHTML = html;
  }

  async #curves(trial) {
    for (const [at, name] of ["curve", "hold"].entries()) {
      const found = await this.#once(trial, name, () => getJson(`${this.pageOf(trial)}/${name}`)).catch((error) => ({ times: [], equity: [], refused: error.message }));
      if (this.trial !== trial) return;
      this.lines[at] = { ...found, dashed: at === 1 };
      if (found.refused && !at) this.place("origin").textContent = `No curve: ${found.refused}`;
      else if (!found.refused) this.place("origin").textContent = at ? "Equity, and dashed that of holding." : "Equity.";
      this.#drawCurve();
    }
    this.box.dataset.drawn = trial;
  }

  #drawCurve() {
    drawSmallCurve(this.curve, this.lines ?? []);
  }
}
