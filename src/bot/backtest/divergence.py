"""Divergence of two runs: the moments at which they moved differently."""

from collections.abc import Iterable
from dataclasses import dataclass

from bot.backtest.holdings import Action, Move, moves
from bot.backtest.result import RunResult
from bot.models import CloseReason

_Key = tuple[int, str, Action]


@dataclass(frozen=True, slots=True)
class Divergence:
    """A moment at which two runs moved differently: the moves that only the one and only the other made."""

    t_ms: int
    one: tuple[Move, ...]
    other: tuple[Move, ...]

    @property
    def symbols(self) -> tuple[str, ...]:
        """The pairs concerned, sorted."""
        return tuple(sorted({move.symbol for move in (*self.one, *self.other)}))


def divergences(one: RunResult, other: RunResult) -> list[Divergence]:
    """Return, in order of time, where two runs moved differently while both were running.

    That a run closes everything at its end is no decision, and does not count.
    """
    mine, others = _within(one, other), _within(other, one)
    parted: dict[int, tuple[list[Move], list[Move]]] = {}
    for key in mine.keys() ^ others.keys():
        side, move = (0, mine[key]) if key in mine else (1, others[key])
        if move.action is Action.OPEN or move.trade.reason is not CloseReason.END:
            parted.setdefault(move.t_ms, ([], []))[side].append(move)
    return [
        Divergence(t_ms, _ordered(ours), _ordered(theirs)) for t_ms, (ours, theirs) in sorted(parted.items())
    ]


def first_other_size_ms(one: RunResult, other: RunResult) -> int | None:
    """Return the first time both opened the same pair in different quantities, None if they never did."""
    mine, others = _within(one, other), _within(other, one)
    shared = (key for key in mine.keys() & others.keys() if key[2] is Action.OPEN)
    return min(
        (key[0] for key in shared if mine[key].trade.quantity != others[key].trade.quantity), default=None
    )


def _within(run: RunResult, other: RunResult) -> dict[_Key, Move]:
    first_ms = max(run.equity[0][0], other.equity[0][0])
    last_ms = min(run.equity[-1][0], other.equity[-1][0])
    return {
        (move.t_ms, move.symbol, move.action): move
        for move in moves(run.trades)
        if first_ms <= move.t_ms <= last_ms
    }


def _ordered(found: Iterable[Move]) -> tuple[Move, ...]:
    return tuple(sorted(found, key=lambda move: (move.action, move.symbol)))
