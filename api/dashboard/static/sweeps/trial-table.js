/* The table of trials: sort orders, columns, rows of a page, equal results as one; the address holds all of them. */
const TABLE = ["sort", "cursor", "rows", "distinct"];
const USUAL_ROWS = "25";

export class TrialTable {
  constructor(list, form, state, api) {
    Object.assign(this, { list, form, state, api });
    this.csv = form.querySelector("#view-csv");
    this.boxes = [...form.querySelectorAll("[name=cols]")];
    this.usual = form.querySelector("[data-usual]").dataset.usual;
    list.addEventListener("click", (event) => this.#onClick(event));
    form.addEventListener("change", ({ target }) => this.#onChange(target));
    form.querySelector("[data-columns=usual]").addEventListener("click", () => state.choose({ cols: "" }));
    form.addEventListener("submit", (event) => event.preventDefault());
  }

  /* The page of the table that the address means, as query parameters of its fragment. */
  query() {
    const query = this.#selection();
    for (const name of [...TABLE, "cols"]) if (this.state.get(name)) query.set(name, this.state.get(name));
    return query;
  }

  draw() {
    const names = (this.state.get("cols") || this.usual).split(",");
    for (const box of this.boxes) box.checked = names.includes(box.value);
    this.form.elements.distinct.checked = this.state.get("distinct") === "1";
    this.form.elements.rows.value = this.state.get("rows") || USUAL_ROWS;
    const query = this.#selection();
    for (const name of ["sort", "distinct"]) if (this.state.get(name)) query.set(name, this.state.get(name));
    query.set("columns", names.join(","));
    this.csv.href = `${this.api}/export/view?${query}`;
  }

  #selection() {
    return new URLSearchParams([...this.state.filters(), ...this.state.scenarios()]);
  }

  /* With Shift a heading sorts what is equal by the orders before it. */
  #onClick(event) {
    const button = event.target.closest("button[data-sort], button[data-page]");
    if (!button) return;
    const { sort, then, page } = button.dataset;
    if (sort) this.state.choose({ sort: event.shiftKey ? then : sort, cursor: "" });
    else this.state.choose({ cursor: page === "first" ? "" : page });
  }

  #onChange({ name, value, checked }) {
    if (name === "cols") this.#chooseColumns();
    else this.state.choose({ [name]: name === "distinct" ? (checked ? value : "0") : value === USUAL_ROWS ? "" : value, cursor: "" });
  }

  /* Columns keep their places; one that comes anew is the last. At least one stays. */
  #chooseColumns() {
    const wanted = this.boxes.filter((box) => box.checked).map((box) => box.value);
    const before = (this.state.get("cols") || this.usual).split(",");
    const names = [...before.filter((name) => wanted.includes(name)), ...wanted.filter((name) => !before.includes(name))];
    const text = names.join(",");
    if (!names.length) this.draw();
    else this.state.choose({ cols: text === this.usual ? "" : text });
  }
}
