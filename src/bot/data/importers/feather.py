"""Arrow files (feather version 2) as columns of numbers."""

from typing import Any

import numpy as np
from nanoarrow import ArrayStream
from nanoarrow.ipc import InputStream

from bot.data.importers.source import Source
from bot.errors import DataImportError

MAGIC = b"ARROW1"
_STREAM_AT = 8
_UNITS_PER_MS = {"MILLI": 1, "MICRO": 1_000, "NANO": 1_000_000}


def read_columns(source: Source, names: tuple[str, ...]) -> dict[str, list[Any]]:
    """Return the named columns: times in whole ms UTC, numbers as they are stored, None where null.

    Raises: DataImportError if the file cannot be read, or has not these columns.
    """
    content = source.content()
    try:
        table = ArrayStream(InputStream.from_readable(content[_STREAM_AT:])).read_all()
        fields = {field.name: place for place, field in enumerate(table.schema.fields)}
        missing = [name for name in names if name not in fields]
        if missing:
            raise DataImportError(f"{source.name} has no column {', '.join(missing)}")
        return {name: _values(table.child(fields[name])) for name in names}
    except (RuntimeError, ValueError, KeyError, NotImplementedError) as error:
        raise DataImportError(
            f"{source.name} is an Arrow file that cannot be read: {_first_line(error)}"
        ) from None


def _values(column: Any) -> list[Any]:
    unit = getattr(column.schema, "unit", None)
    if unit is None:
        return list(column.iter_py())
    return [moment for chunk in column.iter_chunks() for moment in _times_ms(chunk, unit.name)]


def _times_ms(chunk: Any, unit: str) -> list[int]:
    stored = np.asarray(chunk.buffer(1))[chunk.offset : chunk.offset + len(chunk)]
    times: list[int] = (stored // _UNITS_PER_MS[unit]).tolist()
    return times


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__
