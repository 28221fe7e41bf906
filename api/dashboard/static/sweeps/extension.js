/* What the extension dialog asks for, and how many trials that would be, before anything is changed. */
import { counted } from "../format.js";
import { getJson, sendJson } from "../requests.js";
import { duration } from "../forms/plan.js";
import { valueOf, valuesOf } from "../forms/values.js";

const SETTLED_MS = 300;

export function asked(form) {
  const change = {};
  const add = (name, values) => ((change.add_values ??= {})[name] = values);
  for (const input of form.querySelectorAll("input[name]")) {
    const text = input.value.trim();
    if (!text) continue;
    if (input.name === "extend_to" || input.name === "n") change[input.name] = valueOf(text, "integer");
    else add(input.name, valuesOf(text, input.dataset.kind));
  }
  const more = form.querySelector("#promoted");
  const values = form.querySelector("#promoted-values")?.value.trim();
  if (more?.value && values) add(more.value, valuesOf(values, more.selectedOptions[0].dataset.kind));
  return change;
}

export function followExtension(form, api) {
  const place = form.querySelector("[data-preview]");
  let settling;
  let asking = 0;

  async function count() {
    const change = asked(form);
    const mine = (asking += 1);
    const text = Object.keys(change).length ? await outlook(change).catch((error) => error.message) : "";
    if (mine === asking) place.textContent = text;
  }

  async function outlook({ add_values: added = {}, extend_to: end, n }) {
    const { spec, trials_total: total } = await getJson(api);
    if (n !== undefined) spec.sampler.n = n;
    else spec.extensions.push(end === undefined ? added : { ...added, end: [end] });
    const { trials, estimate } = await sendJson("POST", "/sweeps/validate", spec);
    const more = trials - total;
    return `${counted(more, "more trial")}, about ${duration((estimate.seconds / trials) * more)}.`;
  }

  form.addEventListener("input", () => {
    clearTimeout(settling);
    settling = setTimeout(count, SETTLED_MS);
  });
}
