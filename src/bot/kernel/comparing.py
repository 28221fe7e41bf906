"""Comparison of trials in windows by the compiled library: the same choices and counts as by matrices."""

from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from bot.kernel.layouts import Comparison, address
from bot.kernel.loading import Library, usable
from bot.numbers.arrays import FloatArray, IntArray
from bot.selection.days.ranking import (
    BY_MATRICES,
    DOUBT,
    NOBODY,
    Comparing,
    Near,
    Placed,
    Rows,
    Windows,
    WindowSums,
    above,
    below,
)

_ROWS = 4_096
"""Rows at a time, whose sums the library reads as 64-bit numbers."""


class _Parts(NamedTuple):
    """Sets of segments, where each begins, and the two of them that each window is put together of."""

    starts: IntArray
    segments: IntArray
    one: IntArray
    other: IntArray


def fastest_comparing() -> Comparing:
    """Return what compares trials here: the library, matrices without it."""
    library = usable()
    return BY_MATRICES if library is None else comparing_by(library)


def comparing_by(library: Library) -> Comparing:
    """Return what compares trials by `library`."""

    def leaders(windows: Windows, rows: Rows, best: WindowSums, numbers: IntArray) -> Iterator[Near]:
        for first, piece in rows.pieces(_ROWS):
            own = WindowSums(best.exponents.copy(), best.totals.copy(), best.squares.copy())
            found = np.full(len(windows), NOBODY)
            _compare(library, windows, piece, own, number=numbers.copy(), row=found)
            better = np.flatnonzero(found != NOBODY)
            yield Near(better, found[better] + first, own.at(better))

    def places(windows: Windows, rows: Rows, own: WindowSums) -> Iterator[Placed]:
        own = WindowSums(*map(_whole, (own.exponents, own.totals, own.squares)))
        for _, piece in rows.pieces(_ROWS):
            worse, equal = np.zeros((2, len(windows)), dtype=np.int64)
            _compare(library, windows, piece, own, worse=worse, equal=equal)
            yield Placed(worse, equal, None)

    return Comparing(leaders, places)


def _compare(library: Library, windows: Windows, rows: Rows, own: WindowSums, **found: IntArray) -> None:
    """Compare rows with the trials that have the sums `own`; what is `found` says what is asked for."""
    parts, sums, keys = _parts(windows.inside), rows.sums, own.keys(windows.ranking)
    # Held by name until the library has returned.
    read = {
        "part_from": parts.starts,
        "part_segment": parts.segments,
        "one_part": parts.one,
        "other_part": parts.other,
        "numbers": _whole(rows.numbers),
        "exponents": _whole(rows.exponents),
        "scales": np.ldexp(1.0, -rows.exponents),
        "totals": _whole(sums.totals),
        "squares": _whole(sums.squares),
        "active": _whole(sums.active if windows.fewest_active else sums.active[:, :0]),
        "low": below(keys),
        "high": above(keys),
        "total": own.totals,
        "square": own.squares,
        "exponent": own.exponents,
    }
    library.compare(
        Comparison(
            rows=len(rows.numbers),
            segments=sums.totals.shape[1],
            parts=len(parts.starts) - 1,
            windows=len(windows),
            places="worse" in found,
            by_money=windows.ranking.by_money,
            fewest_active=windows.fewest_active,
            doubt=DOUBT,
            **{name: address(array) for name, array in (read | found).items()},
        )
    )


def _whole(values: npt.NDArray[np.integer]) -> IntArray:
    return np.ascontiguousarray(values, dtype=np.int64)


def _parts(inside: FloatArray) -> _Parts:
    """Return the parts of windows, those of whole panels worked out once."""
    return _parts_of(*inside.shape, np.packbits(inside > 0).tobytes())


@lru_cache(maxsize=8)
def _parts_of(windows: int, segments: int, packed: bytes) -> _Parts:
    """Return windows as pairs of parts: of their segments in the first half of all, and in the second."""
    bits = np.unpackbits(np.frombuffer(packed, dtype=np.uint8), count=windows * segments)
    inside, half = bits.reshape(windows, segments), segments // 2
    parts: dict[tuple[int, bytes], int] = {}
    pairs = [
        [parts.setdefault((first, own.tobytes()), len(parts)) for own in some]
        for first, some in ((0, inside[:, :half]), (half, inside[:, half:]))
    ]
    found = [np.flatnonzero(np.frombuffer(own, dtype=np.uint8)) + first for first, own in parts]
    starts = np.cumsum([0, *map(len, found)])
    return _Parts(starts, np.concatenate([np.empty(0, dtype=np.int64), *found]), *map(np.array, pairs))
