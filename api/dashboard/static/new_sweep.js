import { JsonPane, curlOf, keyring } from "./json_pane.js";
import { MarketForm } from "./market_form.js";
import { ParameterRows } from "./parameter_rows.js";
import { showPlan } from "./plan.js";
import { clearProblems, showProblems } from "./problems.js";
import { sendJson } from "./requests.js";
import { SearchFields } from "./search_fields.js";
import { valuesOf } from "./values.js";
import { WrittenSweep } from "./written.js";

const SETTLED_MS = 300;
const form = document.getElementById("sweep-form");
if (form) begin();

function begin() {
  const fields = form.querySelector(".stack");
  const given = document.getElementById("start-with");
  const start = JSON.parse(given.textContent);
  const plan = document.getElementById("plan");
  const submit = document.getElementById("submit");
  const keyOf = keyring();
  let checks = 0;
  let settling;

  const source = () => pane.source;
  const market = new MarketForm(fields, start, source, changed);
  const rows = new ParameterRows(fields, source, changed);
  const search = new SearchFields(fields, source, changed);
  const pane = new JsonPane({
    form,
    fields,
    Written: WrittenSweep,
    draftName: `draft ${location.pathname}${location.search}`,
    followed: show,
    edited: check,
  });

  function show() {
    market.show();
    const preset = market.preset();
    rows.show(market.strategies(), preset.values, preset.name);
    search.show();
  }

  function changed(everywhere = false) {
    search.suggestName();
    pane.write();
    if (everywhere) show();
    check();
  }

  function check() {
    clearTimeout(settling);
    settling = setTimeout(validate, SETTLED_MS);
    document.getElementById("curl").textContent = curlOf("/sweeps", pane.text, given.dataset.guarded === "true");
  }

  async function validate() {
    const mine = (checks += 1);
    plan.setAttribute("aria-busy", "true");
    try {
      const found = await sendJson("POST", "/sweeps/validate", pane.text);
      if (mine !== checks) return;
      clearProblems(form);
      showPlan(plan, found);
    } catch (error) {
      if (mine === checks) refuse(error);
    }
    plan.removeAttribute("aria-busy");
  }

  function refuse(error) {
    const said = showProblems(form, error);
    const number = error.problem?.errors?.length ?? 0;
    const summary = document.createElement("p");
    summary.className = "plan-line bad";
    summary.textContent = said.some(({ place }) => place) ? `${number === 1 ? "One field is" : `${number} fields are`} refused; see there.` : "";
    plan.replaceChildren(summary);
    delete plan.dataset.trials;
    return said;
  }

  async function send() {
    submit.disabled = true;
    checks += 1;
    try {
      const sweep = await sendJson("POST", "/sweeps", pane.text, { "Idempotency-Key": keyOf(pane.text) });
      await label(sweep.id);
      pane.forget();
      location.assign(`/dashboard/sweeps/${sweep.id}`);
    } catch (error) {
      const said = refuse(error);
      said.find(({ place }) => place)?.place.querySelector("input, select, textarea")?.focus();
      submit.disabled = false;
    }
  }

  async function label(id) {
    const tags = valuesOf(document.getElementById("tags").value, "text").map(String);
    const note = document.getElementById("note").value;
    if (tags.length || note) await sendJson("PATCH", `/sweeps/${id}`, { tags, note });
  }

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    send();
  });
  /* Enter in a field would submit a sweep by accident: it takes Ctrl or the button. */
  form.addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    if (event.ctrlKey || event.metaKey) send();
    else if (!event.target.matches("input")) return;
    event.preventDefault();
  });
  pane.begin(start.spec);
  changed();
}
