"""Columns as bytes: numbers plane by plane, digests as the different ones among them.

A plane is one byte of each value of a column: the first bytes of all values, then the second ones, and so on.
"""

import struct
import zlib
from collections.abc import Callable, Sequence
from functools import lru_cache
from operator import itemgetter
from typing import NamedTuple

import numpy as np

from bot.kernel.planes import fastest_split
from bot.numbers.arrays import IntArray
from bot.numbers.deflate import deflated, inflated
from bot.numbers.numbering import by_first, in_order_of_first
from bot.numbers.planes import WIDTH, Planes, SplitColumn, planes_of
from bot.statistics.trial_columns import DigestArray, MetricColumn

_LENGTH_BYTES = 4
_CHECKSUM_BYTES = 4
_REAL = struct.Struct("<d")
_BY_PLANES = 1
"""First byte of a column packed plane by plane; a compressed one begins as zlib does, with 120."""
_DIFFERENCES = 2
"""First byte of one that is packed so, and holds differences from what other columns say."""
_HEAD = struct.Struct("<BBBI")


def compressed(column: MetricColumn) -> bytes:
    """Return a column with all its planes compressed together."""
    return deflated(planes_of(column))


def packed(column: MetricColumn) -> bytes:
    """Return a column packed so that a single value costs little to read.

    A head says which planes are constant, which are noise, and how many values there are. Then come one byte
    of each constant plane, the planes of noise as they are, the others compressed together, and a checksum
    of it all. Noise is looked for where most values differ; where they do not, repetition compresses it.
    """
    return packed_columns([column])[0]


def packed_columns(
    columns: Sequence[MetricColumn] | IntArray, differences: Sequence[bool] | None = None
) -> list[bytes]:
    """Return columns of one length, or rows of 8-byte values, each `packed`.

    They are split together, which costs half. `differences` says which of them hold such; none without it.
    """
    kinds = [_BY_PLANES] * len(columns)
    if differences is not None:
        kinds = [_DIFFERENCES if one else _BY_PLANES for one in differences]
    split = zip(kinds, fastest_split()(columns), strict=True)
    return [_packed(kind, parts, len(columns[0])) for kind, parts in split]


def holds_differences(blob: bytes) -> bool:
    """Return whether a packed column holds differences from what other columns say."""
    return blob[0] == _DIFFERENCES


def _packed(kind: int, parts: SplitColumn, count: int) -> bytes:
    """Return a column of `count` values that has been split, packed."""
    head = _HEAD.pack(kind, parts.constant, parts.noise, count)
    others = deflated(parts.others, raw=True) if parts.others.size else b""
    body = b"".join((head, parts.plain, others))
    return body + zlib.crc32(body).to_bytes(_CHECKSUM_BYTES, "big")


def unpacked(blobs: Sequence[bytes], *, real: bool) -> MetricColumn:
    """Return the columns of `blobs`, one after another; raises zlib.error if one is damaged."""
    parts = [_Opened.of(blob) for blob in blobs]
    joined = np.empty((sum(part.size for part in parts), WIDTH), dtype=np.uint8)
    at = 0
    for part in parts:
        part.write(joined[at : at + part.size])
        at += part.size
    flat = joined.reshape(-1)
    return flat.view(np.float64) if real else flat.view(np.int64)


class PackedColumn:
    """A packed column of which single values are read: opened once, and not put in order."""

    def __init__(self, blob: bytes) -> None:
        """Open a column; raises zlib.error if it is damaged."""
        self._opened = _Opened.of(blob)

    def __len__(self) -> int:
        return self._opened.size

    def whole(self, place: int) -> int:
        """Return the whole number at a place."""
        return int.from_bytes(self._opened.value(place), "little", signed=True)

    def real(self, place: int) -> float:
        """Return the float64 at a place."""
        found: float = _REAL.unpack(self._opened.value(place))[0]
        return found


class _Opened(NamedTuple):
    """A packed column of `size` values: the byte of each constant plane, noise, and the other planes."""

    size: int
    constant: bytes
    noise: bytes
    others: bytes
    order: Callable[[bytes], tuple[int, ...]] | None

    @classmethod
    def of(cls, blob: bytes) -> "_Opened":
        if blob[0] not in {_BY_PLANES, _DIFFERENCES}:
            others = inflated(blob)
            return cls(len(others) // WIDTH, b"", b"", others, None)
        checksum = int.from_bytes(blob[-_CHECKSUM_BYTES:], "big")
        if zlib.crc32(memoryview(blob)[:-_CHECKSUM_BYTES]) != checksum:
            raise zlib.error("a column does not have its checksum")
        _, constant, noise, count = _HEAD.unpack_from(blob)
        at = _HEAD.size + constant.bit_count()
        end = at + noise.bit_count() * count
        stream = blob[end:-_CHECKSUM_BYTES]
        others = inflated(stream, raw=True) if stream else b""
        return cls(count, blob[_HEAD.size : at], blob[at:end], others, _byte_order(constant, noise))

    def value(self, place: int) -> bytes:
        """Return the bytes of one value, the lowest first."""
        others = self.others[place :: self.size]
        if self.order is None:
            return others
        return bytes(self.order(self.constant + self.noise[place :: self.size] + others))

    def write(self, values: Planes) -> None:
        """Write all values to an array of `size` rows of bytes."""
        places = range(WIDTH) if self.order is None else self.order(bytes(range(WIDTH)))
        lone = len(self.constant)
        planes = np.frombuffer(self.noise + self.others, dtype=np.uint8)
        planes = planes.reshape(WIDTH - lone, self.size)
        for plane, place in enumerate(places):
            values[:, plane] = self.constant[place] if place < lone else planes[place - lone]


@lru_cache(maxsize=1024)
def _byte_order(constant: int, noise: int) -> Callable[[bytes], tuple[int, ...]]:
    """Return the function that puts the bytes of a value in order: constant ones, noise, then the others."""
    kinds = [0 if constant >> plane & 1 else 1 if noise >> plane & 1 else 2 for plane in range(WIDTH)]
    stored = sorted(range(WIDTH), key=lambda plane: (kinds[plane], plane))
    return itemgetter(*(stored.index(plane) for plane in range(WIDTH)))


def packed_digests(digests: DigestArray, *, all_differ: bool = False) -> bytes:
    """Return digests, shape (n, bytes of each), as bytes: how many differ, those once, and which each has.

    Trials that book the same share a digest, and digests do not compress; where all differ, as a caller may
    know, nothing follows.
    """
    if all_differ:
        return len(digests).to_bytes(_LENGTH_BYTES, "big") + digests.tobytes()
    first, places = numbered_digests(digests)
    once = packed_digests(digests.take(first, axis=0), all_differ=True)
    return once if len(first) == len(digests) else once + compressed(places)


def begin_differently(digests: DigestArray) -> bool:
    """Return whether no two digests begin with the same bytes, so that all differ."""
    heads = np.sort(_heads(digests))
    return bool((heads[1:] != heads[:-1]).all())


def numbered_digests(digests: DigestArray) -> tuple[IntArray, IntArray]:
    """Return the first place of each of different digests, ascending, and which of these each digest is.

    The numbers that they begin with sort ten times as fast, and hardly ever two digests that differ begin
    alike.
    """
    first, places = by_first(_heads(digests))
    if len(first) < len(digests) and not np.array_equal(digests.take(first[places], axis=0), digests):
        whole = np.ascontiguousarray(digests).view(np.dtype((np.void, digests.shape[1]))).reshape(-1)
        _, first, places = np.unique(whole, return_index=True, return_inverse=True)
        return in_order_of_first(first, places.reshape(-1))
    return first, places


def _heads(digests: DigestArray) -> IntArray:
    """Return the numbers that digests begin with."""
    return np.ascontiguousarray(digests[:, :WIDTH]).view(np.int64)[:, 0]


def digest_at(blob: bytes, width: int, place: int) -> bytes:
    """Return one of the digests of `width` bytes each that `packed_digests` packed."""
    end = _LENGTH_BYTES + int.from_bytes(blob[:_LENGTH_BYTES], "big") * width
    at = _LENGTH_BYTES + width * (place if end == len(blob) else PackedColumn(blob[end:]).whole(place))
    return blob[at : at + width]


def unpacked_digests(blob: bytes, width: int) -> DigestArray:
    """Return the digests of `width` bytes each that `packed_digests` packed."""
    count = int.from_bytes(blob[:_LENGTH_BYTES], "big")
    end = _LENGTH_BYTES + count * width
    once = np.frombuffer(blob[_LENGTH_BYTES:end], dtype=np.uint8).reshape(count, width)
    return once if end == len(blob) else once[unpacked([blob[end:]], real=False)]
