"""Jumps of recorded prices that are no return: redenominations, tickers used anew, units mixed up."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from decimal import Decimal
from typing import Any

import numpy as np
import numpy.typing as npt

from bot.market.series import CandleSeries
from bot.numbers.arrays import BoolArray, IntArray
from bot.numbers.money import plain

JUMP_FACTOR = 10
"""Prices that change so many fold or more between two candles, or from spot to perp, are no market's."""


@dataclass(frozen=True, slots=True)
class LegJump:
    """A price before and after a jump: the close of a candle, and the next candle's open or close.

    Times are the closes of both candles, ms UTC.
    """

    before_ms: int
    after_ms: int
    before: Decimal
    after: Decimal


@dataclass(frozen=True, slots=True)
class JumpMoment:
    """The time over which legs of a pair jump, with the newest spot and perp closes at both ends of it.

    A price is None where no candle of that leg had closed yet.
    """

    before_ms: int
    after_ms: int
    spot_before: Decimal | None
    perp_before: Decimal | None
    spot_after: Decimal | None
    perp_after: Decimal | None

    def document(self) -> dict[str, int | str | None]:
        """Return the moment as JSON values, so that `of` gives it back."""
        values = ((field.name, getattr(self, field.name)) for field in fields(self))
        return {name: plain(value) if isinstance(value, Decimal) else value for name, value in values}

    @classmethod
    def of(cls, document: Mapping[str, int | str | None]) -> "JumpMoment":
        """Return the moment of a document."""
        values: dict[str, Any] = {
            name: Decimal(value) if isinstance(value, str) else value for name, value in document.items()
        }
        return cls(**values)


def fold(before: Decimal, after: Decimal) -> str:
    """Return by how much a positive price went up or down, in four digits at most: `up 1000-fold`."""
    ratio = float(after) / float(before)
    return f"up {ratio:.4g}-fold" if ratio >= 1 else f"down {1 / ratio:.4g}-fold"


def leg_jumps(candles: CandleSeries) -> list[LegJump]:
    """Return the jumps between ascending candles: the next open or close is `JUMP_FACTOR` times the close.

    Either way: ten times as much, or a tenth.
    """
    places, step_ms = _jumps_at(candles).tolist(), candles.timeframe_ms
    times = [(int(candles.open_ms[at]), int(candles.open_ms[at + 1])) for at in places]
    return [
        LegJump(before + step_ms, after + step_ms, candles.close.decimal(at), _after(candles, at))
        for at, (before, after) in zip(places, times, strict=True)
    ]


def apart_at(spot: CandleSeries, perp: CandleSeries, rows: slice) -> IntArray:
    """Return the `rows` of perp closing at `JUMP_FACTOR` times the newest spot close, or a tenth of it."""
    closed = perp.open_ms[rows] + perp.timeframe_ms
    newest = np.searchsorted(spot.open_ms + spot.timeframe_ms, closed, side="right") - 1
    known = np.flatnonzero(newest >= 0)
    exponent = min(spot.close.exponent, perp.close.exponent)
    ours = perp.close.mantissas_over(exponent)[rows][known]
    others = spot.close.mantissas_over(exponent)[newest[known]]
    at: IntArray = known[_far(ours, others)] + rows.start
    return at


def jump_moments(jumps: Sequence[LegJump], candles: Mapping[str, CandleSeries]) -> tuple[JumpMoment, ...]:
    """Return the moments at which legs of one pair jump, oldest first; jumps overlapping in time are one.

    `candles` are those of `spot` and `perp`.
    """
    spans: list[list[int]] = []
    for jump in sorted(jumps, key=lambda one: (one.before_ms, one.after_ms)):
        if spans and jump.before_ms < spans[-1][1]:
            spans[-1][1] = max(spans[-1][1], jump.after_ms)
        else:
            spans.append([jump.before_ms, jump.after_ms])
    times = np.array(spans, dtype=np.int64).reshape(-1)
    spot, perp = (_closes_at(candles[leg], times) for leg in ("spot", "perp"))
    return tuple(
        JumpMoment(before_ms, after_ms, spot[at], perp[at], spot[at + 1], perp[at + 1])
        for at, (before_ms, after_ms) in zip(range(0, len(times), 2), spans, strict=True)
    )


def _jumps_at(candles: CandleSeries) -> IntArray:
    """Return the places of the candles before a jump."""
    exponent = min(candles.open.exponent, candles.close.exponent)
    opens, closes = candles.open.mantissas_over(exponent), candles.close.mantissas_over(exponent)
    before = closes[:-1]
    return np.flatnonzero(_far(opens[1:], before) | _far(closes[1:], before))


def _far(ones: npt.NDArray[np.generic], others: npt.NDArray[np.generic]) -> BoolArray:
    """Return the mask of pairs in which one amount is `JUMP_FACTOR` times the other; division is safe."""
    up, down = ones // JUMP_FACTOR >= others, others // JUMP_FACTOR >= ones  # type: ignore[operator]
    return np.asarray(up | down, dtype=np.bool_)


def _after(candles: CandleSeries, place: int) -> Decimal:
    """Return the close after a jump, the open where only that jumped."""
    before, close = candles.close.decimal(place), candles.close.decimal(place + 1)
    smaller, larger = sorted((before, close))
    return close if larger >= JUMP_FACTOR * smaller else candles.open.decimal(place + 1)


def _closes_at(candles: CandleSeries, times: IntArray) -> list[Decimal | None]:
    newest = np.searchsorted(candles.open_ms + candles.timeframe_ms, times, side="right") - 1
    return [None if at < 0 else candles.close.decimal(at) for at in newest.tolist()]
