/* Loaded before the page is drawn, so that a dark page never flashes white. */
const wanted = localStorage.getItem("theme");
const system = matchMedia("(prefers-color-scheme: dark)");
const root = document.documentElement;

root.dataset.theme = wanted ?? (system.matches ? "dark" : "light");

system.addEventListener("change", () => {
  if (!localStorage.getItem("theme")) setTheme(system.matches ? "dark" : "light");
});

function setTheme(name) {
  root.dataset.theme = name;
  document.dispatchEvent(new Event("themechange"));
}

document.addEventListener("click", (event) => {
  if (!event.target.closest("#theme-switch")) return;
  const name = root.dataset.theme === "dark" ? "light" : "dark";
  localStorage.setItem("theme", name);
  setTheme(name);
});
