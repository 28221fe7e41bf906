/* Shows the rows whose name holds every word that is typed; groups without a row go too. */
export function filterRows(input, rows, nameOf) {
  const apply = () => {
    const words = input.value.toLowerCase().split(/[\s,]+/).filter(Boolean);
    for (const row of rows()) {
      const name = nameOf(row).toLowerCase();
      row.hidden = !words.every((word) => name.includes(word));
    }
    for (const body of document.querySelectorAll("tbody[data-exchange]")) {
      body.hidden = ![...body.querySelectorAll("tr[data-symbol]")].some((row) => !row.hidden);
    }
  };
  input.addEventListener("input", apply);
  return apply;
}

const input = document.getElementById("row-filter");
if (input) filterRows(input, () => document.querySelectorAll("tr[data-row]"), (row) => row.dataset.row)();
