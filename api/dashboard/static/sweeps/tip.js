/* A box beside the pointer. It holds lines at once, and what the server knows of a trial a moment later. */
const DELAY_MS = 160;
const MARGIN = 14;
const tip = document.createElement("div");
tip.className = "plot-tip";
tip.hidden = true;
document.body.append(tip);

const known = new Map();
let waiting;
let shown = null;
let already = [];

/* `lines` are text, the first one stands out; `source` is the address of a fragment that completes them, less the
   parameters `told` already. */
export function showTip(place, lines, source = null, told = []) {
  already = told;
  const key = `${lines.join("\n")} ${source}`;
  if (shown !== key) {
    shown = key;
    clearTimeout(waiting);
    tip.replaceChildren(...lines.map((line, index) => Object.assign(document.createElement(index ? "div" : "strong"), { textContent: line })));
    if (known.has(source)) complete(known.get(source));
    else if (source) waiting = setTimeout(() => fetchDetails(source, key, place), DELAY_MS);
  }
  tip.hidden = false;
  put(place);
}

export function hideTip() {
  clearTimeout(waiting);
  shown = null;
  tip.hidden = true;
}

/* What was fetched may be old once more trials have finished. */
export const forgetTips = () => known.clear();

async function fetchDetails(source, key, place) {
  const response = await fetch(source, { headers: { Accept: "text/html" } }).catch(() => null);
  if (!response?.ok || response.redirected) return;
  known.set(source, await response.text());
  if (shown !== key) return;
  complete(known.get(source));
  put(place);
}

function complete(html) {
  tip.insertAdjacentHTML("beforeend", html);
  for (const name of already) tip.querySelector(`[data-parameter="${CSS.escape(name)}"]`)?.remove();
}

function put({ x, y }) {
  const { width, height } = tip.getBoundingClientRect();
  const left = x + MARGIN + width > innerWidth ? x - MARGIN - width : x + MARGIN;
  const top = y + MARGIN + height > innerHeight ? Math.max(y - MARGIN - height, 6) : y + MARGIN;
  tip.style.left = `${Math.max(left, 6)}px`;
  tip.style.top = `${top}px`;
}
