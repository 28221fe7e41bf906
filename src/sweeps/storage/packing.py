"""Columns as bytes: numbers compressed plane by plane, digests as the different ones among them."""

import struct
import zlib
from collections.abc import Sequence

import numpy as np

from bot.statistics.trial_columns import DigestArray, MetricColumn

_WIDTH = 8
_LENGTH_BYTES = 4
_REAL = struct.Struct("<d")


def packed(column: MetricColumn) -> bytes:
    """Return a column compressed: the first bytes of all values, then the second ones, and so on."""
    planes = column.view(np.uint8).reshape(-1, _WIDTH).T
    return zlib.compress(np.ascontiguousarray(planes).tobytes(), 1)


def unpacked(blobs: Sequence[bytes], *, real: bool) -> MetricColumn:
    """Return the columns of `blobs`, one after another."""
    planes = [np.frombuffer(zlib.decompress(blob), dtype=np.uint8).reshape(_WIDTH, -1) for blob in blobs]
    joined = np.empty((sum(part.shape[1] for part in planes), _WIDTH), dtype=np.uint8)
    at = 0
    for part in planes:
        joined[at : at + part.shape[1]] = part.T
        at += part.shape[1]
    flat = joined.reshape(-1)
    return flat.view(np.float64) if real else flat.view(np.int64)


class PackedColumn:
    """A packed column of which single values are read: decompressed once, and not put in order."""

    def __init__(self, blob: bytes) -> None:
        self._planes = zlib.decompress(blob)
        self._count = len(self._planes) // _WIDTH

    def whole(self, place: int) -> int:
        """Return the whole number at a place."""
        return int.from_bytes(self._planes[place :: self._count], "little", signed=True)

    def real(self, place: int) -> float:
        """Return the float64 at a place."""
        found: float = _REAL.unpack(self._planes[place :: self._count])[0]
        return found


def packed_digests(digests: DigestArray) -> bytes:
    """Return digests, shape (n, bytes of each), as bytes: how many differ, those once, and which each has.

    Trials that book the same share a digest, and digests do not compress; where all differ, they stand in
    their order, and nothing follows.
    """
    whole = np.ascontiguousarray(digests).view(np.dtype((np.void, digests.shape[1]))).reshape(-1)
    distinct, places = np.unique(whole, return_inverse=True)
    count = len(distinct).to_bytes(_LENGTH_BYTES, "big")
    if len(distinct) == len(digests):
        return count + digests.tobytes()
    return count + distinct.tobytes() + packed(places.reshape(-1).astype(np.int64))


def digest_at(blob: bytes, width: int, place: int) -> bytes:
    """Return one of the digests of `width` bytes each that `packed_digests` packed."""
    end = _LENGTH_BYTES + int.from_bytes(blob[:_LENGTH_BYTES], "big") * width
    at = _LENGTH_BYTES + width * (place if end == len(blob) else PackedColumn(blob[end:]).whole(place))
    return blob[at : at + width]


def unpacked_digests(blob: bytes, width: int) -> DigestArray:
    """Return the digests of `width` bytes each that `packed_digests` packed."""
    count = int.from_bytes(blob[:_LENGTH_BYTES], "big")
    end = _LENGTH_BYTES + count * width
    distinct = np.frombuffer(blob[_LENGTH_BYTES:end], dtype=np.uint8).reshape(count, width)
    return distinct if end == len(blob) else distinct[unpacked([blob[end:]], real=False)]
