"""Deflate: streams packed by ISA-L where it is installed, else by zlib; each reads what the other wrote.

ISA-L packs columns three to six times as fast as zlib does at its fastest level, to the same size.
"""

import zlib
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy.typing as npt

FASTEST = 1
_RAW, _WHOLE = -zlib.MAX_WBITS, zlib.MAX_WBITS

_library: Any = import_module("isal.isal_zlib") if find_spec("isal") else zlib


def deflated(data: bytes | npt.NDArray[Any], *, raw: bool = False) -> bytes:
    """Return contiguous data packed; a `raw` stream has neither head nor checksum."""
    packed: bytes = _library.compress(data, FASTEST, _RAW if raw else _WHOLE)
    return packed


def inflated(stream: bytes, *, raw: bool = False) -> bytes:
    """Return what `deflated` packed; raises zlib.error if the stream is damaged."""
    try:
        data: bytes = _library.decompress(stream, _RAW if raw else _WHOLE)
    except _library.error as error:
        raise zlib.error(str(error)) from None
    return data
