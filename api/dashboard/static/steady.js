/* Parts of a page change their height as results come in. A reader who is at something below them keeps it in its place:
   the page scrolls by as much. Browsers do so only while everything above is out of sight, so that theirs is off here. */
let pointer = null;
let pointed = [];

/* Told by what the reader does: a page that grows has events of its own for what comes to lie under the pointer. */
function pointAt(place) {
  pointer = place;
  pointed = [];
  for (let element = place && document.elementFromPoint(place.clientX, place.clientY); element; element = element.parentElement) pointed.push(element);
}
document.addEventListener("pointermove", pointAt, { passive: true });
document.addEventListener("scroll", () => pointAt(pointer), { passive: true });
document.addEventListener("pointerout", ({ relatedTarget }) => relatedTarget ?? pointAt(null), { passive: true });

/* What the reader is at: what has the pointer, else the focus. What was pointed at may have been drawn anew since: then
   the part of the page that it was in. */
const read = () => pointed.find((element) => element.isConnected) ?? document.activeElement ?? document.body;

function isReadBelow(part) {
  const place = read();
  return !part.contains(place) && Boolean(part.compareDocumentPosition(place) & Node.DOCUMENT_POSITION_FOLLOWING);
}

/* Parts that are `held` never shrink by themselves: a page that is not scrolled could not make up for it. */
export function keepPlaceBelow(parts, held) {
  const heights = new Map();
  const observer = new ResizeObserver((entries) => {
    for (const { target: part } of entries) {
      const height = part.offsetHeight;
      const grown = height - (heights.get(part) ?? height);
      heights.set(part, height);
      if (held.includes(part)) part.style.minHeight = `${height}px`;
      const outOfSight = part.getBoundingClientRect().bottom - grown <= 0;
      if (grown && (outOfSight || isReadBelow(part))) scrollBy({ top: grown, behavior: "instant" });
    }
  });
  const release = (part) => (part.style.minHeight = "");
  for (const part of parts) observer.observe(part);
  for (const part of held) part.addEventListener("toggle", () => release(part));
  addEventListener("resize", () => held.forEach(release));
}

/* Does what makes a part shrink once nobody is at anything below it. */
export function onceUnread(part, shrink) {
  if (!isReadBelow(part)) shrink();
  else document.addEventListener("pointermove", () => onceUnread(part, shrink), { once: true, passive: true });
}
