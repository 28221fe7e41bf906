"""Divergence of two runs: the moments at which they moved differently."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from bot.backtest.holdings import Action, Move, moves
from bot.models import BookedTrade, CloseReason
from bot.statistics.metrics import Calendar

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


class TradedRun(Protocol):
    """A run of which the trades and the events are known, replayed or stored."""

    @property
    def trades(self) -> Sequence[BookedTrade]:
        """Its trades."""

    @property
    def calendar(self) -> Calendar:
        """The events of its window."""


def divergences(one: TradedRun, other: TradedRun) -> list[Divergence]:
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


def ran_together(one: TradedRun, other: TradedRun) -> bool:
    """Return whether there was a time at which both were running."""
    first_ms, last_ms = _common_span(one, other)
    return first_ms <= last_ms


def first_other_size_ms(one: TradedRun, other: TradedRun) -> int | None:
    """Return the first time both opened the same pair in different quantities, None if they never did."""
    mine, others = _within(one, other), _within(other, one)
    shared = (key for key in mine.keys() & others.keys() if key[2] is Action.OPEN)
    return min(
        (key[0] for key in shared if mine[key].trade.quantity != others[key].trade.quantity), default=None
    )


def _within(run: TradedRun, other: TradedRun) -> dict[_Key, Move]:
    first_ms, last_ms = _common_span(run, other)
    return {
        (move.t_ms, move.symbol, move.action): move
        for move in moves(run.trades)
        if first_ms <= move.t_ms <= last_ms
    }


def _common_span(one: TradedRun, other: TradedRun) -> tuple[int, int]:
    """Return the later of both beginnings and the sooner of both ends."""
    spans = [(times[0], times[-1]) for times in (one.calendar.times_ms, other.calendar.times_ms)]
    return max(first for first, _ in spans), min(last for _, last in spans)


def _ordered(found: Iterable[Move]) -> tuple[Move, ...]:
    return tuple(sorted(found, key=lambda move: (move.action, move.symbol)))
