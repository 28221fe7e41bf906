"""Margin checks of open hedges, made only at prices that may end them."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Protocol

from bot.accounting.margin import Guards, RiskManager
from bot.models import Instrument, MarkCandle, Position


class MarkPath(Protocol):
    """Port to read closed candles of a pair's mark series."""

    def mark_candles(self, symbol: str, after_ms: int, until_ms: int) -> Iterable[MarkCandle]:
        """Return the candles that closed in (after_ms, until_ms], oldest first."""


class MarginWatch:
    """Judges the hedges of one account by the trading rules of their pairs."""

    __slots__ = ("_guards", "_instruments", "_mark_path", "_risk")

    def __init__(self, risk: RiskManager, instruments: Mapping[str, Instrument], mark_path: MarkPath) -> None:
        self._risk = risk
        self._instruments = instruments
        self._mark_path = mark_path
        self._guards: dict[str, tuple[Position, Guards]] = {}

    def guards(self, position: Position) -> Guards:
        """Return prices below which nothing happens to a hedge."""
        known = self._guards.get(position.symbol)
        if known is None or known[0] is not position:
            guards = self._risk.guards(position, self._instruments[position.symbol].mmr)
            known = self._guards[position.symbol] = position, guards
        return known[1]

    def is_liquidated(self, position: Position, high: Decimal) -> bool:
        """Return whether a mark price as high as `high` ends a hedge."""
        if high < self.guards(position).liquidation:
            return False
        return self._risk.is_liquidated(position, high, self._instruments[position.symbol].mmr)

    def fatal_candle(self, position: Position, after_ms: int, until_ms: int) -> MarkCandle | None:
        """Return the candle that closed in (after_ms, until_ms] and liquidated a hedge, None if none did."""
        candles = self._mark_path.mark_candles(position.symbol, after_ms, until_ms)
        return self._risk.fatal_candle(position, candles, self._instruments[position.symbol].mmr)

    def is_forced_out(self, position: Position, mark: Decimal | None) -> bool:
        """Return whether a hedge must be closed at the mark price, None if there is none."""
        if mark is None or mark < self.guards(position).margin_exit:
            return False
        return self._risk.must_exit(position, mark, self._instruments[position.symbol].mmr)
