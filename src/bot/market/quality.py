"""Oddities of recorded series: pure functions over columns, each finding one line of a report."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from bot.market.contract_end import derived_end_ms
from bot.market.jumps import JUMP_FACTOR, apart_at, fold, leg_jumps
from bot.market.series import CandleSeries, FundingSeries
from bot.models import HOUR_MS
from bot.numbers.arrays import BoolArray, IntArray
from bot.plurals import counted
from bot.timestamps import iso

_SWITCHES_SHOWN = 12
_JUMPS_SHOWN = 3
NO_RETURN = ": a redenomination or another coin of that name, no return"
"""End of the detail of every price jump."""
END_THERE = "; end the window there, or set end_dead_markets to true"
"""End of the detail of every dead contract."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One oddity of a leg: how many rows show it, the first and the last of them, and a sentence.

    `share` is that of the leg's rows, `longest_ms` the time of the longest stretch of them without another
    in between; None where a single row is enough.
    """

    leg: str
    name: str
    count: int
    from_ms: int
    to_ms: int
    detail: str
    share: float | None = None
    longest_ms: int | None = None

    def document(self) -> dict[str, Any]:
        """Return the finding as JSON values."""
        return {name: getattr(self, name) for name in self.__slots__}


def funding_findings(funding: FundingSeries) -> Iterator[Finding]:
    """Yield what is odd about ascending settlements: switches of the interval."""
    hours = funding.interval_hours
    at = np.flatnonzero(hours[1:] != hours[:-1]) + 1
    if len(at):
        shown = [
            f"{hours[i - 1]} h to {hours[i]} h at {iso(int(funding.t_ms[i]))}" for i in at[:_SWITCHES_SHOWN]
        ]
        more = f", {len(at) - len(shown)} more" if len(at) > len(shown) else ""
        yield _finding("funding", "interval_switch", funding.t_ms[at], ", ".join(shown) + more)


def undecided(funding: FundingSeries) -> str | None:
    """Return the reason why the intervals of settlements are not known yet, None if they are."""
    if not len(funding) or np.all(funding.interval_hours):
        return None
    first, last = (iso(int(funding.t_ms[at])) for at in (0, -1))
    held = (
        f"only one settlement is held ({first})"
        if first == last
        else (f"no two of the {len(funding)} settlements held ({first} to {last}) are within 24 h")
    )
    return f"the funding interval is not known yet, because {held}; import the settlements around it"


def interval_undecided(funding: FundingSeries) -> Iterator[Finding]:
    """Yield a finding if intervals are not known until more settlements are held."""
    reason = undecided(funding)
    if reason is not None:
        yield _finding("funding", "interval_undecided", funding.t_ms, reason)


def candle_findings(leg: str, candles: CandleSeries) -> Iterator[Finding]:
    """Yield what is odd about ascending candles: no trade, prices that did not move, prices that jumped."""
    flat = _flat(candles)
    traded = np.asarray(candles.volume.mantissas != 0)
    # Mark candles have no volume at all.
    if np.any(traded) and not np.all(traded):
        yield _stretches(leg, "zero_volume", candles, ~traded, "candles without a trade")
    stuck = flat & traded if leg != "mark" else flat
    if np.any(stuck):
        yield _stretches(leg, "flat", candles, stuck, "candles whose four prices are one")
    yield from _jumps(leg, candles)


def legs_apart(spot: CandleSeries, perp: CandleSeries, rows: slice) -> Iterator[Finding]:
    """Yield a finding if some `rows` of perp close `JUMP_FACTOR` times or more above or below the spot."""
    at = apart_at(spot, perp, rows)
    if len(at):
        first = int(at[0])
        closed_ms = int(perp.open_ms[first]) + perp.timeframe_ms
        newest = int(np.searchsorted(spot.open_ms + spot.timeframe_ms, closed_ms, side="right")) - 1
        change = fold(spot.close.decimal(newest), perp.close.decimal(first))
        detail = (
            f"candles that close {JUMP_FACTOR} times or more from the spot's price; at {iso(closed_ms)} "
            f"{change}: another unit or another coin"
        )
        yield _finding("perp", "legs_apart", perp.open_ms[at], detail)


def dead_contract(perp: CandleSeries, funding: FundingSeries, until_ms: int) -> Iterator[Finding]:
    """Yield a finding if the contract ended longer than a day before `until_ms`, or its record did.

    A record that goes on is named with the settlements posted since: at one constant rate they look like
    income, and are none. Rows after `until_ms` do not count.
    """
    ended_ms = derived_end_ms(perp, until_ms)
    if ended_ms is None:
        return
    candles = int(np.searchsorted(perp.open_ms, until_ms - perp.timeframe_ms, side="right"))
    candles -= int(np.searchsorted(perp.open_ms, ended_ms))
    since, stop = np.searchsorted(funding.t_ms, [ended_ms, until_ms], side="right").tolist()
    posted = stop - since
    if not candles and not posted:
        detail = f"the record ends at {iso(ended_ms)}, the window at {iso(until_ms)}"
        yield Finding("perp", "record_ends", 0, ended_ms, until_ms, detail)
        return
    rates = np.unique(funding.rates.mantissas[since:stop])
    constant = f", all at {funding.rates.decimal(since)}" if len(rates) == 1 else ""
    detail = (
        f"no trade since {iso(ended_ms)}; {counted(posted, 'settlement')} posted since{constant}{END_THERE}"
    )
    yield Finding("perp", "dead_contract", candles or posted, ended_ms, until_ms, detail)


def late_prices(leg: str, candles: CandleSeries, settled_ms: IntArray) -> Iterator[Finding]:
    """Yield a finding if settlements find the newest closed candle over an hour old."""
    newest = np.searchsorted(candles.open_ms + candles.timeframe_ms, settled_ms, side="right") - 1
    known = newest >= 0
    if not np.any(known):
        return
    times = settled_ms[known]
    ages = times - candles.open_ms[newest[known]] - candles.timeframe_ms
    late = ages > HOUR_MS
    if np.any(late):
        lowest, highest = (f"{age / HOUR_MS:g}" for age in (ages[late].min(), ages[late].max()))
        span = lowest if lowest == highest else f"{lowest} to {highest}"
        bars = f"{candles.timeframe_ms / HOUR_MS:g} h candles"
        detail = (
            f"settlements whose newest {leg} price is {span} h old ({bars}); "
            "max_price_age_hours says how old a price may be to decide on"
        )
        yield _finding(leg, "late_prices", times[late], detail)


def _jumps(leg: str, candles: CandleSeries) -> Iterator[Finding]:
    found = leg_jumps(candles)
    if found:
        shown = [f"{fold(one.before, one.after)} to {iso(one.after_ms)}" for one in found[:_JUMPS_SHOWN]]
        more = f", {len(found) - len(shown)} more" if len(found) > len(shown) else ""
        detail = f"{', '.join(shown)}{more}{NO_RETURN}"
        opens = np.array([one.after_ms - candles.timeframe_ms for one in found], dtype=np.int64)
        yield _finding(leg, "price_jump", opens, detail)


def _stretches(leg: str, name: str, candles: CandleSeries, shows: BoolArray, said: str) -> Finding:
    times = candles.open_ms[shows]
    edges = np.flatnonzero(np.diff(np.concatenate(([False], shows, [False])).astype(np.int8)))
    lasted = candles.open_ms[edges[1::2] - 1] - candles.open_ms[edges[::2]]
    longest_ms = int(lasted.max()) + candles.timeframe_ms
    share = len(times) / len(candles)
    detail = f"{said}: {share:.2%} of all, {longest_ms / HOUR_MS:g} h together at most"
    return Finding(leg, name, len(times), int(times[0]), int(times[-1]), detail, share, longest_ms)


def _finding(leg: str, name: str, times: IntArray, detail: str) -> Finding:
    return Finding(leg, name, len(times), int(times[0]), int(times[-1]), detail)


def _flat(candles: CandleSeries) -> BoolArray:
    columns = (candles.open, candles.high, candles.low, candles.close)
    exponent = min(column.exponent for column in columns)
    opening, *others = (column.mantissas_over(exponent) for column in columns)
    flat = np.ones(len(candles), dtype=np.bool_)
    for other in others:
        flat &= np.asarray(opening == other, dtype=np.bool_)
    return flat
