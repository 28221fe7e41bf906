"""Columns unpacked once and kept while there is room, so that questions asked together share the work."""

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

MOST_BYTES = 64 * 2**20
OVERHEAD = 1024


class ColumnCache:
    """Columns by the digest of what they were unpacked from, so that one cannot be out of date.

    The ones used last stay, in `most_bytes` together, each counted with `OVERHEAD`, so that very many small
    ones are bounded as well. They are not to be written to. Safe across threads.
    """

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most_bytes = most_bytes
        self.size = 0
        self._columns: OrderedDict[bytes, npt.NDArray[Any]] = OrderedDict()
        self._lock = threading.Lock()

    def get(
        self, blobs: Sequence[bytes], kind: str, unpack: Callable[[], npt.NDArray[Any]]
    ) -> npt.NDArray[Any]:
        """Return the column of `kind` packed in `blobs`, by `unpack` if it is not there."""
        key = _digest(blobs, kind)
        with self._lock:
            if (known := self._columns.get(key)) is not None:
                self._columns.move_to_end(key)
                return known
        column = unpack()
        column.flags.writeable = False
        with self._lock:
            if key not in self._columns:
                self._columns[key] = column
                self.size += _cost(column)
            while self.size > self._most_bytes:
                self.size -= _cost(self._columns.popitem(last=False)[1])
        return column


def _cost(column: npt.NDArray[Any]) -> int:
    return column.nbytes + OVERHEAD


def _digest(blobs: Sequence[bytes], kind: str) -> bytes:
    digest = hashlib.sha256(kind.encode())
    digest.update(np.array([len(blob) for blob in blobs], dtype=np.int64).tobytes())
    for blob in blobs:
        digest.update(blob)
    return digest.digest()
