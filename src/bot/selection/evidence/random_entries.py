"""Random entries: the same trips, each as long as it was, at other settlements of the same market."""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from bot.numbers.arrays import IntArray
from bot.selection.days.draws import below, draws, seed_of

REPLICATES = 1000


class Trip(NamedTuple):
    """Settlements of entry and end, by number."""

    entry: int
    end: int


class Trips(NamedTuple):
    """A symbol's settlements, and of each of its trips the events from entry to end."""

    settlements: int
    lengths: tuple[int, ...]

    @property
    def free(self) -> int:
        """Settlements that no trip needs, F; a symbol without any has only one placement."""
        return self.settlements - len(self.lengths) - sum(self.lengths)


def random_trips(run_key: str, symbols: Mapping[str, Trips]) -> Iterator[dict[str, list[Trip]]]:
    """Yield `REPLICATES` placements of each symbol's trips, none overlapping and each as long as it was.

    All come from one stream, symbols in ascending order.
    """
    ascending = sorted(symbols)
    limits = np.concatenate([_limits(symbols[symbol]) for symbol in ascending])
    seed, count = seed_of(f"random/{run_key}"), len(limits)
    for replicate in range(REPLICATES):
        numbers = iter(below(draws(seed, replicate * count, count), limits).tolist())
        yield {symbol: _placed(numbers, symbols[symbol]) for symbol in ascending}


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


def _placed(numbers: Iterator[int], trips: Trips) -> list[Trip]:
    """Return one placement: lengths shuffled, then as many of the free slots chosen.

    Source: Knuth, The Art of Computer Programming 2, section 3.4.2 (1997), algorithm P.
    """
    lengths, count = list(trips.lengths), len(trips.lengths)
    for place in range(count - 1, 0, -1):
        other = next(numbers)
        lengths[place], lengths[other] = lengths[other], lengths[place]
    # Slots that were swapped; all others hold their own number. Few of many are ever touched.
    slots: dict[int, int] = {}
    for place in range(count):
        other = place + next(numbers)
        slots[place], slots[other] = slots.get(other, other), slots.get(place, place)
    found, before = [], 0
    chosen = sorted(slots[place] for place in range(count))
    for place, (slot, length) in enumerate(zip(chosen, lengths, strict=True)):
        entry = slot - place + before
        found.append(Trip(entry, entry + length))
        before += length + 1
    return found
