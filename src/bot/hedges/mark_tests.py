"""Tests of margined legs against mark candles: which one wipes a leg out, and how near the others came.

Source: docs/domain.md, section 6.
"""

from collections.abc import Iterator, Sequence
from decimal import Decimal

from bot.hedges.maintenance import LiquidationLevel
from bot.hedges.metrics import Observed
from bot.hedges.positions import OpenLeg


def extremes_of(leg: OpenLeg) -> list[Decimal]:
    """Return the prices of mark candles that are worst for a leg."""
    return leg.contract.marks.highs if leg.side < 0 else leg.contract.marks.lows


def wiped_out_at(leg: OpenLeg, until_ms: int) -> int | None:
    """Return when the first untested mark candle closes that wipes a leg out, None if none does."""
    marks, extremes = leg.contract.marks, extremes_of(leg)
    for level, first, stop in _stretches(leg, until_ms):
        if level.may_be_reached(_worst(leg, extremes[first:stop])):
            for place in range(first, stop):
                if level.is_reached(extremes[place]):
                    return marks.closed_ms[place]
    return None


def tested(leg: OpenLeg, until_ms: int, observed: Observed) -> Decimal | None:
    """Test the mark candles of a leg up to a moment; return the extreme of the last that wipes it out."""
    found, extremes = None, extremes_of(leg)
    for level, first, stop in _stretches(leg, until_ms):
        candles = extremes[first:stop]
        worst = _worst(leg, candles)
        if level.comes_nearer(worst):
            observed.note_distance(level.price, worst, leg.side)
        if level.may_be_reached(worst):
            reached = [extreme for extreme in candles if level.is_reached(extreme)]
            found = reached[-1] if reached else found
    leg.tested_ms = until_ms
    return found


def worst_candles(leg: OpenLeg, until_ms: int) -> Iterator[tuple[LiquidationLevel, Decimal, int]]:
    """Yield of the untested mark candles up to a moment the worst under each brackets: price, and its close.

    It leaves them untested.
    """
    closed_ms, extremes = leg.contract.marks.closed_ms, extremes_of(leg)
    for level, first, stop in _stretches(leg, until_ms):
        worst = _worst(leg, extremes[first:stop])
        yield level, worst, closed_ms[extremes.index(worst, first, stop)]


def _stretches(leg: OpenLeg, until_ms: int) -> Iterator[tuple[LiquidationLevel, int, int]]:
    """Yield the untested mark candles of a leg, from place to place, each stretch under its brackets."""
    marks, brackets_at = leg.contract.marks, leg.market.maintenance.at
    untested = marks.between(leg.tested_ms, until_ms)
    if not untested:
        return
    first_ms, last_ms = marks.closed_ms[untested[0]], marks.closed_ms[untested[-1]]
    if brackets_at(first_ms) is brackets_at(last_ms):
        yield leg.liquidation_level(last_ms), untested.start, untested.stop
        return
    for place in untested:
        yield leg.liquidation_level(marks.closed_ms[place]), place, place + 1


def _worst(leg: OpenLeg, extremes: Sequence[Decimal]) -> Decimal:
    return max(extremes) if leg.side < 0 else min(extremes)
