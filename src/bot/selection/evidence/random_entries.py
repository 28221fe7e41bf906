"""Random entries: the same trips, each as long as it was, at other settlements of the same market."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from bot.numbers.arrays import IntArray
from bot.selection.days.draws import below, draws, seed_of

Slots = npt.NDArray[np.int32]

REPLICATES = 1000
_AT_ONCE = 250
"""Replicates placed together: some 5 MB of slots over five years."""


class Trips(NamedTuple):
    """A symbol's settlements, and of each of its trips the events from entry to end."""

    settlements: int
    lengths: tuple[int, ...]

    @property
    def free(self) -> int:
        """Settlements that no trip needs, F; a symbol without any has only one placement."""
        return self.settlements - len(self.lengths) - sum(self.lengths)


def random_trips(run_key: str, symbols: Mapping[str, Trips]) -> dict[str, IntArray]:
    """Return `REPLICATES` placements of each symbol's trips, none overlapping and each as long as it was.

    Replicates x trips x entry and end, each placement in order. All come from one stream, symbols in
    ascending order.
    """
    ascending = sorted(symbols)
    limits = np.concatenate([_limits(symbols[symbol]) for symbol in ascending])
    seed, count = seed_of(f"random/{run_key}"), len(limits)
    slots = {symbol: _slots(symbols[symbol]) for symbol in ascending}
    found: dict[str, list[IntArray]] = {symbol: [] for symbol in ascending}
    for first in range(0, REPLICATES, _AT_ONCE):
        replicates = min(_AT_ONCE, REPLICATES - first)
        drawn = draws(seed, first * count, replicates * count).reshape(replicates, count)
        numbers, begin = below(drawn, limits), 0
        for symbol in ascending:
            end = begin + len(_limits(symbols[symbol]))
            found[symbol].append(_placed(numbers[:, begin:end], symbols[symbol], slots[symbol]))
            begin = end
    return {symbol: np.concatenate(parts) for symbol, parts in found.items()}


def p_random(net_pnl: int, drawn: Sequence[int], symbols: Mapping[str, Trips]) -> float | None:
    """Return the chance that random entries earn as much, from their summed net P&L.

    None without trips, or where no symbol has a settlement to spare.
    """
    if not any(own.lengths and own.free > 0 for own in symbols.values()):
        return None
    return (1 + sum(one >= net_pnl for one in drawn)) / (len(drawn) + 1)


def _limits(trips: Trips) -> IntArray:
    """Return the limit of each draw of a placement: those that shuffle, then those that choose."""
    count = len(trips.lengths)
    return np.array([*range(count, 1, -1), *range(trips.free + count, trips.free, -1)], dtype=np.int64)


def _slots(trips: Trips) -> Slots:
    """Return the slots of as many replicates as are placed together, each in order."""
    return np.tile(np.arange(trips.free + len(trips.lengths), dtype=np.int32), (_AT_ONCE, 1))


def _placed(numbers: IntArray, trips: Trips, slots: Slots) -> IntArray:
    """Return placements, one from each row of numbers: lengths shuffled, then as many free slots chosen.

    `slots` are in order before and after: of the many only those that were swapped are put back.
    Source: Knuth, The Art of Computer Programming 2, section 3.4.2 (1997), algorithm P.
    """
    replicates, count = len(numbers), len(trips.lengths)
    every, drawn = np.arange(replicates), iter(numbers.T)
    lengths = np.tile(np.array(trips.lengths, dtype=np.int64), (replicates, 1))
    for place in range(count - 1, 0, -1):
        _swap(lengths, every, place, next(drawn))
    others = [place + next(drawn) for place in range(count)]
    for place, other in enumerate(others):
        _swap(slots, every, place, other)
    chosen = np.sort(slots[:replicates, :count], axis=1).astype(np.int64)
    for other in others:
        slots[every, other] = other
    slots[:, :count] = np.arange(count)
    before = np.cumsum(lengths + 1, axis=1) - (lengths + 1)
    entries = chosen - np.arange(count) + before
    return np.stack([entries, entries + lengths], axis=2)


def _swap(rows: npt.NDArray[Any], every: IntArray, place: int, others: IntArray) -> None:
    """Swap, in each row of `every`, what is at `place` and at its own other place."""
    kept = rows[every, place]
    rows[every, place] = rows[every, others]
    rows[every, others] = kept
