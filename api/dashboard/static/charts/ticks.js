/* Places of an axis where a reader expects a number: round numbers, and round moments in UTC. */
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const HOURS = [1, 2, 3, 6, 12];
const DAYS = [1, 2, 5, 10];
const MONTHS = [1, 2, 3, 6, 12, 24, 60, 120];
const NAMES = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/* Round numbers between low and high, about as many as asked for. */
export function niceTicks(low, high, count) {
  if (!(high > low)) return [low];
  const rough = (high - low) / Math.max(count, 1);
  const magnitude = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map((factor) => factor * magnitude).find((one) => one >= rough * 0.999);
  const ticks = [];
  for (let at = Math.ceil(low / step - 1e-9); at * step <= high + step * 1e-9; at++) ticks.push(Number((at * step).toPrecision(12)));
  return ticks;
}

/* Round moments between low and high (ms), each with its text; at most about `count` of them. */
export function timeTicks(low, high, count) {
  const rough = (high - low) / Math.max(count, 1);
  const hours = HOURS.find((one) => one * HOUR_MS >= rough);
  if (hours) return every(low, high, hours * HOUR_MS, hourText);
  const days = DAYS.find((one) => one * DAY_MS >= rough);
  if (days) return daily(low, high, days);
  const months = MONTHS.find((one) => one * 30 * DAY_MS >= rough) ?? MONTHS.at(-1);
  return monthly(low, high, months);
}

function every(low, high, step, textOf) {
  const ticks = [];
  for (let t = Math.ceil(low / step) * step; t <= high; t += step) ticks.push({ at: t, text: textOf(t) });
  return ticks;
}

/* Days of a month count anew from its first, so that a step of several never ends between two months. */
function daily(low, high, step) {
  const days = every(low, high, DAY_MS, dayText).filter(({ at }) => {
    const day = new Date(at).getUTCDate();
    return step === 1 || (day - 1) % step === 0 && (day === 1 || day + step / 2 <= 31);
  });
  return days;
}

function monthly(low, high, step) {
  const first = new Date(low);
  const ticks = [];
  for (let month = Math.floor((first.getUTCFullYear() * 12 + first.getUTCMonth()) / step) * step; ; month += step) {
    const at = Date.UTC(Math.floor(month / 12), month % 12, 1);
    if (at > high) return ticks;
    if (at >= low) ticks.push({ at, text: step % 12 ? `${NAMES[month % 12]} ${Math.floor(month / 12)}` : String(Math.floor(month / 12)) });
  }
}

const dayText = (t) => `${new Date(t).getUTCDate()} ${NAMES[new Date(t).getUTCMonth()]}`;
const hourText = (t) => (t % DAY_MS ? new Date(t).toISOString().slice(11, 16) : dayText(t));

/* A moment as the pages write it. */
export const utcText = (t) => `${new Date(t).toISOString().slice(0, 16).replace("T", " ")} UTC`;
