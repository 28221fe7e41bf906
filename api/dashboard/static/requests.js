/* One place where the pages talk to the server, so that errors read the same everywhere. */
export async function getJson(url, options = {}) {
  const response = await fetch(url, { headers: { Accept: "application/json" }, ...options });
  if (response.status === 401) location.assign(`/dashboard/login?next=${encodeURIComponent(location.pathname + location.search)}`);
  const body = await response.json().catch(() => ({}));
  if (!response.ok) throw new Error(body.detail ?? `the server answered ${response.status}`);
  return body;
}

export async function replaceFragment(element, url) {
  const response = await fetch(url, { headers: { Accept: "text/html" } });
  if (!response.ok || response.redirected) return false;
  const focused = document.activeElement?.dataset?.keep;
  element.innerHTML = await response.text();
  if (focused) element.querySelector(`[data-keep="${CSS.escape(focused)}"]`)?.focus();
  return true;
}
