import { filterRows } from "./filter.js";
import { counted } from "../format.js";
import { getJson, replaceFragment } from "../requests.js";

const PERIOD_MS = 1000;
const QUIET_MS = 5000;
const MIB = 1024 * 1024;
const jobs = document.getElementById("data-jobs");
const coverage = document.getElementById("coverage");
const filter = document.getElementById("coverage-filter");
const applyFilter = filter
  ? filterRows(filter, () => coverage.querySelectorAll("tr[data-symbol]"), (row) => row.dataset.symbol)
  : () => {};

const states = () => new Map([...jobs.querySelectorAll("tr[data-job]")].map((row) => [row.dataset.job, row.dataset.state]));
const isOpen = (state) => state === "queued" || state === "running";
let timer;

async function refreshJobs() {
  clearTimeout(timer);
  const before = states();
  const opened = [...jobs.querySelectorAll("details[open]")].map((one) => one.dataset.keepOpen);
  if (!document.hidden) await replaceFragment(jobs, jobs.dataset.source).catch(() => false);
  for (const one of jobs.querySelectorAll("details")) one.open = opened.includes(one.dataset.keepOpen);
  const now = states();
  document.getElementById("jobs-card").hidden = !now.size;
  const ended = [...now].some(([id, state]) => state === "completed" && before.get(id) !== "completed");
  if (ended && (await replaceFragment(coverage, coverage.dataset.source).catch(() => false))) applyFilter();
  timer = setTimeout(refreshJobs, [...now.values()].some(isOpen) ? PERIOD_MS : QUIET_MS);
}

function say(form, text, bad = false) {
  const outcome = form.querySelector(".outcome");
  outcome.textContent = text;
  outcome.classList.toggle("bad", bad);
}

/* fetch() does not tell how much of a body has left; this old interface does. */
function send(url, file, onProgress) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", url);
    request.setRequestHeader("Content-Type", "application/octet-stream");
    request.setRequestHeader("Accept", "application/json");
    request.upload.onprogress = (event) => onProgress(event.loaded / event.total);
    request.onerror = () => reject(new Error("the server does not answer"));
    request.onload = () => {
      const body = JSON.parse(request.responseText || "{}");
      if (request.status === 202) resolve(body);
      else reject(new Error(body.detail ?? `the server answered ${request.status}`));
    };
    request.send(file);
  });
}

async function importFiles(event) {
  event.preventDefault();
  const form = event.target;
  const files = [...form.elements.files.files];
  const limit = Number(form.dataset.limitMib);
  const button = form.querySelector("button.primary");
  const refused = [];
  button.disabled = true;
  for (const [index, file] of files.entries()) {
    const name = file.name.replace(/^[^A-Za-z0-9]/, "x").replace(/[^A-Za-z0-9 ._+()@=-]/g, "_");
    const query = new URLSearchParams({ exchange: form.elements.exchange.value, name });
    for (const hint of ["kind", "symbol", "timeframe", "time_zone"]) {
      if (form.elements[hint].value) query.set(hint, form.elements[hint].value);
    }
    if (form.elements.keep_readable.checked) query.set("keep_readable", "true");
    if (form.elements.replace.checked) query.set("replace", "true");
    try {
      if (file.size > limit * MIB) throw new Error(`is larger than ${limit} MiB`);
      await send(`/data/imports?${query}`, file, (share) => say(form, `Sending ${file.name}, ${index + 1} of ${files.length}: ${Math.round(share * 100)} %`));
    } catch (error) {
      refused.push(`${file.name}: ${error.message}`);
    }
    refreshJobs();
  }
  button.disabled = false;
  const sent = files.length - refused.length;
  say(form, [`${sent} of ${counted(files.length, "file")} sent${sent ? "; the list below shows what becomes of them" : ""}`, ...refused].join(". "), refused.length > 0);
  if (!refused.length) form.elements.files.value = "";
}

async function fetchPairs(event) {
  event.preventDefault();
  const form = event.target;
  const { exchange, symbols, since, until, timeframe } = form.elements;
  const asked = { exchange: exchange.value, symbols: symbols.value.split(","), since: since.value, until: until.value || null, timeframe: timeframe.value };
  try {
    await getJson("/data/fetches", { method: "POST", headers: { "Content-Type": "application/json", Accept: "application/json" }, body: JSON.stringify(asked) });
    say(form, "Accepted; the list below shows how far it is");
  } catch (error) {
    say(form, error.message, true);
  }
  refreshJobs();
}

jobs.addEventListener("click", async (event) => {
  const button = event.target.closest("button[data-cancel]");
  if (!button) return;
  button.disabled = true;
  await getJson(`/data/jobs/${button.dataset.cancel}/cancel`, { method: "POST" }).catch(() => {});
  refreshJobs();
});
document.getElementById("import-form").addEventListener("submit", importFiles);
document.getElementById("fetch-form").addEventListener("submit", fetchPairs);
/* Before this script listens, a press of a button would send the form as an ordinary one. */
for (const button of document.querySelectorAll(".data-form button.primary:not([data-impossible])")) button.disabled = false;
timer = setTimeout(refreshJobs, PERIOD_MS);
