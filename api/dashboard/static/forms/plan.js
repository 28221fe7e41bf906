/* What a sweep would be, in words. */
import { counted, formatted } from "../format.js";
import { textOf } from "./values.js";

export function showPlan(place, plan) {
  const { estimate } = plan;
  const left = plan.cells - plan.trials;
  place.replaceChildren(
    sized(plan),
    ...(plan.spec.sampler.n > plan.trials ? [line(`${count(plan.spec.sampler.n)} asked for: the sampler finds no more different trials`, "warn")] : []),
    ...(left > 0 ? [line(`of ${count(plan.cells)} combinations`)] : []),
    axes(plan.axes),
    ...plan.rejected.map(({ constraint, cells }) => line(`${count(cells)} left out by ${constraint}`, "code")),
    ...(plan.duplicates ? [line(`${counted(plan.duplicates, "repeats another trial and differs", "repeat another trial and differ")} only in parameters that its run does not read`, "warn")] : []),
    ...plan.unread.map(({ message }) => line(message, "warn")),
    line(`About ${duration(estimate.seconds)}${estimate.workers ? ` on ${counted(estimate.workers, "worker process", "worker processes")}` : ""}, ${bytes(estimate.bytes)} stored; the time is ${estimate.basis}.`),
    ...(estimate.warning ? [line(estimate.warning, "warn")] : []),
    ...(estimate.workers ? [] : [line("No worker is running: the sweep waits until one starts, as carrygrid up does.", "warn")]),
  );
  place.dataset.trials = plan.trials;
}

function sized(plan) {
  const size = document.createElement("p");
  size.className = "plan-size";
  const number = document.createElement("strong");
  number.textContent = count(plan.trials);
  size.append(number, plan.trials === 1 ? " trial" : " trials");
  return size;
}

function axes(found) {
  const list = document.createElement("ul");
  list.className = "plan-axes";
  for (const axis of found) {
    const item = document.createElement("li");
    const name = document.createElement("span");
    name.textContent = axis.name;
    const values = document.createElement("span");
    values.className = "hint";
    const ends = axis.size > 1 ? `${textOf(axis.first)} … ${textOf(axis.last)}` : textOf(axis.first);
    const linked = axis.linked.length ? `, with ${axis.linked.join(", ")}` : "";
    values.textContent = `${axis.size ? `${count(axis.size)} × ${ends}` : "no value"}${linked}${axis.conditional ? ", where it applies" : ""}`;
    item.append(name, values);
    list.append(item);
  }
  return list;
}

function line(text, kind = "") {
  const row = document.createElement("p");
  row.className = `plan-line ${kind}`;
  row.textContent = text;
  return row;
}

const count = (number) => formatted(number, "count");

export function duration(seconds) {
  if (seconds < 1) return "a second";
  if (seconds < 90) return `${Math.ceil(seconds)} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  return seconds < 172_800 ? `${(seconds / 3600).toFixed(1)} h` : `${(seconds / 86_400).toFixed(1)} days`;
}

function bytes(number) {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let unit = 0;
  for (; number >= 1000 && unit < units.length - 1; unit += 1) number /= 1000;
  return `${unit ? number.toPrecision(3) : number} ${units[unit]}`;
}
