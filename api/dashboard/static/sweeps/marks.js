/* The dialog that names, annotates and pins a trial of the table. */
import { clearProblems, showProblems } from "../forms/problems.js";
import { sendJson } from "../requests.js";

export function markTrials(dialog, list, api, saved) {
  const form = dialog.querySelector("form");

  list.addEventListener("click", ({ target }) => {
    const button = target.closest("button[data-mark]");
    if (!button) return;
    const { mark, name, note, pinned } = button.dataset;
    form.dataset.marks = mark;
    form.querySelector("[data-trial]").textContent = mark;
    form.elements.name.value = name;
    form.elements.note.value = note;
    form.elements.pinned.checked = pinned !== undefined;
    clearProblems(form);
    dialog.showModal();
  });

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const trial = Number(form.dataset.marks);
    const { name, note, pinned } = form.elements;
    try {
      const found = await sendJson("PATCH", `${api}/trials/${trial}`, { name: name.value, note: note.value, pinned: pinned.checked });
      dialog.close();
      saved(trial, found.pinned);
    } catch (error) {
      showProblems(form, error);
    }
  });
}
