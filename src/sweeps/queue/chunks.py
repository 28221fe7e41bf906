"""Sizes of chunks: by time, so that a task takes seconds whatever a trial takes."""

from collections.abc import Iterable, Iterator
from math import ceil

TARGET_SECONDS = 0.5
SMALLEST_SECONDS = 0.05
MAX_CHUNKS = 10_000


def chunk_sizes(trials: int, seconds: float, slots: int) -> list[int]:
    """Return the numbers of trials of `seconds` each in the chunks for `slots` worker processes, in order.

    Each slot gets a chunk out of half of what is left, then of half of the rest, and so on: trials take
    unlike times, and slots that end with small chunks end together.
    Source: Hummel, Schonberg, Flynn, Factoring: a method for scheduling parallel loops, Communications of
    the ACM 35(8), 1992.
    """
    slots = max(slots, 1)
    fewest = trials // MAX_CHUNKS + 1
    least = max(ceil(SMALLEST_SECONDS / seconds), fewest)
    most = max(int(TARGET_SECONDS / seconds), fewest)
    sizes: list[int] = []
    left = trials
    while (share := ceil(left / (2 * slots))) > least:
        size = min(share, most)
        sizes += [size] * slots
        left -= size * slots
    chunks = max(min(slots, left // least), ceil(left / most))
    return sizes + [left * (place + 1) // chunks - left * place // chunks for place in range(chunks)]


def chunk_ranges(sizes: Iterable[int]) -> Iterator[tuple[int, int]]:
    """Yield the half-open ranges of trial numbers of chunks of those sizes, in order."""
    lo = 0
    for size in sizes:
        yield lo, lo + size
        lo += size
