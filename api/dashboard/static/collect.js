/* Trials picked for a comparison, kept by this browser until they are compared or taken out. */
const KEY = "comparison";
export const MOST = 10;

export function collected() {
  return (localStorage.getItem(KEY) ?? "").split(",").filter((one) => /^\d+:\d+$/.test(one));
}

export function collect(trials) {
  localStorage.setItem(KEY, trials.slice(0, MOST).join(","));
  document.dispatchEvent(new Event("collected"));
}

export function toggle(trial) {
  const held = collected();
  collect(held.includes(trial) ? held.filter((one) => one !== trial) : [...held, trial]);
}

export const compareAddress = (trials) => `/dashboard/compare?trials=${trials.join(",")}`;

const button = document.getElementById("collect");

function label() {
  const held = collected();
  const mine = held.includes(button.dataset.trial);
  const full = !mine && held.length >= MOST;
  button.textContent = mine ? "Take out of comparison" : full ? `Comparison is full (${MOST})` : "Add to comparison";
  button.disabled = full;
  let link = document.getElementById("collected-link");
  if (!link) {
    link = Object.assign(document.createElement("a"), { id: "collected-link", className: "button" });
    button.after(link);
  }
  link.hidden = held.length < 2;
  link.href = compareAddress(held);
  link.textContent = `Compare ${held.length} trials`;
}

if (button) {
  button.addEventListener("click", () => toggle(button.dataset.trial));
  document.addEventListener("collected", label);
  window.addEventListener("storage", label);
  label();
}
