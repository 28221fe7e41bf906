/* Blue gains, orange losses: distinguishable with every common colour vision; neutral at zero. */
const SCALES = {
  light: {
    loss: ["#7f2d04", "#b8500f", "#e08a45", "#f3c79d"], zero: "#f4f4f4",
    gain: ["#b5d3ea", "#6aa5d3", "#2a72b5", "#0b3f7a"],
    lines: { loss: ["#7f2d04", "#b8500f", "#d97b30"], zero: "#8f9aa6", gain: ["#5d9bcd", "#2a72b5", "#0b3f7a"] },
  },
  dark: {
    loss: ["#ffc99a", "#ee9450", "#b8622a", "#6b3c22"], zero: "#2a3138",
    gain: ["#254a6b", "#2f77b3", "#62a9e2", "#b4dcff"],
    lines: { loss: ["#ffc99a", "#ee9450", "#b8622a"], zero: "#66717c", gain: ["#2f77b3", "#62a9e2", "#b4dcff"] },
  },
};
const STEPS = 256;
const LEAST_CLIPPED = 20;
const CLIPPED = 0.02;
const MOST_SORTED = 6000;

/* A scale of 256 colours over [lowest, highest]. Values of both signs meet in the neutral colour at zero; those of one
   sign span the colours of that side, from where they begin. Orange is the side nobody wants: below zero, or above it
   for drawdowns, fees and liquidations. Lines and points are drawn on the bare page: their palest colours stand out from
   it at some 3 to 1, the neutral one still the palest. */
export function anchoredScale(lowest, highest, smallIsGood, { lines = false } = {}) {
  const cells = SCALES[onDark() ? "dark" : "light"];
  const { loss, zero, gain } = lines ? cells.lines : cells;
  const above = smallIsGood ? [...loss].reverse() : gain;
  const below = smallIsGood ? [...gain].reverse() : loss;
  if (lowest > 0 && highest > lowest) return scaleOf(lowest, highest, above);
  if (highest < 0 && highest > lowest) return scaleOf(lowest, highest, below);
  const low = Math.min(0, lowest);
  const high = Math.max(0, highest);
  const half = Math.max(-low, high) || 1;
  if (low === 0) return scaleOf(0, half, [zero, ...above]);
  if (high === 0) return scaleOf(-half, 0, [...below, zero]);
  return scaleOf(-half, half, [...below, zero, ...above]);
}

/* With forced colours the page is as light or dark as the reader's system says, not as the theme does. */
function onDark() {
  if (matchMedia("(forced-colors: active)").matches) return matchMedia("(prefers-color-scheme: dark)").matches;
  return document.documentElement.dataset.theme === "dark";
}

function scaleOf(low, high, stops) {
  const colours = stops.map(channels);
  const table = Array.from({ length: STEPS }, (_, index) => mixed(colours, index / (STEPS - 1)));
  const place = (value) => Math.round(Math.min(Math.max((value - low) / (high - low), 0), 1) * (STEPS - 1));
  return {
    low, high, table, place,
    colour: (value) => css(table[place(value)]),
    ink: (value) => (luminance(table[place(value)]) > 0.3 ? "#10151b" : "#ffffff"),
  };
}

/* The smallest and largest number among values, which may be null; [0, 0] without any. */
export function extent(values) {
  let low = Infinity;
  let high = -Infinity;
  for (const value of values) {
    if (value === null) continue;
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return low > high ? [0, 0] : [low, high];
}

/* The span of most values: of twenty or more, one of fifty at each end is left out, so that a few do not take all the
   colours. */
export function robustExtent(values) {
  const all = values.filter((value) => value !== null);
  const step = Math.ceil(all.length / MOST_SORTED); // sorting all of very many would take longer than drawing them
  const known = new Float64Array(Math.ceil(all.length / step) || 0);
  for (let at = 0; at < known.length; at++) known[at] = all[at * step];
  known.sort();
  if (known.length < LEAST_CLIPPED) return extent(all);
  const cut = Math.floor(known.length * CLIPPED);
  const [low, high] = [known[cut], known[known.length - 1 - cut]];
  return low === high ? extent(all) : [low, high];
}

const channels = (hex) => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
const css = ([red, green, blue]) => `rgb(${red} ${green} ${blue})`;

function mixed(stops, share) {
  const at = share * (stops.length - 1);
  const from = stops[Math.floor(at)];
  const to = stops[Math.ceil(at)];
  return from.map((channel, index) => Math.round(channel + (to[index] - channel) * (at - Math.floor(at))));
}

function luminance(colour) {
  const [red, green, blue] = colour.map((channel) => {
    const share = channel / 255;
    return share <= 0.03928 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}
