/* A form beside the JSON that it writes: checked as it changes, sent as it stands. */
import { JsonPane, curlOf } from "./json_pane.js";
import { MarketForm } from "./market_form.js";
import { ParameterRows } from "./parameter_rows.js";
import { RateHistograms } from "./rate_histogram.js";
import { Suggestions } from "./suggestion.js";
import { clearProblems, showProblems } from "./problems.js";

const SETTLED_MS = 300;
const LATER_MS = 2000;

/* `check` and `send` take the text and answer what to show, or fail with what was refused; `parts` are more of the form. */
export function build({ form, Written, path, check, send, showChecked, parts = () => [] }) {
  const fields = form.querySelector(".stack");
  const given = document.getElementById("start-with");
  const start = JSON.parse(given.textContent);
  const plan = document.getElementById("plan");
  const submit = document.getElementById("submit");
  const source = () => pane.source;
  const market = new MarketForm(fields, start, source, changed);
  const rows = new ParameterRows(fields, source, changed, (name, axis) => market.tied(name, axis), (name) => market.tieTo(name));
  const others = [...parts(fields, source, changed), new Suggestions(source, market, changed, new RateHistograms(fields, source))];
  const pane = new JsonPane({
    form, fields, Written, draftName: `draft ${location.pathname}${location.search}`, followed: show, edited: () => settle(),
  });
  let judging = false;
  let stale = false;
  let settling;

  function show() {
    market.show();
    const preset = market.preset();
    rows.show(market.strategies(), preset.values, preset.name);
    for (const part of others) part.show();
  }

  function changed(everywhere = false) {
    for (const part of others) part.complete();
    pane.write();
    if (everywhere) show();
    settle();
  }

  function settle(after = SETTLED_MS) {
    clearTimeout(settling);
    settling = setTimeout(judge, after);
    document.getElementById("curl").textContent = curlOf(path, pane.text, given.dataset.guarded === "true");
  }

  /* One question at a time, the newest last: a large sweep takes seconds to count. */
  async function judge() {
    stale = judging;
    if (judging || market.hedges.choosing) return;
    judging = true;
    plan.setAttribute("aria-busy", "true");
    try {
      const found = await check(pane.text);
      if (!stale) accept(found);
    } catch (error) {
      if (!stale) refuse(error);
      if (error.passing) settle(LATER_MS);
    }
    judging = false;
    if (stale) await judge();
    else plan.removeAttribute("aria-busy");
  }

  function accept(found) {
    if (submit.disabled) return;
    clearProblems(form);
    showChecked(plan, found);
  }

  function refuse(error) {
    const placed = showProblems(form, error).filter(({ place }) => place);
    const summary = document.createElement("p");
    summary.className = "plan-line bad";
    summary.textContent = placed.length ? `Refused: ${placed.map(({ field }) => field).join(", ")}` : "";
    plan.replaceChildren(summary, ...offered(error.problem?.common_window), ...leftOut(error.problem?.errors ?? []));
    delete plan.dataset.trials;
    return placed;
  }

  /* The window that everything chosen is held of, to take with one click where start and end do not vary. */
  function offered(common) {
    if (!common || ["start", "end"].some((name) => source().read(name)?.axis)) return [];
    const button = Object.assign(document.createElement("button"), { type: "button", id: "common-window" });
    button.textContent = `Use ${common.start} to ${common.end}, held of all that is chosen`;
    button.addEventListener("click", () => market.useWindow(common.start, common.end));
    return [button];
  }

  /* Forms set what ends stale markets, which hedges refuse: one click leaves it out, whatever made hedges of the run. */
  function leftOut(errors) {
    const name = "end_dead_markets";
    const refused = errors.some(({ field, message }) => field.split(".").at(-1) === name || message.startsWith(`${name}:`));
    if (!refused || source().read(name)?.axis) return [];
    const button = Object.assign(document.createElement("button"), { type: "button", id: "leave-out" });
    button.textContent = `Leave out ${name}: contracts of hedges end as their recorded lives say`;
    button.addEventListener("click", () => {
      source().write(name, null);
      changed(true);
    });
    return [button];
  }

  async function submitNow() {
    if (submit.disabled) return;
    submit.disabled = true;
    clearTimeout(settling);
    try {
      const address = await send(pane.text);
      pane.forget();
      location.assign(address);
    } catch (error) {
      refuse(error)[0]?.place.querySelector("input, select, textarea")?.focus();
      submit.disabled = false;
    }
  }

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    submitNow();
  });
  /* Enter in a field would submit by accident: it takes Ctrl, or the button. */
  form.addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    if (event.ctrlKey || event.metaKey) submitNow();
    else if (!event.target.matches("input:not([type=file])")) return;
    event.preventDefault();
  });
  pane.begin(start.spec);
  if (pane.source) changed(true);
}
