/* The dialog of read-only links: what the page shows now becomes the view of a new one. */
import { clearProblems, showProblems } from "./problems.js";
import { getJson, sendJson } from "../requests.js";

const dialog = document.getElementById("share-dialog");
const form = document.getElementById("share-form");
const list = document.getElementById("share-list");
const made = form.querySelector("[data-made]");
const address = document.getElementById("share-address");
const source = dialog.dataset.shares;

async function show() {
  const { shares } = await getJson(source);
  list.closest("table").hidden = !shares.length;
  list.replaceChildren(...shares.map(row));
}

function row(share) {
  const line = document.createElement("tr");
  const revoke = Object.assign(document.createElement("button"), { type: "button", className: "quiet", textContent: "Revoke" });
  revoke.setAttribute("aria-label", `Revoke link ${share.id} ${share.name}`.trim());
  revoke.addEventListener("click", () => attempt(async () => {
    await getJson(`${source}/${share.id}`, { method: "DELETE" });
    await show();
  }));
  for (const content of [`${share.id} ${share.name}`.trim(), day(share.created_at), share.expires_at ? day(share.expires_at) : "it is revoked", revoke]) {
    line.append(document.createElement("td"));
    line.lastChild.append(content);
  }
  return line;
}

const day = (moment) => moment.slice(0, 10);

async function attempt(action) {
  clearProblems(form);
  try {
    await action();
  } catch (error) {
    showProblems(form, error);
  }
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  const { name, days } = form.elements;
  attempt(async () => {
    const wanted = days.value.trim();
    const asked = { name: name.value, view: location.search.slice(1), days: /^\d+$/.test(wanted) ? Number(wanted) : wanted || null };
    const share = await sendJson("POST", source, asked);
    address.value = new URL(share.address, location.href).href;
    made.hidden = false;
    address.select();
    await show();
  });
});

document.getElementById("copy-share").addEventListener("click", async ({ target }) => {
  address.select();
  await navigator.clipboard.writeText(address.value).then(() => { target.textContent = "Copied"; }, () => {});
});

document.querySelector("[data-opens=share-dialog]").addEventListener("click", () => {
  made.hidden = true;
  attempt(show);
});
