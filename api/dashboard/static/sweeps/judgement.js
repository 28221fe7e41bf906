import { latestOnly, refreshed } from "./refreshing.js";

/* The verdict on the best trial: asked for once all views are drawn, and again while trials run or it is made. */

const AGAIN_MS = 2500;
const place = document.getElementById("selection");

const refresh = latestOnly(async () => {
  const open = place.querySelector("details")?.open;
  await refreshed(place, place.dataset.source);
  const figures = place.querySelector("details");
  if (figures && open) figures.open = true;
  if (place.querySelector("[data-unfinished]")) setTimeout(refresh, AGAIN_MS);
});

/* A toggle does not bubble; the part is replaced as a whole, so it is caught on the way down. */
place.addEventListener("toggle", () => {
  const chart = document.getElementById("walk-forward");
  if (chart && chart.closest("details").open) import("./walk_forward.js").then(({ drawWalkForward }) => drawWalkForward(chart));
}, true);
refresh();
