"""A process of its own for reading one Arrow file: some damaged files crash the decoder, which is native.

Reads the names of columns and the most rows on one line, then the file; writes the columns, or what is
wrong, as JSON.
"""

import json
import sys
from typing import Any, BinaryIO, TextIO

import numpy as np
from nanoarrow import ArrayStream
from nanoarrow.ipc import InputStream

_MEMORY_BYTES = 3 * 1024**3
_PROCESSOR_S = 120
_STREAM_AT = 8
_UNITS_PER_MS = {"MILLI": 1, "MICRO": 1_000, "NANO": 1_000_000}


def main(asked: BinaryIO, answer: TextIO) -> None:
    """Answer one question; whatever the file does to this process, it ends in reach of its limits."""
    _limit()
    names, most = json.loads(asked.readline())
    try:
        json.dump({"columns": _columns(asked.read(), names, most)}, answer)
    except (RuntimeError, ValueError, MemoryError, OverflowError) as error:
        json.dump({"refused": _first_line(error)}, answer)


def _columns(content: bytes, names: list[str], most: int) -> list[list[Any]]:
    table = ArrayStream(InputStream.from_readable(content[_STREAM_AT:])).read_all()
    places = {field.name: place for place, field in enumerate(table.schema.fields)}
    if missing := [name for name in names if name not in places]:
        raise ValueError(f"it has no column {', '.join(missing)}")
    if len(table) > most:
        raise ValueError(f"it has more than {most:,} rows; split it")
    return [_values(table.child(places[name])) for name in names]


def _values(column: Any) -> list[Any]:
    unit = getattr(column.schema, "unit", None)
    if unit is None:
        return [None if value is None else str(value) for value in column.iter_py()]
    return [moment for chunk in column.iter_chunks() for moment in _times_ms(chunk, unit.name)]


def _times_ms(chunk: Any, unit: str) -> list[str]:
    if unit not in _UNITS_PER_MS:
        raise ValueError(f"its times are in {unit.lower()}s; milli-, micro- and nanoseconds are known")
    stored = np.asarray(chunk.buffer(1))[chunk.offset : chunk.offset + len(chunk)]
    return [str(moment) for moment in (stored // _UNITS_PER_MS[unit]).tolist()]


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__


def _limit() -> None:
    if sys.platform == "win32":
        return
    import resource  # noqa: PLC0415 - there is none on Windows

    for what, most in ((resource.RLIMIT_AS, _MEMORY_BYTES), (resource.RLIMIT_CPU, _PROCESSOR_S)):
        _, hard = resource.getrlimit(what)
        resource.setrlimit(what, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))
    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))


if __name__ == "__main__":
    main(sys.stdin.buffer, sys.stdout)
