import { morphFragment, replaceFragment } from "../requests.js";

const RETRY_MS = 2000;
const place = document.getElementById("trouble");
const troubles = new Map();

/* One request of a kind at a time; what came in meanwhile is asked for once, afterwards. A server that does not answer
   is asked again until it does. */
export function latestOnly(work) {
  let running = false;
  let again = false;
  return async function run() {
    again = running;
    if (running) return;
    running = true;
    try {
      await work();
      trouble(work, "");
    } catch (error) {
      trouble(work, error.message);
      if (error.passing) setTimeout(run, RETRY_MS);
    } finally {
      running = false;
    }
    if (again) await run();
  };
}

/* Replaces an element by what the server says of it now, or changes it in place; a server that does not answer is a
   trouble that passes. */
export async function refreshed(element, url, { inPlace = false } = {}) {
  const shown = await (inPlace ? morphFragment : replaceFragment)(element, url).catch(() => {
    throw Object.assign(new Error("The server does not answer. It may be restarting."), { passing: true });
  });
  if (!shown) throw new Error("A part of the page could not be loaded; reload the page.");
}

function trouble(work, text) {
  if (text) troubles.set(work, text);
  else troubles.delete(work);
  const shown = [...new Set(troubles.values())].join(" ");
  if (place.textContent !== shown) place.textContent = shown;
}
