"""Columns unpacked once and kept while there is room, so that questions asked together share the work."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

MOST_BYTES = 64 * 2**20
OVERHEAD = 1024
_AT_ONCE = 32
"""Blocks that are read together."""

Column = npt.NDArray[Any]


@dataclass(frozen=True, slots=True, eq=False)
class _KeptColumn:
    """A column with the mark of each of its blocks, in order, and where each begins and ends in it."""

    marks: Mapping[int, object]
    ends: Sequence[int]
    column: Column

    def parts(self) -> dict[int, Column]:
        """Return the blocks by their first trial."""
        starts = (0, *self.ends)
        return {
            first: self.column[start:end]
            for first, start, end in zip(self.marks, starts, self.ends, strict=False)
        }


class ColumnCache:
    """Columns by a key, each made of blocks by their first trial.

    A column is asked for with a mark of the contents of each of its blocks; only blocks that were not there
    the last time, or had another mark, are read, some at a time. The columns used last stay, in `most_bytes`
    together, each counted with `OVERHEAD`, so that very many small ones are bounded as well. They are not to
    be written to.
    Safe across threads.
    """

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most_bytes = most_bytes
        self.size = 0
        self._columns: OrderedDict[Hashable, _KeptColumn] = OrderedDict()
        self._lock = threading.Lock()

    def get(
        self,
        key: Hashable,
        marks: Mapping[int, object],
        read: Callable[[list[int]], Mapping[int, Column]],
        room: int = 0,
    ) -> Column:
        """Return the column of the blocks `marks`, in their order; `read` gives those that are not there.

        `room` is how many rows it has at most, where that is known.
        Raises: KeyError if `read` does not give one of them.
        """
        with self._lock:
            known = self._columns.get(key)
            if known is not None:
                self._columns.move_to_end(key)
        if known is not None and known.marks == marks:
            return known.column
        known_marks, parts = ({}, {}) if known is None else (known.marks, known.parts())
        new = [first for first, mark in marks.items() if known_marks.get(first) != mark]
        blocks = _in_order(marks, parts, new, read)
        kept = _joined(marks, blocks, room)
        self._keep(key, kept)
        return kept.column

    def _keep(self, key: Hashable, kept: _KeptColumn) -> None:
        with self._lock:
            if (before := self._columns.pop(key, None)) is not None:
                self.size -= _cost(before)
            self._columns[key] = kept
            self.size += _cost(kept)
            while self.size > self._most_bytes:
                self.size -= _cost(self._columns.popitem(last=False)[1])


def _in_order(
    marks: Iterable[int],
    parts: Mapping[int, Column],
    new: Sequence[int],
    read: Callable[[list[int]], Mapping[int, Column]],
) -> Iterator[Column]:
    """Yield the blocks `marks`: those that are `new` as they are read, some at a time, others of `parts`."""
    wanted, found, at = set(new), dict[int, Column](), 0
    for first in marks:
        if first not in wanted:
            yield parts[first]
            continue
        if not found:
            found, at = dict(read(list(new[at : at + _AT_ONCE]))), at + _AT_ONCE
        yield found.pop(first)


def _joined(marks: Mapping[int, object], blocks: Iterable[Column], room: int) -> _KeptColumn:
    """Return blocks of one type, each taken over as it comes: joined in the end, all would stand there twice.

    Room that nothing is written to costs no memory, and is given back.
    """
    column, ends = np.empty(0), [0]
    for block in blocks:
        start, end = ends[-1], ends[-1] + len(block)
        if not start or end > len(column):
            larger = np.empty(max(room, end + end // 2), dtype=column.dtype if start else block.dtype)
            larger[:start] = column[:start]
            column = larger
        np.copyto(column[start:end], block, casting="no")
        ends.append(end)
    column.resize(ends[-1], refcheck=False)
    column.flags.writeable = False
    return _KeptColumn(marks, ends[1:], column)


def _cost(kept: _KeptColumn) -> int:
    return kept.column.nbytes + OVERHEAD
