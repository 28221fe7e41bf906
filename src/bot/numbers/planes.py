"""Planes of columns: the first bytes of all values of a column, then the second ones, and so on.

Bytes of one place are alike more often than those of one value: so split, a column compresses well.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from bot.numbers.arrays import BoolArray, IntArray

WIDTH = 8
"""Bytes of a value, and so planes of a column."""
BYTES = 256
_NOISE_PAIRS = 32
_SLOTS = 4
_HASH = np.uint64(0x9E3779B97F4A7C15)
"""2**64 over the golden ratio (Knuth, The Art of Computer Programming 3, 6.4)."""
_VALUES_AT_ONCE = 16_000
"""Bound of the values of columns that are split together, so that they take some 2 MB at most."""

Column = npt.NDArray[Any]
"""Values of 8 bytes each: int64, or float64."""
Columns = Sequence[Column] | IntArray
"""Columns of one length: one by one, or their values as int64, a row each."""
Planes = npt.NDArray[np.uint8]


class SplitColumn(NamedTuple):
    """Planes of a column by kind; `constant` and `noise` have a bit for each plane, the lowest byte first.

    `plain` are the bytes of constant planes, one each, and the planes of noise; the others come after them.
    """

    constant: int
    noise: int
    plain: bytes
    others: Planes


Splitter = Callable[[Columns], list[SplitColumn]]
"""Function that splits columns of one length."""


def planes_of(column: Column) -> Planes:
    """Return all planes of a column, shape (WIDTH, n)."""
    return np.ascontiguousarray(column.view(np.uint8).reshape(-1, WIDTH).T)


def stacked(columns: Columns) -> IntArray:
    """Return the values of columns as int64, a row each."""
    if isinstance(columns, np.ndarray):
        return columns
    return np.stack([column.view(np.int64) for column in columns])


def split_columns(columns: Columns) -> list[SplitColumn]:
    """Return columns of one length split by NumPy: some are looked at together, which costs half.

    Noise is a plane whose bytes hardly repeat, in a column whose values mostly differ; where these repeat, so
    do their bytes, which compresses however noisy they are.
    """
    if not len(columns):
        return []
    at_once = max(1, _VALUES_AT_ONCE // max(1, len(columns[0])))
    parts = (columns[first : first + at_once] for first in range(0, len(columns), at_once))
    return [one for part in parts for one in _split(stacked(part))]


def slots(count: int) -> tuple[int, int]:
    """Return the bits of the slots that `count` values hash to, and how many half as many take.

    There are 4 to 8 for each value; the taken ones tell the different values as closely as need be, at a
    third of what sorting costs (Whang and others, A linear-time probabilistic counting algorithm, 1990).
    """
    bits = (_SLOTS * count).bit_length()
    return bits, math.floor(-math.expm1(-count / 2 / (1 << bits)) * (1 << bits))


def sample_step(count: int) -> int:
    """Return the step between the bytes of a plane by which noise is told: 256 to 511 of them."""
    return max(1, count // BYTES)


def _split(values: IntArray) -> Iterator[SplitColumn]:
    """Yield columns split, a row of `values` each."""
    rows, count = values.shape
    octets = values.view(np.uint8).reshape(rows, count, WIDTH)
    planes = np.ascontiguousarray(octets.transpose(0, 2, 1))
    differing = np.bitwise_or.reduce(values ^ values[:, :1], axis=1)
    constant = (differing.view(np.uint8).reshape(-1, WIDTH) == 0) & (count > 0)
    noise = ~constant
    noise[noise] = _hardly_repeat(planes[noise])
    noise &= _mostly_differ(values, noise.any(axis=1))[:, None]
    masks = (np.packbits(one, axis=1, bitorder="little")[:, 0].tolist() for one in (constant, noise))
    others = ~constant & ~noise
    for place, (lone, raw) in enumerate(zip(*masks, strict=True)):
        own = planes[place]
        once = own[constant[place], :1].tobytes() if lone else b""
        plain = once + own[noise[place]].tobytes() if raw else once
        yield SplitColumn(lone, raw, plain, own[others[place]])


def _hardly_repeat(planes: Planes) -> BoolArray:
    """Return the planes of which two bytes are equal less often than in 32 pairs: compressing saves little.

    Their entropy is above 5 bits of 8. Compressing those of 5 to 6 bits as well would save 1 % of the space,
    and cost a quarter of the time.
    """
    sample = planes[:, :: sample_step(planes.shape[1])]
    found = sample + np.arange(len(planes))[:, None] * BYTES
    counts = np.bincount(found.reshape(-1), minlength=len(planes) * BYTES).reshape(-1, BYTES)
    size = sample.shape[1]
    noise: BoolArray = (counts * (counts - 1)).sum(axis=1) * _NOISE_PAIRS < size * (size - 1)
    return noise


def _mostly_differ(values: IntArray, asked: BoolArray) -> BoolArray:
    """Return which rows of `values`, of those asked for, hold more different values than half of all."""
    bits, half = slots(values.shape[1])
    hashed = (values[asked].view(np.uint64) * _HASH) >> np.uint64(64 - bits)
    taken = np.zeros((len(hashed), 1 << bits), dtype=np.bool_)
    taken[np.arange(len(hashed))[:, None], hashed] = True
    found = asked.copy()
    found[asked] = np.count_nonzero(taken, axis=1) > half
    return found
