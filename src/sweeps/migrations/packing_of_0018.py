"""Packing of the blocks of schema 0018: migrations read and write it so, whatever later code does."""

import zlib
from typing import Any

import numpy as np


def packed(column: Any) -> bytes:
    """Return a column of 8-byte values, packed."""
    return zlib.compress(np.ascontiguousarray(column.view(np.uint8).reshape(-1, 8).T).tobytes(), 1)


def unpacked(data: bytes, kind: Any) -> Any:
    """Return the column of a type of 8 bytes that `packed` made."""
    planes = np.frombuffer(zlib.decompress(data), dtype=np.uint8).reshape(8, -1)
    return np.ascontiguousarray(planes.T).reshape(-1).view(kind)


def packed_digests(digests: Any) -> bytes:
    """Return digests (n x width bytes), each distinct one once where some are equal."""
    whole = np.ascontiguousarray(digests).view(np.dtype((np.void, digests.shape[1]))).reshape(-1)
    distinct, places = np.unique(whole, return_inverse=True)
    count = len(distinct).to_bytes(4, "big")
    if len(distinct) == len(digests):
        return bytes(count + digests.tobytes())
    return bytes(count + distinct.tobytes() + packed(places.reshape(-1).astype(np.int64)))


def unpacked_digests(data: bytes, width: int) -> list[bytes]:
    """Return the digests that `packed_digests` made, of `width` bytes each."""
    end = 4 + int.from_bytes(data[:4], "big") * width
    distinct = [data[at : at + width] for at in range(4, end, width)]
    return distinct if end == len(data) else [distinct[place] for place in unpacked(data[end:], np.int64)]
