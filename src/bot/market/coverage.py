"""Coverage of a window by recorded history, and the check that it is enough to run on."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np

from bot.errors import InsufficientDataError
from bot.market.gaps import Gap, candle_gaps, funding_gaps, settlements_expected
from bot.market.jumps import JumpMoment, jump_moments, leg_jumps
from bot.market.quality import (
    Finding,
    candle_findings,
    dead_contract,
    funding_findings,
    late_prices,
    legs_apart,
    undecided,
)
from bot.market.series import CandleSeries, FundingSeries, HeldRange, SymbolData
from bot.models import HOUR_MS
from bot.numbers.arrays import IntArray
from bot.numbers.money import plain
from bot.plurals import counted
from bot.timestamps import iso

_DEFAULT_INTERVAL_MS = 8 * HOUR_MS
NO_CANDLES = "no {} candles are recorded"


@dataclass(frozen=True, slots=True)
class LegCoverage:
    """Rows found in the window, rows that a complete record would have, and the holes."""

    found: int
    expected: int
    gaps: tuple[Gap, ...]

    def has_candles(self, held: int) -> bool:
        """Return whether any were found, or, where none was due, whether any are `held` at all."""
        return self.found > 0 or (self.expected == 0 and held > 0)


NOT_ASKED = LegCoverage(0, 0, ())
"""Coverage of a leg that no hedge has."""


@dataclass(frozen=True, slots=True)
class Coverage:
    """Recorded rows of one symbol in a window.

    `first_ms` and `last_ms` are settlements in the window, None if there is none. Candles count if they open
    at or after the start and close by the end. `mark` is None where no mark candles are held.
    `spot_units` is how many coins of the spot market one unit of the perp is. `findings` say what is odd
    about the rows of the window; `jumps` are the moments at which prices of a leg jump in it, oldest first.
    """

    first_ms: int | None
    last_ms: int | None
    funding: LegCoverage
    spot: LegCoverage
    perp: LegCoverage
    mark: LegCoverage | None
    timeframes_ms: dict[str, int]
    spot_units: int = 1
    findings: tuple[Finding, ...] = ()
    jumps: tuple[JumpMoment, ...] = ()

    def legs(self) -> dict[str, LegCoverage]:
        """Return the legs that are held, by name."""
        legs = {"funding": self.funding, "spot": self.spot, "perp": self.perp}
        return legs if self.mark is None else {**legs, "mark": self.mark}

    def document(self) -> dict[str, Any]:
        """Return the report as JSON values."""
        counts: dict[str, int | None] = {"mark_found": None, "mark_expected": None}
        for name, leg in self.legs().items():
            counts.update({f"{name}_found": leg.found, f"{name}_expected": leg.expected})
        gaps = [{"leg": name, **gap.document()} for name, leg in self.legs().items() for gap in leg.gaps]
        extent = {"first_ms": self.first_ms, "last_ms": self.last_ms}
        return {
            **extent,
            **counts,
            "timeframes_ms": self.timeframes_ms,
            "spot_units": self.spot_units,
            "gaps": gaps,
            "findings": [finding.document() for finding in self.findings],
        }


def check_decided(field: str, symbol: str, funding: FundingSeries) -> None:
    """Raise InsufficientDataError for `field` if intervals of settlements are not known yet."""
    reason = undecided(funding)
    if reason is not None:
        raise InsufficientDataError.of(field, f"{symbol}: {reason}")


def coverage(
    data: SymbolData,
    start_ms: int,
    end_ms: int,
    legs: Collection[str] = ("spot", "perp"),
    settled_until_ms: int | None = None,
) -> Coverage:
    """Return the coverage of the window by `data`, both ends inclusive.

    Of `legs`, settlements and marks belong to the perp; what is not asked for is neither found nor expected.
    Settlements count up to `settled_until_ms`, the end if left out.
    """
    last_ms = end_ms if settled_until_ms is None else settled_until_ms
    funding = data.funding if "perp" in legs else data.funding[:0]
    inside = _between(funding.t_ms, start_ms, last_ms)
    settled = funding.t_ms[inside]
    candles = {name: series for name, series in (("spot", data.spot), ("perp", data.perp)) if name in legs}
    if "perp" in legs and data.mark is not None:
        candles["mark"] = data.mark
    found = {name: _candle_coverage(series, start_ms, end_ms) for name, series in candles.items()}
    rows = {name: _opened_between(series, start_ms, end_ms) for name, series in candles.items()}
    return Coverage(
        first_ms=int(settled[0]) if len(settled) else None,
        last_ms=int(settled[-1]) if len(settled) else None,
        funding=funding_coverage(funding, start_ms, last_ms) if "perp" in legs else NOT_ASKED,
        spot=found.get("spot", NOT_ASKED),
        perp=found.get("perp", NOT_ASKED),
        mark=found.get("mark"),
        timeframes_ms={name: series.timeframe_ms for name, series in candles.items()},
        spot_units=data.spot_units,
        findings=tuple(_findings(funding[inside], candles, rows, end_ms)),
        jumps=_jumps({"spot": data.spot[:0], "perp": data.perp[:0], **candles}, rows),
    )


def _findings(
    settled: FundingSeries, candles: dict[str, CandleSeries], rows: dict[str, slice], end_ms: int
) -> Iterator[Finding]:
    """Yield what is odd about the settlements and, leg by leg, the `rows` of a window until `end_ms`."""
    yield from funding_findings(settled)
    for leg, series in candles.items():
        inside = series[rows[leg]]
        yield from candle_findings(leg, inside)
        if leg == "perp":
            yield from dead_contract(series, settled, end_ms)
            if "spot" in candles:
                yield from legs_apart(candles["spot"], series, rows[leg])
        if leg != "mark":
            yield from late_prices(leg, series, settled.t_ms)


def _jumps(candles: dict[str, CandleSeries], rows: dict[str, slice]) -> tuple[JumpMoment, ...]:
    found = [jump for leg, inside in rows.items() for jump in leg_jumps(candles[leg][inside])]
    return jump_moments(found, candles) if found else ()


def _opened_between(series: CandleSeries, start_ms: int, end_ms: int) -> slice:
    return _between(series.open_ms, start_ms, end_ms - series.timeframe_ms)


def _between(times: IntArray, first_ms: int, last_ms: int) -> slice:
    start, stop = np.searchsorted(times, [first_ms, last_ms + 1])
    return slice(int(start), max(int(start), int(stop)))


def funding_coverage(funding: FundingSeries, start_ms: int, end_ms: int) -> LegCoverage:
    """Return the recorded and the expected number of settlements in the window, both ends inclusive."""
    inside = _between(funding.t_ms, start_ms, end_ms)
    t_ms, interval_ms = funding.t_ms[inside], funding.interval_hours[inside] * HOUR_MS
    if not len(t_ms):
        return _no_funding(funding, inside.start, start_ms, end_ms)
    first, last = int(t_ms[0]), int(t_ms[-1])
    first_interval, last_interval = int(interval_ms[0]), int(interval_ms[-1])
    before, after = (first - start_ms) // first_interval, (end_ms - last) // last_interval
    between = int(settlements_expected(t_ms, interval_ms).sum())
    gaps = [
        *_run_of(first - before * first_interval, first_interval, before),
        *funding_gaps(t_ms, interval_ms),
        *_run_of(last + last_interval, last_interval, after),
    ]
    return LegCoverage(len(t_ms), before + 1 + between + after, tuple(gaps))


def _no_funding(funding: FundingSeries, position: int, start_ms: int, end_ms: int) -> LegCoverage:
    nearest_ms, interval_ms = 0, _DEFAULT_INTERVAL_MS
    around = [index for index in (position - 1, position) if 0 <= index < len(funding)]
    if around:
        nearest = min(around, key=lambda index: abs(int(funding.t_ms[index]) - start_ms))
        nearest_ms = int(funding.t_ms[nearest])
        interval_ms = int(funding.interval_hours[nearest]) * HOUR_MS
    return _nothing(nearest_ms, interval_ms, start_ms, end_ms)


def _candle_coverage(series: CandleSeries, start_ms: int, end_ms: int) -> LegCoverage:
    step_ms = series.timeframe_ms
    latest_ms = end_ms - step_ms
    opens = series.open_ms[_between(series.open_ms, start_ms, latest_ms)]
    if not len(opens):
        return _nothing(int(series.open_ms[0]) if len(series) else 0, step_ms, start_ms, latest_ms)
    before, after = int(opens[0] - start_ms) // step_ms, int(latest_ms - opens[-1]) // step_ms
    gaps = [
        *_run_of(int(opens[0]) - before * step_ms, step_ms, before),
        *candle_gaps(opens, step_ms),
        *_run_of(int(opens[-1]) + step_ms, step_ms, after),
    ]
    expected = before + after + int(opens[-1] - opens[0]) // step_ms + 1
    return LegCoverage(len(opens), expected, tuple(gaps))


def _nothing(anchor_ms: int, step_ms: int, first_ms: int, last_ms: int) -> LegCoverage:
    earliest = first_ms + (anchor_ms - first_ms) % step_ms
    expected = max(0, (last_ms - earliest) // step_ms + 1)
    return LegCoverage(0, expected, tuple(_run_of(earliest, step_ms, expected)))


def _run_of(first_ms: int, step_ms: int, missing: int) -> list[Gap]:
    return [Gap(first_ms, first_ms + (missing - 1) * step_ms, missing)] if missing else []


def check_coverage(
    data: SymbolData, found: Coverage, start_ms: int, end_ms: int, min_coverage: Decimal
) -> None:
    """Check that the window can be run on.

    Raises: InsufficientDataError naming symbol, ranges held and range asked, if less than `min_coverage` of
    the settlements are recorded, or no spot or no perp candle of the window is.
    """
    lacking = too_few_settlements(found.funding, min_coverage)
    if lacking is None and not found.spot.has_candles(len(data.spot)):
        lacking = NO_CANDLES.format("spot")
    elif lacking is None and not found.perp.has_candles(len(data.perp)):
        lacking = NO_CANDLES.format("perp")
    if lacking is not None:
        raise InsufficientDataError.of("symbols", refusal(data.symbol, lacking, start_ms, end_ms, data.held))


def too_few_settlements(funding: LegCoverage, min_coverage: Decimal) -> str | None:
    """Return in words that less than `min_coverage` of the settlements are recorded, None if it is not."""
    if Decimal(funding.found) >= min_coverage * funding.expected:
        return None
    count = f"only {funding.found} of {counted(funding.expected, 'settlement')}"
    return f"{count} are recorded, less than min_coverage {plain(min_coverage)},"


def refusal(symbol: str, lacking: str, start_ms: int, end_ms: int, held: Iterable[HeldRange]) -> str:
    """Return the message on what a pair lacks of a window, with the window asked for and the ranges held."""
    asked = f"{iso(start_ms)} to {iso(end_ms)}"
    return f"{symbol}: {lacking} in the range asked, {asked}; held: {held_text(held)}"


def held_text(held: Iterable[HeldRange]) -> str:
    """Return the ranges held of a pair, series by series."""
    ranges = [f"{one.kind} {iso(one.first_ms)} to {iso(one.last_ms)}" for one in held]
    return ", ".join(ranges) or "nothing"
