/* Explains the word under the pointer or the focus, above everything else, until it is left or Escape is pressed. */
const DELAY_MS = 120;
const MARGIN = 8;
const tip = document.createElement("div");
tip.id = "term-tip";
tip.setAttribute("role", "tooltip");
tip.popover = "manual";
document.getElementById("content").append(tip);

let shownFor = null;
let hiding;

function show(term) {
  clearTimeout(hiding);
  if (shownFor === term) return;
  hide();
  shownFor = term;
  tip.textContent = term.dataset.definition;
  term.setAttribute("aria-describedby", tip.id);
  tip.showPopover();
  const word = term.getBoundingClientRect();
  const box = tip.getBoundingClientRect();
  const below = word.bottom + MARGIN + box.height < innerHeight;
  tip.style.left = `${Math.max(MARGIN, Math.min(word.left, innerWidth - box.width - MARGIN))}px`;
  tip.style.top = `${below ? word.bottom + MARGIN / 2 : word.top - box.height - MARGIN / 2}px`;
}

function hide() {
  clearTimeout(hiding);
  shownFor?.removeAttribute("aria-describedby");
  shownFor = null;
  if (tip.matches(":popover-open")) tip.hidePopover();
}

const termOf = (event) => event.target.closest?.("[data-definition]");

/* The tip may be pointed at too, so that a long one can be read or copied: it goes a moment after the pointer left both. */
document.addEventListener("pointerover", (event) => {
  const term = termOf(event);
  if (term) show(term);
  else if (tip.contains(event.target)) clearTimeout(hiding);
  else if (shownFor && document.activeElement !== shownFor) {
    clearTimeout(hiding);
    hiding = setTimeout(hide, DELAY_MS);
  }
});
document.addEventListener("focusin", (event) => (termOf(event) ? show(termOf(event)) : hide()));
document.addEventListener("focusout", hide);
document.addEventListener("keydown", (event) => event.key === "Escape" && hide());
document.addEventListener("scroll", hide, { capture: true, passive: true });
