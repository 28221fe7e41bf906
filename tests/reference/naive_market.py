"""Market as it may be seen at a moment: closed candles, settled funding records, the mark series."""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import accumulate, pairwise
from typing import Any

from tests.reference.naive_numbers import divide, exact

INSTRUMENT_DEFAULTS = {"qty_step": "0.00001", "min_qty": "0.00001", "min_notional": "5", "mmr": "0.005"}


class Candles:
    """Answer as-of questions about one candle series, whose rows are visible from their close on."""

    def __init__(self, rows: Sequence[Sequence[Any]], timeframe_ms: int) -> None:
        ordered = sorted(rows, key=lambda row: int(row[0]))
        self.closed_at = [int(row[0]) + timeframe_ms for row in ordered]
        self.high = [exact(row[2]) for row in ordered]
        self.close = [exact(row[4]) for row in ordered]
        volume = [exact(row[5]) for row in ordered]
        self.traded = [amount > 0 for amount in volume]
        turnover = [amount * price for amount, price in zip(volume, self.close, strict=True)]
        self._volume_up_to = list(accumulate(volume, initial=Fraction(0)))
        self._turnover_up_to = list(accumulate(turnover, initial=Fraction(0)))

    def visible(self, t: int) -> int:
        """Return how many candles have closed at `t`."""
        return bisect_right(self.closed_at, t)

    def last_live(self, t: int) -> int | None:
        """Return when the newest candle with volume by `t` closed; without any volume, the newest of all."""
        closed = list(zip(self.closed_at[: self.visible(t)], self.traded[: self.visible(t)], strict=True))
        live = [closed_at for closed_at, traded in closed if traded]
        return max(live or [closed_at for closed_at, _ in closed], default=None)

    def newest_close(self, t: int) -> Fraction | None:
        """Return the close of the newest closed candle, however old, or None before the first."""
        count = self.visible(t)
        return self.close[count - 1] if count else None

    def is_fresh(self, t: int, max_age_ms: Fraction) -> bool:
        """Tell whether the newest closed candle closed no more than `max_age_ms` before `t`."""
        count = self.visible(t)
        return count > 0 and t - self.closed_at[count - 1] <= max_age_ms

    def volume_between(self, first: int, last: int) -> Fraction:
        """Return the base volume of the candles numbered from `first` up to, not including, `last`."""
        return self._volume_up_to[last] - self._volume_up_to[first]

    def turnover_of_newest(self, t: int, count: int) -> Fraction:
        """Return the sum of volume times close over the `count` newest closed candles, or all if fewer."""
        last = self.visible(t)
        return self._turnover_up_to[last] - self._turnover_up_to[max(0, last - count)]


@dataclass(frozen=True)
class Record:
    """Hold one settlement: `rate` per its own interval, `rate_8h` per 8 hours."""

    t: int
    rate: Fraction
    interval_hours: Fraction
    own_mark: Fraction | None
    rate_8h: Fraction


def _record(row: Sequence[Any]) -> Record:
    t, rate, hours, mark = row
    rate, hours = exact(rate), exact(hours)
    own_mark = None if mark is None else exact(mark)
    return Record(int(t), rate, hours, own_mark, divide(rate * 8, hours))


class Symbol:
    """Join the series of one symbol and its instrument."""

    def __init__(self, name: str, data: Mapping[str, Any], override: Mapping[str, Any]) -> None:
        self.name = name
        timeframes = data["timeframe_ms"]
        self.spot = Candles(data["spot"], timeframes["spot"])
        self.perp = Candles(data["perp"], timeframes["perp"])
        self.marks = Candles(data["mark"], timeframes["mark"]) if data.get("mark") else None
        self.records = sorted((_record(row) for row in data["funding"]), key=lambda record: record.t)
        self._missing: dict[int, list[int]] = {}
        self._position_at = {record.t: index for index, record in enumerate(self.records)}
        self._set_instrument({**(data.get("instrument") or {}), **override})

    def _set_instrument(self, given: Mapping[str, Any]) -> None:
        known = {**INSTRUMENT_DEFAULTS, **{key: value for key, value in given.items() if value is not None}}
        self.qty_step = Fraction(known["qty_step"])
        self.min_qty = Fraction(known["min_qty"])
        self.min_notional = Fraction(known["min_notional"])
        self.mmr = Fraction(known["mmr"])
        self.spot_active = bool(known.get("spot_active", True))

    def end(self, window_end: int) -> int | None:
        """Return when the contract ended: its last live perp candle closed over 24 h before `window_end`."""
        last = self.perp.last_live(window_end)
        return last if last is not None and window_end - last > 24 * 3_600_000 else None

    def missing(self, until: int) -> list[int]:
        """Return the times up to `until` at which settlements fell due that are not recorded."""
        if until not in self._missing:
            self._missing[until] = self._find_missing(until)
        return self._missing[until]

    def _find_missing(self, until: int) -> list[int]:
        found, known = [], [record for record in self.records if record.t <= until]
        for record, following in pairwise(known):
            step = int(following.interval_hours * 3_600_000)
            count = max(round(Fraction(following.t - record.t, step)), 1)
            found += [record.t + place * step for place in range(1, count)]
        if known:
            step = int(known[-1].interval_hours * 3_600_000)
            found += list(range(known[-1].t + step, until + 1, step))
        return found

    def settles_at(self, t: int) -> bool:
        """Tell whether a funding record settles exactly at `t`."""
        return t in self._position_at

    def record_index(self, t: int) -> int:
        """Return the number of the record that settles at `t`."""
        return self._position_at[t]

    def has_fresh_prices(self, t: int, max_age_ms: Fraction) -> bool:
        """Tell whether both legs have a price young enough to decide on."""
        return self.spot.is_fresh(t, max_age_ms) and self.perp.is_fresh(t, max_age_ms)

    @property
    def liquidation_candles(self) -> Candles:
        """Return the mark series: mark candles where there are any at all, else perp candles."""
        return self.perp if self.marks is None else self.marks

    def margin_price(self, t: int) -> Fraction | None:
        """Return the newest close of the mark series, or of the perp before that series begins."""
        close = self.liquidation_candles.newest_close(t)
        return self.perp.newest_close(t) if close is None else close

    def settlement_mark(self, t: int) -> Fraction | None:
        """Return the price that the funding settled at `t` is paid on."""
        own_mark = self.records[self.record_index(t)].own_mark
        return self.margin_price(t) if own_mark is None else own_mark
