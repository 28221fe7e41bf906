/* Axes that settings are ranked over instead of chosen from, each with a box to tick, and the scenario they rank at. */
export class ScenarioControls {
  constructor(form, state) {
    this.form = form;
    this.state = state;
    form.addEventListener("change", () => this.#choose());
  }

  draw() {
    const chosen = this.state.get("scenarios").split(",");
    const boxes = this.#boxes();
    for (const box of boxes) box.checked = chosen.includes(box.value);
    const free = boxes.filter((box) => !box.checked);
    for (const box of boxes) box.disabled = free.length === 1 && free[0] === box;
    this.form.elements.scenario_rank.value = this.state.get("scenario_rank");
    this.form.elements.scenario_rank.disabled = free.length === boxes.length;
  }

  #boxes() {
    return [...this.form.querySelectorAll("input[name=scenario]")];
  }

  #choose() {
    const axes = this.#boxes().filter((box) => box.checked).map((box) => box.value);
    this.state.choose({ scenarios: axes.join(",") || "none", scenario_rank: this.form.elements.scenario_rank.value, cursor: "" });
  }
}
