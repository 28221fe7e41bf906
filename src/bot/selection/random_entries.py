"""Random entries: the same trips, each as long as it was, at other settlements of the same market."""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

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
    stream = _Stream(f"random/{run_key}", sum(2 * len(own.lengths) for own in symbols.values()))
    for _ in range(REPLICATES):
        yield {symbol: _placed(stream, symbols[symbol]) for symbol in sorted(symbols)}


def p_random(net_pnl: int, drawn: Sequence[int], symbols: Mapping[str, Trips]) -> float | None:
    """Return the chance that random entries earn as much, from their summed net P&L.

    None without trips, or where no symbol has a settlement to spare.
    """
    if not any(own.lengths and own.free > 0 for own in symbols.values()):
        return None
    return (1 + sum(one >= net_pnl for one in drawn)) / (len(drawn) + 1)


class _Stream:
    """Draws of one seed, fetched some at a time."""

    def __init__(self, text: str, at_a_time: int) -> None:
        self._seed = seed_of(text)
        self._at_a_time = max(1, at_a_time)
        self._fetched = draws(self._seed, 0, self._at_a_time)
        self._first = 0
        self._next = 0

    def below(self, limit: int) -> int:
        """Return the next draw as a number from 0 to `limit - 1`."""
        if self._next - self._first == len(self._fetched):
            self._first = self._next
            self._fetched = draws(self._seed, self._first, self._at_a_time)
        place = self._next - self._first
        self._next += 1
        return int(below(self._fetched[place : place + 1], limit)[0])


def _placed(stream: _Stream, trips: Trips) -> list[Trip]:
    """Return one placement: lengths shuffled, then as many of the free slots chosen.

    Source: Knuth, The Art of Computer Programming 2, section 3.4.2 (1997), algorithm P.
    """
    lengths, count = list(trips.lengths), len(trips.lengths)
    for place in range(count - 1, 0, -1):
        other = stream.below(place + 1)
        lengths[place], lengths[other] = lengths[other], lengths[place]
    slots = list(range(trips.free + count))
    for place in range(count):
        other = place + stream.below(len(slots) - place)
        slots[place], slots[other] = slots[other], slots[place]
    found, before = [], 0
    for place, (slot, length) in enumerate(zip(sorted(slots[:count]), lengths, strict=True)):
        entry = slot - place + before
        found.append(Trip(entry, entry + length))
        before += length + 1
    return found
