"""Holdings of a run at any moment, and its moves, from its trades."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from bot.models import BookedTrade


class Action(StrEnum):
    """Effect of a move on a hedge."""

    OPEN = "open"
    CLOSE = "close"


@dataclass(frozen=True, slots=True)
class Move:
    """A hedge opened or closed, as part of `trade`."""

    t_ms: int
    symbol: str
    action: Action
    trade: BookedTrade


def moves(trades: Iterable[BookedTrade]) -> list[Move]:
    """Return the moves behind `trades` in order of time; at the same moment closings come first."""
    found = []
    for trade in trades:
        found.append(Move(trade.opened_at_ms, trade.symbol, Action.OPEN, trade))
        found.append(Move(trade.closed_at_ms, trade.symbol, Action.CLOSE, trade))
    return sorted(found, key=lambda move: (move.t_ms, move.action, move.symbol))


class Holdings:
    """The hedges of a run by moment; a pair has at most one at a time."""

    def __init__(self, trades: Iterable[BookedTrade]) -> None:
        self._trades: dict[str, list[BookedTrade]] = {}
        for trade in sorted(trades, key=lambda trade: trade.opened_at_ms):
            self._trades.setdefault(trade.symbol, []).append(trade)
        self._opened = {symbol: [trade.opened_at_ms for trade in own] for symbol, own in self._trades.items()}
        self._closed = {symbol: [trade.closed_at_ms for trade in own] for symbol, own in self._trades.items()}

    def closed_by(self, symbol: str, t_ms: int) -> list[int]:
        """Return when the round trips of a pair ended up to `t_ms`, ms UTC."""
        closed = self._closed.get(symbol, [])
        return closed[: bisect_right(closed, t_ms)]

    def held_before(self, t_ms: int) -> dict[str, BookedTrade]:
        """Return the hedges open when the event at `t_ms` began."""
        return {
            symbol: own[at]
            for symbol, own in self._trades.items()
            if (at := bisect_left(self._opened[symbol], t_ms) - 1) >= 0 and t_ms <= own[at].closed_at_ms
        }

    def held_after(self, t_ms: int) -> dict[str, BookedTrade]:
        """Return the hedges open when the event at `t_ms` was over."""
        return {
            symbol: own[at]
            for symbol, own in self._trades.items()
            if (at := bisect_right(self._opened[symbol], t_ms) - 1) >= 0 and t_ms < own[at].closed_at_ms
        }
