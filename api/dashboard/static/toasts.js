/* Messages about sweeps that ended while somebody was looking at another page. */
const FIRST_MS = 1_000; // the page itself comes first
const PERIOD_MS = 5_000;
const IDLE_MS = 60_000;
const MOST_SHOWN = 4;
const KNOWN = "open sweeps";
const ENDED = { completed: "is done", completed_with_failures: "is done; some trials failed", failed: "has failed", cancelled: "was cancelled" };
const place = document.getElementById("toasts");
const ask = document.getElementById("ask-notifications");

async function json(url) {
  const response = await fetch(url, { headers: { Accept: "application/json" } }).catch(() => null);
  return response?.ok && !response.redirected ? response.json() : null;
}

async function look() {
  const open = document.hidden && !wanted() ? null : await json("/dashboard/open-sweeps");
  if (open) {
    const before = JSON.parse(sessionStorage.getItem(KNOWN) ?? "[]");
    sessionStorage.setItem(KNOWN, JSON.stringify(open.sweeps));
    offer(open.sweeps.length > 0);
    for (const id of before) if (!open.sweeps.includes(id)) await tell(id);
  }
  setTimeout(look, open?.sweeps.length === 0 ? IDLE_MS : PERIOD_MS);
}

async function tell(id) {
  const sweep = await json(`/sweeps/${id}`);
  const words = sweep && ENDED[sweep.outcome];
  const address = `/dashboard/sweeps/${id}`;
  if (!words) return;
  if (document.hidden && wanted()) notify(`${sweep.name} ${words}`, address);
  if (location.pathname !== address) show(sweep.name, words, address);
}

function show(name, words, address) {
  const toast = Object.assign(document.createElement("div"), { className: "toast" });
  const link = Object.assign(document.createElement("a"), { href: address, textContent: name });
  const close = Object.assign(document.createElement("button"), { type: "button", className: "quiet", textContent: "×" });
  close.setAttribute("aria-label", "Close this message");
  close.addEventListener("click", () => toast.remove());
  toast.append(link, ` ${words}`, close);
  place.append(toast);
  while (place.children.length > MOST_SHOWN) place.firstElementChild.remove();
}

function notify(text, address) {
  const shown = new Notification("Carrygrid", { body: text, tag: address });
  shown.addEventListener("click", () => {
    window.focus();
    location.assign(address);
  });
}

const wanted = () => "Notification" in window && Notification.permission === "granted";

/* Browsers ask people only when these have pressed something. */
function offer(working) {
  ask.hidden = !working || !("Notification" in window) || Notification.permission !== "default";
}

ask.addEventListener("click", async () => {
  await Notification.requestPermission();
  offer(true);
});
requestIdleCallback(look, { timeout: FIRST_MS });
