/* A slider for each axis that the heatmap does not show: all its values together, or one of them. */
export class Sliders {
  constructor(box, state) {
    this.box = box;
    this.state = state;
    box.addEventListener("input", (event) => this.#slide(event.target));
  }

  draw() {
    const shown = [this.state.get("x"), this.state.get("y"), this.state.get("z")];
    const others = [...this.state.axes.values()].filter((axis) => !shown.includes(axis.name) && axis.values.length > 1);
    const names = others.map(({ name }) => name).join();
    if (this.box.dataset.axes !== names) {
      this.box.dataset.axes = names;
      this.box.replaceChildren(...others.map(slider));
    }
    for (const axis of others) this.#set(axis);
  }

  /* Place 0 stands for all values; a range that is neither one value nor all shows in words alone. */
  #set(axis) {
    const label = this.box.querySelector(`[data-axis="${axis.name}"]`);
    const range = this.state.ranges.get(axis.name);
    const one = range && range.low === range.high;
    label.querySelector("input").value = one ? range.low + 1 : 0;
    const words = range ? this.state.text(axis.name, range).replace("..", " … ") : `all ${axis.values.length}`;
    label.querySelector("output").textContent = words.replace(/^null$/, "n/a");
    label.querySelector("input").setAttribute("aria-valuetext", words);
  }

  #slide(input) {
    const name = input.closest("[data-axis]").dataset.axis;
    const place = Number(input.value) - 1;
    this.state.select({ [name]: place < 0 ? null : { low: place, high: place } });
  }
}

function slider(axis) {
  const label = document.createElement("label");
  label.dataset.axis = axis.name;
  const input = Object.assign(document.createElement("input"), { type: "range", min: 0, max: axis.values.length, step: 1 });
  label.append(Object.assign(document.createElement("span"), { textContent: axis.name }), input, document.createElement("output"));
  return label;
}
