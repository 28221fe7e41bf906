/* Name, constraints, sampler, objective, curves, limit: the parts of a sweep outside its parameters. */
import { isObject } from "./json_text.js";
import { textOf, valueOf } from "./values.js";

const FIELDS = ["name", "constraints", "sampler", "sampler-n", "sampler-seed", "metric", "direction", "curves", "curves-top", "timeout", "notify", "scenarios", "scenario-rank", "reuse"];
const LONGEST_NAME = 200;

export class SearchFields {
  constructor(root, source, changed) {
    this.source = source;
    this.fields = Object.fromEntries(FIELDS.map((id) => [id, document.getElementById(id)]));
    this.suggested = "";
    root.addEventListener("input", (event) => {
      const id = event.target.id;
      if (!FIELDS.includes(id)) return;
      if (id === "metric") this.fields.direction.value = event.target.selectedOptions[0].dataset.small === "true" ? "minimize" : "maximize";
      this.write(id.split("-")[0]);
      this.dress();
      changed();
    });
  }

  get document() {
    return this.source().document;
  }

  /* A sweep without a name of its own is called by what it varies, for as long as it changes. */
  complete() {
    const { name, grid = {} } = this.document;
    if (name && name !== this.suggested) return;
    const { symbols } = this.document.base ?? {};
    const coins = (Array.isArray(symbols) ? symbols : []).map((symbol) => String(symbol).split("/")[0]);
    const subject = coins.length > 3 ? `${coins.length} symbols` : coins.join(" ");
    this.suggested = [subject, Object.keys(grid).join(" x ")].filter(Boolean).join(" ").slice(0, LONGEST_NAME) || "sweep";
    this.document.name = this.suggested;
    this.fields.name.placeholder = this.suggested;
  }

  show() {
    const { name, constraints, sampler, objective, curves, trial_timeout_s: timeout, notify_url: notify, reuse, scenarios } = this.document;
    put(this.fields.name, name === this.suggested ? "" : textOf(name ?? ""));
    put(this.fields.constraints, Array.isArray(constraints) ? constraints.join("\n") : "");
    this.fields.sampler.value = sampler?.kind ?? "grid";
    put(this.fields["sampler-n"], textOf(sampler?.n ?? ""));
    put(this.fields["sampler-seed"], textOf(sampler?.seed ?? 0));
    this.fields.metric.value = objective?.metric ?? "sharpe";
    this.fields.direction.value = objective?.direction ?? (this.fields.metric.selectedOptions[0]?.dataset.small === "true" ? "minimize" : "maximize");
    this.fields.curves.value = typeof curves === "string" ? curves : "top";
    put(this.fields["curves-top"], textOf(isObject(curves) ? curves.top : 50));
    put(this.fields.timeout, textOf(timeout ?? ""));
    put(this.fields.notify, textOf(notify ?? ""));
    this.fields.reuse.checked = reuse !== false;
    put(this.fields.scenarios, Array.isArray(scenarios?.axes) ? scenarios.axes.join(", ") : "");
    this.fields["scenario-rank"].value = scenarios?.rank ?? "worst";
    this.dress();
  }

  dress() {
    const sampled = this.fields.sampler.value !== "grid";
    for (const label of document.querySelectorAll("[data-sampled]")) label.hidden = !sampled;
    for (const label of document.querySelectorAll("[data-top]")) label.hidden = this.fields.curves.value !== "top";
  }

  write(part) {
    const { fields, document: spec } = this;
    if (part === "name") spec.name = fields.name.value;
    if (part === "constraints") {
      spec.constraints = fields.constraints.value.split("\n").map((one) => one.trim()).filter(Boolean);
      if (!spec.constraints.length) delete spec.constraints;
    }
    if (part === "sampler") {
      const kind = fields.sampler.value;
      if (kind !== "grid" && !fields["sampler-n"].value) fields["sampler-n"].value = "100";
      spec.sampler = kind === "grid" ? { kind } : { kind, n: valueOf(fields["sampler-n"].value, "integer"), seed: valueOf(fields["sampler-seed"].value, "integer") };
    }
    if (part === "metric" || part === "direction") spec.objective = { metric: fields.metric.value, direction: fields.direction.value };
    if (part === "curves") spec.curves = fields.curves.value === "top" ? { top: valueOf(fields["curves-top"].value, "integer") } : fields.curves.value;
    if (part === "timeout") {
      if (fields.timeout.value) spec.trial_timeout_s = valueOf(fields.timeout.value, "integer");
      else delete spec.trial_timeout_s;
    }
    if (part.startsWith("scenario")) {
      const axes = fields.scenarios.value.split(",").map((one) => one.trim()).filter(Boolean);
      if (axes.length) spec.scenarios = { axes, rank: fields["scenario-rank"].value };
      else delete spec.scenarios;
    }
    if (part === "notify") {
      if (fields.notify.value) spec.notify_url = fields.notify.value;
      else delete spec.notify_url;
    }
    if (part === "reuse") {
      if (fields.reuse.checked) delete spec.reuse;
      else spec.reuse = false;
    }
  }
}

function put(input, text) {
  if (input !== document.activeElement) input.value = text;
}
