"""Margin checks of open hedges, made only at prices that may end them."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Protocol

from bot.accounting.margin import MarginModel
from bot.models import MarkCandle, Position


class MarkPath(Protocol):
    """Port to read closed candles of a pair's mark series."""

    def mark_candles(self, symbol: str, after_ms: int, until_ms: int) -> Iterable[MarkCandle]:
        """Return the candles that closed in (after_ms, until_ms], oldest first."""


class MarginWatch:
    """Judges the hedges of one account by the margin models of their pairs."""

    __slots__ = ("_guards", "_mark_path", "_models")

    def __init__(self, models: Mapping[str, MarginModel], mark_path: MarkPath) -> None:
        self._models = models
        self._mark_path = mark_path
        self._guards: dict[str, tuple[Position, Decimal]] = {}

    def guard(self, position: Position) -> Decimal:
        """Return a mark price below which nothing happens to a hedge."""
        known = self._guards.get(position.symbol)
        if known is None or known[0] is not position:
            guard = self._models[position.symbol].guard(position)
            known = self._guards[position.symbol] = position, guard
        return known[1]

    def is_liquidated(self, position: Position, mark: Decimal) -> bool:
        """Return whether a mark price ends a hedge."""
        if mark < self.guard(position):
            return False
        return self._models[position.symbol].is_liquidated(position, mark)

    def fatal_candle(self, position: Position, after_ms: int, until_ms: int) -> MarkCandle | None:
        """Return the candle that closed in (after_ms, until_ms] and liquidated a hedge, None if none did."""
        candles = self._mark_path.mark_candles(position.symbol, after_ms, until_ms)
        return self._models[position.symbol].fatal_candle(position, candles)

    def is_forced_out(self, position: Position, mark: Decimal | None) -> bool:
        """Return whether a hedge must be closed at the mark price, None if there is none."""
        if mark is None or mark < self.guard(position):
            return False
        return self._models[position.symbol].must_leave(position, mark)
