"""Files of recorded data, `exchange/STEM-kind.csv` or `.json`, read into plain rows."""

import csv
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from io import StringIO
from typing import Any

from tests.reference.hedges.parameters import DAY_MS, HOUR_MS, MINUTE_MS

CANDLES = re.compile(r"(?P<exchange>[^/]+)/(?P<stem>.+)-(?P<kind>spot|perp|mark)-(?P<frame>\d+[mhd])\.csv")
UNIT_MS = {"m": MINUTE_MS, "h": HOUR_MS, "d": DAY_MS}


@dataclass(frozen=True)
class Candle:
    """One candle: when it opens and closes, and its prices and volume as they are written."""

    opens_at: int
    closes_at: int
    high: str
    low: str
    close: str
    volume: str


@dataclass(frozen=True)
class Settlement:
    """One funding record."""

    t: int
    rate: Fraction
    interval_hours: Fraction
    mark: str | None


@dataclass(frozen=True)
class BorrowRow:
    """Interest by the hour, and how much may be borrowed, None for any quantity."""

    t: int
    rate: Fraction
    max_quantity: Fraction | None


class Files:
    """Rows of all files of a run, each parsed when it is asked for."""

    def __init__(self, files: Mapping[str, str]) -> None:
        self._files = files
        self._candles = {
            (match["exchange"], match["stem"], match["kind"]): (name, frame_ms(match["frame"]))
            for name in files
            if (match := CANDLES.fullmatch(name))
        }

    def holds(self, exchange: str, stem: str, kind: str) -> bool:
        """Tell whether there are candles of a kind."""
        return (exchange, stem, kind) in self._candles

    def candles(self, exchange: str, stem: str, kind: str) -> list[Candle]:
        """Return candles, oldest first, none if there is no such file."""
        if not self.holds(exchange, stem, kind):
            return []
        name, frame = self._candles[exchange, stem, kind]
        found = [
            Candle(int(t), int(t) + frame, high, low, close, volume)
            for t, _, high, low, close, volume in self._table(name)
        ]
        return sorted(found, key=lambda candle: candle.opens_at)

    def funding(self, exchange: str, stem: str) -> list[Settlement]:
        """Return funding records, oldest first, at most a minute off a full hour and put onto it."""
        records: dict[int, Settlement] = {}
        for t, rate, hours, mark in self._table(f"{exchange}/{stem}-funding.csv"):
            hour = (int(t) + HOUR_MS // 2) // HOUR_MS * HOUR_MS
            if abs(hour - int(t)) <= MINUTE_MS:
                records.setdefault(hour, Settlement(hour, Fraction(rate), Fraction(hours), mark or None))
        return [records[t] for t in sorted(records)]

    def borrow(self, exchange: str, stem: str) -> list[BorrowRow]:
        """Return rates of interest, oldest first."""
        rows = [
            BorrowRow(int(t), Fraction(rate), Fraction(most) if most else None)
            for t, rate, most in self._table(f"{exchange}/{stem}-borrow.csv")
        ]
        return sorted(rows, key=lambda row: row.t)

    def document(self, name: str) -> Any:
        """Return what a JSON file holds, None if there is no such file."""
        return json.loads(self._files[name]) if name in self._files else None

    def _table(self, name: str) -> list[list[str]]:
        return list(csv.reader(StringIO(self._files[name])))[1:] if name in self._files else []


def frame_ms(text: str) -> int:
    """Return the length of a timeframe such as `1h` in ms."""
    return int(text[:-1]) * UNIT_MS[text[-1]]
