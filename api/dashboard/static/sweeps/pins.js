/* Up to five trials that the reader keeps in sight, numbered as on the map. They are stored with the sweep; an address
   that names pins shows those. */
import { replaceFragment, sendJson } from "../requests.js";
import { latestOnly } from "./refreshing.js";
import { Years } from "./years.js";

const MOST = 5;
const NONE = "none";

export class Pins {
  constructor(box, state, changed) {
    this.box = box;
    this.state = state;
    this.changed = changed;
    this.said = box.querySelector("[data-pins=said]");
    this.list = box.querySelector("[data-pins=list]");
    this.stored = Promise.resolve();
    this.showList = latestOnly(() => this.#list());
    this.years = new Years(document.getElementById("years"));
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
    const pinned = !now.includes(trial);
    if (pinned && now.length === MOST) {
      this.said.textContent = `${MOST} trials are pinned: unpin one first.`;
      return;
    }
    this.said.textContent = `Trial ${trial} ${pinned ? "pinned" : "let go"}.`;
    this.#write(pinned ? [...now, trial] : now.filter((one) => one !== trial));
    if ("readOnly" in this.box.dataset) return;
    this.stored = this.stored.then(() => this.#store(trial, pinned));
  }

  /* Pins as they are stored now, for one that was stored elsewhere on the page. */
  tell(trial, pinned) {
    const now = this.trials;
    if (pinned !== now.includes(trial)) this.#write(pinned ? [...now, trial].slice(-MOST) : now.filter((one) => one !== trial));
  }

  draw() {
    this.changed(this.trials);
    this.years.pinned(this.trials);
    this.showList();
  }

  async #list() {
    const trials = this.trials;
    if (this.box.dataset.shown === trials.join()) return;
    this.box.dataset.shown = trials.join();
    if (trials.length) await replaceFragment(this.list, `${this.box.dataset.source}?${new URLSearchParams({ trials: trials.join(), metric: this.state.get("metric") })}`);
    else this.list.replaceChildren();
  }

  #write(trials) {
    this.state.choose({ pins: trials.join(",") || (this.state.defaults.pins ? NONE : "") });
  }

  /* One after the other, in the order of the clicks; what is refused stays in the address alone. */
  async #store(trial, pinned) {
    try {
      await sendJson("PATCH", `${this.box.dataset.trials}/${trial}`, { pinned });
      document.dispatchEvent(new Event("marked"));
    } catch (error) {
      this.said.textContent = `Trial ${trial} is ${pinned ? "pinned" : "unpinned"} in this address only: ${error.message}`;
    }
  }
}
