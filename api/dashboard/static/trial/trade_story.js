import { replaceFragment } from "../requests.js";

/* A trade opens below its row, down to its settlements; a page of them replaces the one before. */
document.addEventListener("click", (event) => {
  const opener = event.target.closest("button.opener");
  if (opener) toggle(opener);
  const page = event.target.closest("button[data-settlements]");
  if (page) turn(page);
});

const sourceOf = (element, index, start) => `${element.closest("[data-source]").dataset.source}/${index}?start=${start}`;

async function toggle(opener) {
  const row = opener.closest("tr");
  const open = opener.getAttribute("aria-expanded") === "true";
  opener.setAttribute("aria-expanded", String(!open));
  if (open) return row.nextElementSibling.remove();
  const below = row.parentElement.insertRow(row.sectionRowIndex + 1);
  below.className = "below-row";
  const cell = below.insertCell();
  cell.colSpan = row.cells.length;
  cell.textContent = "Loading the settlements";
  const found = await replaceFragment(cell, sourceOf(opener, opener.dataset.trade, 0)).catch(() => false);
  if (!found) cell.textContent = "This trade could not be replayed: market data or engine have changed since it ran.";
}

async function turn(button) {
  const cell = button.closest("td");
  await replaceFragment(cell, sourceOf(button, button.dataset.trade, button.dataset.settlements)).catch(() => false);
}
