"""Sizes of chunks: by time, so that a task takes seconds whatever a trial takes."""

from collections.abc import Iterator
from math import ceil

TARGET_SECONDS = 0.5
SMALLEST_SECONDS = 0.1
MAX_CHUNKS = 10_000
CHUNKS_PER_SLOT = 4


def chunk_size(trials: int, seconds: float, slots: int) -> int:
    """Return the number of trials of `seconds` each in a chunk for `slots` worker processes.

    Where there are more chunks than slots, each slot has as many: five chunks would take two slots as long as
    six of that size.
    """
    slots = max(slots, 1)
    by_time = max(1, int(TARGET_SECONDS / seconds))
    smallest = ceil(SMALLEST_SECONDS / seconds)
    share = ceil(trials / (CHUNKS_PER_SLOT * slots))
    size = min(by_time, max(share, smallest))
    chunks = ceil(trials / size)
    if chunks > slots:
        size = ceil(trials / (slots * ceil(chunks / slots)))
    return max(size, ceil(trials / MAX_CHUNKS))


def chunk_ranges(trials: int, size: int) -> Iterator[tuple[int, int]]:
    """Yield the half-open ranges of trial numbers, in order, the last one possibly shorter."""
    for lo in range(0, trials, size):
        yield lo, min(lo + size, trials)
