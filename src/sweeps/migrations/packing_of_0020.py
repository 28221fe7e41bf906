"""Columns of blocks as schema 0020 packs them, plane by plane."""

import struct
import zlib
from typing import Any

import numpy as np

BY_PLANES = 1
"""First byte of a column that is packed so."""
_HEAD = struct.Struct("<BBBI")
_PLANES, _CHECKSUM_BYTES, _RAW_DEFLATE = 8, 4, -15


def unpacked_planes(data: bytes) -> Any:
    """Return the 8-byte values of a column packed plane by plane, as int64."""
    _, constant, noise, count = _HEAD.unpack_from(data)
    at = _HEAD.size + constant.bit_count()
    end = at + noise.bit_count() * count
    stream = data[end:-_CHECKSUM_BYTES]
    raw, others = data[at:end], zlib.decompress(stream, _RAW_DEFLATE) if stream else b""
    lone = iter(data[_HEAD.size : at])
    noisy = iter(np.frombuffer(raw, dtype=np.uint8).reshape(noise.bit_count(), count))
    left = _PLANES - constant.bit_count() - noise.bit_count()
    rest = iter(np.frombuffer(others, dtype=np.uint8).reshape(left, count))
    values = np.empty((count, _PLANES), dtype=np.uint8)
    for plane in range(_PLANES):
        if constant >> plane & 1:
            values[:, plane] = next(lone)
        else:
            values[:, plane] = next(noisy if noise >> plane & 1 else rest)
    return values.reshape(-1).view(np.int64)
