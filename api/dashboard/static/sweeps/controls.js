/* The buttons of a sweep: each says what came of it, or why not. */
import { asked, followExtension } from "./extension.js";
import { counted } from "../format.js";
import { clearProblems, showProblems } from "../forms/problems.js";
import { getJson, sendJson } from "../requests.js";
import { valuesOf } from "../forms/values.js";

const root = document.getElementById("sweep");
const outcome = document.getElementById("outcome");
const api = `/sweeps/${root.dataset.sweep}`;

function say(text, wrong = false) {
  outcome.textContent = text;
  outcome.classList.toggle("wrong", wrong);
}

function changed() {
  document.dispatchEvent(new Event("sweepchange"));
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-action], button[data-opens], button[data-closes]");
  if (!button) return;
  if (button.dataset.action) act(button);
  else if (button.dataset.opens) open(document.getElementById(button.dataset.opens));
  else button.closest("dialog").close();
});

async function act(button) {
  button.disabled = true;
  try {
    await getJson(`${api}/${button.dataset.action}`, { method: "POST" });
    say(button.dataset.outcome);
  } catch (error) {
    say(error.message, true);
  }
  button.disabled = false;
  changed();
}

function open(dialog) {
  clearProblems(dialog.querySelector("form"));
  dialog.showModal();
}

const submissions = { extend, labels, delete: remove };

document.addEventListener("submit", async (event) => {
  const form = event.target;
  const submission = submissions[form.dataset.controls];
  if (!submission) return;
  event.preventDefault();
  event.submitter.disabled = true;
  try {
    await submission(form);
    form.closest("dialog").close();
  } catch (error) {
    showProblems(form, error);
  }
  event.submitter.disabled = false;
});

async function extend(form) {
  const change = asked(form);
  if (!Object.keys(change).length) throw new Error("Nothing was entered that could be added.");
  const before = Number(document.querySelector("#progress progress")?.max);
  const { trials_total: after } = await sendJson("PATCH", api, change);
  sessionStorage.setItem("outcome", `${counted(after - before, "trial")} added.`);
  location.reload();
}

async function labels(form) {
  const tags = valuesOf(form.elements.tags.value, "text").map(String);
  const { name, note } = form.elements;
  const kept = await sendJson("PATCH", api, { name: name.value, tags, note: note.value });
  form.elements.tags.value = kept.tags.join(", ");
  name.value = document.querySelector("h1 bdi").textContent = kept.name;
  say("Name, tags and note saved.");
  changed();
}

async function remove() {
  await getJson(api, { method: "DELETE" });
  location.assign("/");
}

followExtension(document.querySelector("[data-controls=extend]"), api);
const kept = sessionStorage.getItem("outcome");
if (kept) say(kept);
sessionStorage.removeItem("outcome");
