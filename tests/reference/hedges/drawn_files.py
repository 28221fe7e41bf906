"""Files of small markets that a seed makes: coarse walks with jumps, gaps, and lives of contracts."""

import json
from dataclasses import dataclass
from decimal import Decimal
from random import Random
from typing import Any

from tests.reference.hedges.hedge import multiple_of, stem_of
from tests.reference.hedges.parameters import DAY_MS, HOUR_MS

FIRST_MS = 1_704_067_200_000
"""Midnight before the first hour of every walk."""
STEPS = (1.0, 1.0, 1.0, 1.002, 0.998, 1.01, 0.99, 1.03, 0.97)
JUMPS = (0.55, 0.8, 0.9, 1.1, 1.25, 1.9)
RATES_8H = ("0.00012345", "0.0001", "0.0003", "0.0008", "0.001", "0.003", "0.0002", "0", "-0.0004", "-0.002")
FRAMES = (*(["1h"] * 12), "30m", "4h")
Epochs = list[dict[str, Any]]


@dataclass(frozen=True)
class Frame:
    """Hours that a run has prices of, and those between which it settles, counted from the first midnight."""

    hours: int
    first: int
    last: int


def text(value: float, digits: int = 5) -> str:
    """Return a positive number in plain notation with some significant digits."""
    return format(Decimal(f"{value:.{digits}g}"), "f")


def bars(random: Random, path: list[float], frame: str) -> list[tuple[int, list[float]]]:
    """Return opening time, open, high, low and close of candles of `30m`, `1h` or `4h`, some with wicks."""
    wick_chance, before = random.choice((0.0, 0.02, 0.1)), path[0]
    found: list[tuple[int, list[float]]] = []
    for hour, price in enumerate(path):
        opens_at = FIRST_MS + hour * HOUR_MS
        wick = random.choice((1.05, 1.2, 1.6)) if random.random() < wick_chance else 1.0
        high, low = max(before, price) * wick, min(before, price) / wick
        if frame == "30m":
            middle = random.choice((before, price))
            found.append((opens_at, [before, max(before, middle), min(before, middle), middle]))
            found.append((opens_at + HOUR_MS // 2, [middle, high, low, price]))
        elif frame == "4h" and hour % 4 and found:
            opened, (first, highest, lowest, _) = found[-1]
            found[-1] = opened, [first, max(high, highest), min(low, lowest), price]
        else:
            found.append((opens_at, [before, high, low, price]))
        before = price
    return found if frame != "4h" else found[: len(path) // 4]


def walk(random: Random, hours: int, start: float) -> list[float]:
    """Return a price for each hour: coarse steps, standing still now and then, jumps that liquidate."""
    jump, drift = random.choice((0.0, 0.0, 0.01, 0.04)), random.choice((1.0, 1.0, 1.004, 0.996))
    price, path = start, []
    for _ in range(hours):
        price *= drift * random.choice(JUMPS if random.random() < jump else STEPS)
        price = min(max(price, start / 20), start * 20)
        path.append(price)
    return path


def near(random: Random, path: list[float]) -> list[float]:
    """Return prices of the same coin on another market: at a distance that stays or wanders."""
    distance, wanders = random.choice((0.0, 0.0, 0.004, -0.004)), random.random() < 0.6
    found = []
    for price in path:
        if wanders:
            distance = min(max(distance + random.choice((0, 0, 0.001, -0.001, 0.004, -0.004)), -0.03), 0.03)
        found.append(price * (1 + distance))
    return found


class FileMaker:
    """Adds one market after the other to files."""

    def __init__(self, random: Random, frame: Frame) -> None:
        self._random, self._frame = random, frame
        self.files: dict[str, str] = {}
        self._lives: dict[str, Epochs] = {}

    def add_market(self, exchange: str, symbol: str, kind: str, path: list[float], epochs: Epochs) -> None:
        """Add the candles of a market, `spot` or `perp`, whose coin is worth `path`, and its life if any."""
        stem, units = stem_of(symbol), multiple_of(symbol.partition("/")[0])[0]
        own = near(self._random, path)
        self._candles(exchange, stem, kind, own, epochs, units)
        if kind == "perp":
            marks = self._random.choice(("none", "none", "full", "late"))
            if marks != "none":
                first = self._random.randrange(len(own)) if marks == "late" else 0
                self._candles(exchange, stem, "mark", near(self._random, path), epochs, units, first)
        if epochs:
            self._lives.setdefault(f"{exchange}/{stem}-life.json", []).extend(
                {"market": kind, **{name: value for name, value in epoch.items() if value is not None}}
                for epoch in epochs
            )

    def finish(self) -> dict[str, str]:
        """Return all files by name."""
        lives = {name: json.dumps(rows) for name, rows in self._lives.items()}
        return {**self.files, **lives}

    def _candles(
        self,
        exchange: str,
        stem: str,
        kind: str,
        path: list[float],
        epochs: Epochs,
        units: int,
        first: int = 0,
    ) -> None:
        random = self._random
        frame_name = random.choice(FRAMES)
        missing, digits = self._gaps(), random.choice((2, 5, 5, 5, 11))
        traded = random.choice((3e4, 3e5, 2e6)) if kind != "mark" else 0.0
        for opens_at, prices in bars(random, path, frame_name):
            hour = (opens_at - FIRST_MS) // HOUR_MS
            multiple = float(units_at(epochs, opens_at, units))
            volume = random.choice((0.5, 1, 1, 2, 0)) * traded / prices[-1] / multiple
            if hour < first or (frame_name == "1h" and hour in missing):
                continue
            shown = [text(value * multiple, digits) for value in prices]
            shown[1] = max(shown, key=Decimal)
            shown[2] = min(shown, key=Decimal)
            for each in stems_at(random, epochs, opens_at, stem):
                self._row(f"{exchange}/{each}-{kind}-{frame_name}.csv", opens_at, shown, text(volume, 4))

    def _row(self, name: str, opens_at: int, prices: list[str], volume: str) -> None:
        header = "timestamp_ms,open,high,low,close,volume\n"
        line = f"{opens_at},{','.join(prices)},{volume}\n"
        self.files[name] = self.files.get(name, header) + line

    def _gaps(self) -> set[int]:
        """Return the hours without a candle, never those that close at the first or the last settlement."""
        random, frame = self._random, self._frame
        missing: set[int] = set()
        if random.random() < 0.4:
            for _ in range(random.randint(1, 3)):
                first = random.randrange(frame.hours)
                missing.update(range(first, first + random.randint(1, 9)))
        if random.random() < 0.2:
            missing.update(hour for hour in range(frame.hours) if hour % 4 != 3)
        return missing - {frame.first - 1, frame.last - 1}

    def add_funding(
        self, exchange: str, symbol: str, path: list[float], epochs: Epochs, interval: int, lean: int
    ) -> None:
        """Add the settlements of a perp every `interval` hours, whose rates lean to the sign of `lean`."""
        random, stem, frame = self._random, stem_of(symbol), self._frame
        units, mark_chance = multiple_of(symbol.partition("/")[0])[0], random.choice((0.0, 0.0, 0.5, 1.0))
        level, hour = random.choice(RATES_8H), frame.first
        while hour <= frame.last:
            if random.random() < 0.04:
                interval = random.choice((1, 2, 3, 4, 6, 8, 12))
            if random.random() < 0.25:
                level = random.choice(RATES_8H)
            t = FIRST_MS + hour * HOUR_MS
            rate = Decimal(level) * interval / 8 * lean
            mark = random.random() < mark_chance and path[hour - 1] * random.choice((0.97, 1.0, 1.0, 1.04))
            multiple = float(units_at(epochs, t, units))
            if random.random() >= 0.03 or hour == frame.first:
                for each in stems_at(random, epochs, t, stem):
                    name = f"{exchange}/{each}-funding.csv"
                    header = "timestamp_ms,funding_rate,interval_hours,mark_price\n"
                    line = f"{t},{rate:f},{interval},{text(mark * multiple) if mark else ''}\n"
                    self.files[name] = self.files.get(name, header) + line
            hour += interval

    def add_borrow(self, exchange: str, symbol: str, price: float) -> None:
        """Add rates of interest of a spot market, the first in force from the beginning."""
        random, frame = self._random, self._frame
        most = text(random.choice((200, 2000, 20000)) / price, 3)
        moments = [0, *sorted(random.sample(range(1, frame.hours), random.randint(0, 3)))]
        rows = [
            f"{FIRST_MS + hour * HOUR_MS},{random.choice(('0.000002', '0.00001', '0', '0.00003'))},"
            f"{random.choice(('', '', most))}\n"
            for hour in moments
        ]
        name = f"{exchange}/{stem_of(symbol)}-borrow.csv"
        self.files[name] = "timestamp_ms,hourly_rate,max_quantity\n" + "".join(rows)

    def add_brackets(self, exchange: str, symbol: str, unit: float) -> None:
        """Add brackets of a perp, their caps in steps of `unit`, of quote or of coins."""
        random = self._random
        moments = [0, FIRST_MS + random.randrange(self._frame.hours) * HOUR_MS]
        rows = [{"from_ms": t, "brackets": brackets(random, unit)} for t in moments[: random.randint(1, 2)]]
        self.files[f"{exchange}/{stem_of(symbol)}-brackets.json"] = json.dumps(rows)

    def add_fees(self, exchange: str) -> None:
        """Add schedules of fees of an exchange with tiers that an account climbs."""
        random = self._random
        moments = [0, FIRST_MS + random.randrange(self._frame.hours) * HOUR_MS]
        rows = [
            {"from_ms": t, "market": market, "tier": tier, "min_volume": least}
            | {
                "maker": random.choice(("-0.0001", "0.0002", "0")),
                "taker": random.choice(("0.0004", "0.0011")),
            }
            for t in moments[: random.randint(1, 2)]
            for market in ("spot", "linear", "inverse")
            for tier, least in (("T0", "0"), ("T1", random.choice(("3000", "9000"))), ("T2", "20000"))
        ]
        self.files[f"{exchange}/fees.json"] = json.dumps({"rows": rows})


def brackets(random: Random, unit: float) -> list[dict[str, Any]]:
    """Return brackets that join without a step of the maintenance, or now and then without amounts."""
    rates = random.choice((("0.004", "0.01", "0.1"), ("0.01", "0.05"), ("0.02",)))
    caps = [unit * factor for factor in (1, 4)][: len(rates) - 1]
    with_amounts, amount, rows = random.random() < 0.9, Decimal(0), []
    for place, rate in enumerate(rates):
        if place:
            amount += Decimal(text(caps[place - 1])) * (Decimal(rate) - Decimal(rates[place - 1]))
        row: dict[str, Any] = {
            "cap": text(caps[place]) if place < len(caps) else None,
            "mmr": rate,
            "amount": format(amount, "f") if with_amounts else "0",
        }
        if place < len(caps) or random.random() < 0.5:
            row["max_leverage"] = ("100", "20", "4")[place]
        rows.append(row)
    return rows


def units_at(epochs: Epochs, t: int, units: int) -> Decimal:
    """Return the coins in one of a market at `t`."""
    found = Decimal(units)
    for epoch in epochs:
        if epoch["from_ms"] <= t and epoch.get("units") is not None:
            found = Decimal(epoch["units"])
    return found


def stems_at(random: Random, epochs: Epochs, t: int, stem: str) -> list[str]:
    """Return the stems under which rows of `t` are stored, now and then also one that does not own them."""
    owner = stem
    for epoch in epochs:
        if epoch["from_ms"] <= t:
            owner = epoch.get("stem") or stem
    return [owner] if owner == stem or random.random() < 0.7 else [owner, stem]


def life(random: Random, frame: Frame, stem: str, middle: int | None = None) -> Epochs:
    """Return the epochs of a market that ends, begins late, is used again, renamed or redenominated.

    `middle` is the hour at which one ends, drawn if None.
    """
    if middle is None:
        middle = random.randint(frame.first + 1, max(frame.first + 1, frame.last - 1))
    begin, end = FIRST_MS - random.choice((0, 1, 5)) * DAY_MS, FIRST_MS + middle * HOUR_MS
    announced = random.choice((None, end - random.choice((0, 2, 8, 30)) * HOUR_MS))
    ends = {"from_ms": begin, "to_ms": end, "announced_ms": announced}
    shape = random.choice(("ends", "ends", "late", "reused", "renamed", "redenominated"))
    if shape == "ends":
        return [ends]
    if shape == "late":
        return [{"from_ms": FIRST_MS + random.randrange(frame.first + 1) * HOUR_MS}]
    if shape == "reused":
        again = end + random.choice((0, 3, 10)) * HOUR_MS
        return [ends, {"from_ms": again, "stem": random.choice((None, f"NEW{stem}"))}]
    if shape == "renamed":
        return [{"from_ms": begin, "to_ms": end, "stem": f"OLD{stem}"}, {"from_ms": end, "carried": True}]
    units = random.choice((("0.001", "1"), ("1", "1000"), ("10", "1"), ("1", "1")))
    return [
        {"from_ms": begin, "to_ms": end, "announced_ms": announced, "units": units[0]},
        {"from_ms": end, "units": units[1], "carried": True},
    ]
