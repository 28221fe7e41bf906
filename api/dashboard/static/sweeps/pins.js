/* Up to five trials that the reader keeps in sight, numbered as on the map; the address holds them. */
import { replaceFragment } from "../requests.js";

const MOST = 5;

export class Pins {
  constructor(box, state, changed) {
    this.box = box;
    this.state = state;
    this.changed = changed;
    this.said = box.querySelector("[data-pins=said]");
    this.list = box.querySelector("[data-pins=list]");
    box.addEventListener("click", (event) => {
      const button = event.target.closest("button[data-unpin]");
      if (button) this.toggle(Number(button.dataset.unpin));
    });
  }

  get trials() {
    const known = this.state.get("pins").split(",").filter((text) => /^\d{1,9}$/.test(text)).map(Number);
    return [...new Set(known)].slice(0, MOST);
  }

  toggle(trial) {
    const now = this.trials;
    if (!now.includes(trial) && now.length === MOST) {
      this.said.textContent = `${MOST} trials are pinned: let one go first.`;
      return;
    }
    const next = now.includes(trial) ? now.filter((one) => one !== trial) : [...now, trial];
    this.said.textContent = `Trial ${trial} ${now.includes(trial) ? "let go" : "pinned"}.`;
    this.state.choose({ pins: next.join(",") });
  }

  async draw() {
    const trials = this.trials;
    this.changed(trials);
    if (this.box.dataset.shown === trials.join()) return;
    this.box.dataset.shown = trials.join();
    if (trials.length) await replaceFragment(this.list, `${this.box.dataset.source}?${new URLSearchParams({ trials: trials.join(), metric: this.state.get("metric") })}`);
    else this.list.replaceChildren();
  }
}
