/* The axes of the parallel coordinates as a list that the keyboard reaches: each can be moved, metrics come and go. */
export class Columns {
  constructor(list, select, state) {
    Object.assign(this, { list, select, state });
    list.addEventListener("click", (event) => {
      const button = event.target.closest("button[data-column]");
      if (button) this.#act(button.dataset.column, button.dataset.act);
    });
    select.addEventListener("change", () => {
      if (select.value) this.#write([...state.columns().filter((name) => name !== select.value), select.value]);
      select.value = "";
    });
  }

  move(name, place) {
    const others = this.state.columns().filter((one) => one !== name);
    this.#write(others.toSpliced(place, 0, name));
  }

  draw() {
    const names = this.state.columns();
    const focused = document.activeElement?.dataset?.keep;
    this.list.replaceChildren(...names.map((name, place) => this.#item(name, place, names.length)));
    if (focused) this.list.querySelector(`[data-keep="${CSS.escape(focused)}"]`)?.focus();
  }

  #item(name, place, count) {
    const item = document.createElement("li");
    const label = this.state.axes.has(name) ? name : this.state.metrics[name].label;
    item.append(this.#button(name, "left", "←", `Move ${label} left`, place === 0), label, this.#button(name, "right", "→", `Move ${label} right`, place === count - 1));
    if (!this.state.axes.has(name) && count > 2) item.append(this.#button(name, "drop", "×", `Take ${label} out`, false));
    return item;
  }

  #button(name, act, text, words, disabled) {
    const button = Object.assign(document.createElement("button"), { type: "button", className: "quiet", textContent: text, disabled });
    button.setAttribute("aria-label", words);
    Object.assign(button.dataset, { column: name, act, keep: `${name}-${act}` });
    return button;
  }

  #act(name, act) {
    const names = this.state.columns();
    if (act === "drop") this.#write(names.filter((one) => one !== name));
    else this.move(name, names.indexOf(name) + (act === "left" ? -1 : 1));
  }

  #write(names) {
    const usual = [...this.state.axes.keys(), this.state.get("metric")].join(",");
    this.state.choose({ columns: names.join(",") === usual ? "" : names.join(",") });
  }
}
