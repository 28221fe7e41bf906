"""Deflate: streams packed by ISA-L where it is installed and loads, else by zlib; each reads the other's.

ISA-L packs columns three to six times as fast as zlib does at its fastest level, to the same size.
"""

import zlib
from importlib import import_module
from types import ModuleType
from typing import Any

import numpy.typing as npt

FASTEST = 1
_RAW, _WHOLE = -zlib.MAX_WBITS, zlib.MAX_WBITS


def _installed() -> ModuleType:
    try:
        return import_module("isal.isal_zlib")
    except (ImportError, OSError):
        # A library that does not load, being for another machine or cut short, must not stop every start.
        return zlib


_library: Any = _installed()


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
