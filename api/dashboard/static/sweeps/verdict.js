/* The verdict strip: asked for once the map is drawn, and again while trials end; its figures feed the funnel below. */
import { showProblems } from "../forms/problems.js";
import { replaceFragment, sendJson } from "../requests.js";
import { latestOnly, refreshed } from "./refreshing.js";
import { onceUnread } from "../steady.js";

const place = document.getElementById("verdict");
const root = document.getElementById("sweep");

const refresh = latestOnly(async () => {
  await refreshed(place, place.dataset.source);
  for (const template of place.querySelectorAll("template[data-for]")) {
    document.getElementById(template.dataset.for).replaceChildren(template.content);
  }
  if (!("open" in root.dataset) && !place.querySelector(".candidate")) onceUnread(place, () => (place.dataset.short = ""));
  document.dispatchEvent(new CustomEvent("candidate", { detail: place.querySelector("[data-candidate]")?.dataset.candidate ?? "" }));
  const lastStep = document.querySelector("#funnel [data-source]");
  if (lastStep) await replaceFragment(lastStep, lastStep.dataset.source);
  document.dispatchEvent(new Event("collected"));
});

place.addEventListener("click", ({ target }) => {
  const { extends: axis, value, promotes } = target.dataset;
  if (axis) extend(axis, value);
  if (promotes) promote(promotes);
});

function extend(axis, value) {
  const dialog = document.getElementById("extend-dialog");
  const input = dialog.querySelector(`input[name="${CSS.escape(axis)}"]`);
  input.value = value;
  dialog.showModal();
  input.focus();
  input.dispatchEvent(new Event("input", { bubbles: true }));
}

/* A winner that does not hold up is refused; the reason is said, and nothing is downloaded. */
async function promote(number) {
  const outcome = document.getElementById("promotion");
  outcome.classList.remove("wrong");
  try {
    const config = await sendJson("POST", `/sweeps/${root.dataset.sweep}/trials/${number}/promote`, {});
    const file = new Blob([JSON.stringify(config, (_, value) => value ?? undefined, 2)], { type: "application/json" });
    const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(file), download: `trial-${number}.json` });
    link.click();
    URL.revokeObjectURL(link.href);
    outcome.textContent = `Saved as ${link.download}. Trade it on paper: carrygrid paper ${link.download}`;
  } catch (error) {
    outcome.classList.add("wrong");
    outcome.textContent = error.message;
  }
}

/* A look cannot be taken back, so that it is asked for twice; what it found comes with the strip. */
place.addEventListener("submit", async (event) => {
  const { looks, trial } = event.target.dataset;
  if (!looks) return;
  event.preventDefault();
  event.submitter.disabled = true;
  try {
    await sendJson("POST", `/seals/${looks}/looks`, { sweep: Number(root.dataset.sweep), trial: Number(trial) });
    event.target.closest("dialog").close();
    await refresh();
  } catch (error) {
    showProblems(event.target, error);
  }
  event.submitter.disabled = false;
});

document.addEventListener("sweepchange", refresh);
document.addEventListener("trialsdone", refresh);
refresh();
