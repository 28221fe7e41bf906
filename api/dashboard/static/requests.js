import { morph } from "./morph.js";

/* Pages below a read-only link find everything below it. */
export const home = /^\/shared\/[\w-]+/.exec(location.pathname)?.[0] ?? "";

/* One place where the pages talk to the server, so that errors read the same everywhere. */
export async function getJson(url, options = {}) {
  const response = await fetch(url, { headers: { Accept: "application/json" }, ...options }).catch(() => {
    throw Object.assign(new Error("The server does not answer. It may be restarting."), { passing: true });
  });
  if (response.status === 401) location.assign(`/dashboard/login?next=${encodeURIComponent(location.pathname + location.search)}`);
  const body = await response.json().catch(() => ({}));
  const passing = response.status === 429 || response.status === 503;
  if (!response.ok) throw Object.assign(new Error(body.detail ?? `the server answered ${response.status}`), { problem: body, passing });
  return body;
}

export function sendJson(method, url, body, headers = {}) {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  return getJson(url, { method, body: text, headers: { Accept: "application/json", "Content-Type": "application/json", ...headers } });
}

export async function replaceFragment(element, url) {
  const response = await fetch(url, { headers: { Accept: "text/html" } });
  if (!response.ok || response.redirected) return false;
  const text = await response.text();
  const focused = element.contains(document.activeElement) ? document.activeElement.dataset.keep : null;
  element.innerHTML = text;
  if (focused) element.querySelector(`[data-keep="${CSS.escape(focused)}"]`)?.focus();
  return true;
}

/* As above, for a part that a reader may be using: it is changed in place. */
export async function morphFragment(element, url) {
  const response = await fetch(url, { headers: { Accept: "text/html" } });
  if (!response.ok || response.redirected) return false;
  morph(element, await response.text());
  return true;
}

/* What the server says, refusals included, in the place whose data-source names it. */
export async function loadFragment(place, what) {
  try {
    const response = await fetch(place.dataset.source, { headers: { Accept: "text/html" } });
    if (response.redirected) return location.reload();
    place.innerHTML = await response.text();
  } catch {
    place.textContent = `${what} could not be loaded. Reload the page to try again.`;
  }
}
