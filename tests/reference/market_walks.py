"""Random but reproducible series of one symbol: settlements and candles, made to be nasty."""

import math
from dataclasses import dataclass
from random import Random
from typing import Any

HOUR_MS = 3_600_000
EPOCH_MS = 1_700_006_400_000  # a UTC midnight
SCHEDULES = (1, 2, 4, 8)
TIE_RATES = ("0.0001", "0.0003", "0.0005", "0.001", "-0.0004", "0")


@dataclass(frozen=True)
class Knobs:
    """Hold what a test may turn by hand; everything else follows from the seed."""

    settlements: int
    volatility: float
    jump_chance: float
    mark: str
    own_mark_chance: float
    outages: int
    ties: bool
    dead: str = "never"


def funding_times(random: Random, count: int) -> list[tuple[int, int]]:
    """Return settlement times in ms and their interval in hours, with switches and missing ones."""
    interval = random.choice(SCHEDULES)
    t = EPOCH_MS + random.choice((0, 0, 0, 8, 24)) * HOUR_MS
    times: list[tuple[int, int]] = []
    while len(times) < count:
        if random.random() < 0.08:
            interval = random.choice(SCHEDULES)
        t += interval * HOUR_MS
        if random.random() >= 0.06 or not times:
            times.append((t, interval))
    return times


def funding_rates(random: Random, count: int, *, ties: bool) -> list[str]:
    """Return rates per interval: drifting, sometimes negative, or from a short list so that yields tie."""
    if ties:
        return [random.choice(TIE_RATES) for _ in range(count)]
    level, rates = random.choice((0.0002, 0.0006, 0.002)), []
    drift = level
    for _ in range(count):
        drift = 0.8 * drift + 0.2 * level + random.gauss(0, level / 3)
        rates.append(f"{-drift if random.random() < 0.07 else drift:.8f}")
    return rates


def price_path(random: Random, hours: int, knobs: Knobs) -> list[float]:
    """Return a price per hour: a random walk with jumps, between 1e-7 and 1e6."""
    price, path = 10 ** random.uniform(-6, 5), []
    for _ in range(hours):
        price *= math.exp(random.gauss(0, knobs.volatility))
        if random.random() < knobs.jump_chance:
            price *= random.choice((0.4, 0.8, 1.1, 1.3, 2.5))
        price = min(max(price, 1e-7), 1e6)
        path.append(price)
    return path


def follow(random: Random, path: list[float], distance: float) -> list[float]:
    """Return a path that stays within some `distance` (a fraction) of another."""
    return [price * (1 + random.gauss(0, distance)) for price in path]


def candle_rows(
    random: Random, path: list[float], first_open: int, volume_quote: float
) -> list[tuple[Any, ...]]:
    """Return hourly candles that close along `path`, texts in plain notation, with wicks now and then."""
    places = max(0, 6 - math.floor(math.log10(path[0])))
    tick, rows, before = 10.0**-places, [], path[0]
    for hour, price in enumerate(path):
        wick = 1.25 if random.random() < 0.01 else 1.002
        texts = (before, max(before, price) * wick, min(before, price) / wick, price)
        volume = volume_quote * random.random() / price
        rows.append(
            (
                first_open + hour * HOUR_MS,
                *(f"{max(text, tick):.{places}f}" for text in texts),
                f"{volume:.3f}",
            )
        )
        before = price
    return rows


def with_outages(
    random: Random, rows: list[tuple[Any, ...]], count: int, keep_open: int
) -> list[tuple[Any, ...]]:
    """Return the rows without some stretches of up to 14 hours, and sometimes without a beginning."""
    missing: set[int] = set()
    for _ in range(random.randint(0, count)):
        first = random.randrange(len(rows))
        missing.update(range(first, first + random.randint(1, 14)))
    if random.random() < 0.08:
        missing.update(range(random.randrange(len(rows))))
    return [row for index, row in enumerate(rows) if index not in missing or row[0] == keep_open]


def with_death(
    random: Random, rows: list[tuple[Any, ...]], knobs: Knobs, keep_open: int
) -> list[tuple[Any, ...]]:
    """Return perp candles that from some hour on stand still without volume, or stop but for one."""
    if knobs.dead == "never":
        return rows
    alive = random.randrange(1, len(rows) + 1)
    close = rows[alive - 1][4]
    flat = [(row[0], close, close, close, close, "0.000") for row in rows[alive:]]
    if knobs.dead == "stops":
        flat = [row for row in flat if row[0] == keep_open]
    return [*rows[:alive], *flat]


def mark_rows(
    random: Random, path: list[float], first_open: int, knobs: Knobs
) -> list[tuple[Any, ...]] | None:
    """Return mark candles in full, from some later hour on, or None where there are none."""
    if knobs.mark == "absent":
        return None
    skip = random.randrange(len(path)) if knobs.mark == "late" else 0
    rows = candle_rows(random, follow(random, path, 0.002)[skip:], first_open + skip * HOUR_MS, 0.0)
    return with_outages(random, rows, knobs.outages, rows[-1][0])


def own_marks(random: Random, rates: int, price: float, chance: float) -> list[str | None]:
    """Return the marks that come with the records, some missing."""
    texts = (f"{price * random.uniform(0.9, 1.1):.10f}" for _ in range(rates))
    return [text if random.random() < chance else None for text in texts]


def instrument(random: Random, price: float) -> dict[str, Any]:
    """Return trading rules whose steps are mostly, not always, small against the capital."""
    step_exponent = math.floor(math.log10(100 / price)) - random.choice((0, 1, 2, 4))
    step, many = (
        f"{10.0**exponent:.{max(0, -exponent)}f}" for exponent in (step_exponent, step_exponent + 3)
    )
    return {
        "qty_step": random.choice((step, step, step, "0.00001", "0.0025", "3")),
        "min_qty": random.choice((step, step, many)),
        "min_notional": random.choice(("0", "5", "5", "100")),
        "mmr": random.choice(("0.005", "0.005", "0.004", "0.05")),
        "spot_active": random.random() < 0.95,
    }


def settlements(random: Random, knobs: Knobs) -> list[tuple[int, str, int]]:
    """Return time, rate and interval of each settlement."""
    times = funding_times(random, knobs.settlements)
    rates = funding_rates(random, len(times), ties=knobs.ties)
    return [(t, rate, hours) for (t, hours), rate in zip(times, rates, strict=True)]


def symbol_data(random: Random, knobs: Knobs, schedule: list[tuple[int, str, int]]) -> dict[str, Any]:
    """Return one symbol that settles by `schedule`, in the form the reference reads."""
    first_settlement, last_settlement = schedule[0][0], schedule[-1][0]
    first_open = first_settlement - random.choice((1, 5, 30, 60)) * HOUR_MS
    hours = (last_settlement - first_open) // HOUR_MS + random.choice((0, 3))
    path = price_path(random, hours, knobs)
    marks = own_marks(random, len(schedule), path[len(path) // 2], knobs.own_mark_chance)
    keep_open = last_settlement - HOUR_MS
    volume_quote = random.choice((2e4, 2e5, 5e6))
    legs = {
        leg: with_outages(
            random, candle_rows(random, values, first_open, volume_quote), knobs.outages, keep_open
        )
        for leg, values in (("spot", path), ("perp", follow(random, path, 0.004)))
    }
    legs["perp"] = with_death(random, legs["perp"], knobs, keep_open)
    return {
        "funding": [(*settlement, mark) for settlement, mark in zip(schedule, marks, strict=True)],
        **legs,
        "mark": mark_rows(random, path, first_open, knobs),
        "timeframe_ms": dict.fromkeys(("spot", "perp", "mark"), HOUR_MS),
        "instrument": instrument(random, path[0]),
    }
