/* Candidate and pinned trials by year. Each takes a replay, so they are asked for where somebody looks. */
import { replaceFragment } from "../requests.js";
import { latestOnly } from "./refreshing.js";

const AHEAD = "200px";
const NOTHING = "Shown once there is a candidate, or a trial is pinned.";

export class Years {
  constructor(place) {
    this.place = place;
    this.candidate = "";
    this.pins = "";
    this.draw = latestOnly(() => this.#draw());
    new IntersectionObserver(([entry]) => {
      this.seen = entry.isIntersecting;
      this.draw();
    }, { rootMargin: AHEAD }).observe(place);
    document.addEventListener("candidate", ({ detail }) => {
      this.candidate = detail;
      this.draw();
    });
  }

  pinned(trials) {
    this.pins = trials.join();
    this.draw();
  }

  async #draw() {
    const query = new URLSearchParams(Object.entries({ candidate: this.candidate, trials: this.pins }).filter(([, text]) => text));
    if (!this.seen || this.place.dataset.shown === String(query)) return;
    this.place.dataset.shown = String(query);
    if (query.size) await replaceFragment(this.place, `${this.place.dataset.source}?${query}`);
    else this.place.textContent = NOTHING;
  }
}
