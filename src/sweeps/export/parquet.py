"""Parquet files, written piece by piece: flat nullable columns, plain encoding, gzip.

No library: those that write Parquet weigh from 60 to 170 MB, and want the whole table or a file to write to.
"""

import struct as binary
import zlib
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import numpy as np

from bot.numbers.money import EXACT
from sweeps.export.pages import Field, Kind, Page
from sweeps.export.thrift import Long, struct, varint

MAGIC = b"PAR1"
DECIMAL_DIGITS = 38
_DECIMAL_BYTES = 16
_BOOLEAN, _INT64, _DOUBLE, _BYTE_ARRAY, _FIXED = 0, 2, 5, 6, 7
_TYPES = {
    Kind.FLAG: _BOOLEAN,
    Kind.WHOLE: _INT64,
    Kind.REAL: _DOUBLE,
    Kind.TEXT: _BYTE_ARRAY,
    Kind.EXACT: _FIXED,
}
_OPTIONAL = 1
_UTF8, _DECIMAL = 0, 5
_PLAIN, _RLE = 0, 3
_GZIP = 2
_DATA_PAGE = 0


class ParquetWriter:
    """Makes the bytes of one file: `start`, any number of `rows`, `end`.

    `places` says how many decimal places each exact column has, by field name.
    """

    def __init__(self, fields: Sequence[Field], places: Mapping[str, int], notes: Mapping[str, str]) -> None:
        self._fields = fields
        self._places = places
        self._notes = notes
        self._offset = 0
        self._rows = 0
        self._groups: list[Any] = []

    def start(self) -> bytes:
        """Return the beginning of the file."""
        return self._counted(MAGIC)

    def rows(self, page: Page) -> bytes:
        """Return the next rows as a row group."""
        count = len(page[0])
        written, columns, size = b"", [], 0
        for field, values in zip(self._fields, page, strict=True):
            at = self._offset + len(written)
            chunk, plain_size = self._column(field, values)
            written += chunk
            size += plain_size
            columns.append({2: Long(at), 3: self._described(field, count, plain_size, len(chunk), at)})
        self._groups.append({1: columns, 2: Long(size), 3: Long(count)})
        self._rows += count
        return self._counted(written)

    def end(self) -> bytes:
        """Return the metadata, which ends the file."""
        schema = [{4: "trials", 5: len(self._fields)}, *map(self._element, self._fields)]
        notes = [{1: name, 2: text} for name, text in self._notes.items()]
        footer = struct({1: 1, 2: schema, 3: Long(self._rows), 4: self._groups, 5: notes, 6: "carrygrid"})
        return footer + len(footer).to_bytes(4, "little") + MAGIC

    def _counted(self, written: bytes) -> bytes:
        self._offset += len(written)
        return written

    def _column(self, field: Field, values: Sequence[Any]) -> tuple[bytes, int]:
        present = [value for value in values if value is not None]
        body = _presence(values) + self._plain(field, present)
        packed = _gzip(body)
        head = struct(
            {1: _DATA_PAGE, 2: len(body), 3: len(packed), 5: {1: len(values), 2: _PLAIN, 3: _RLE, 4: _RLE}}
        )
        return head + packed, len(head) + len(body)

    def _described(self, field: Field, count: int, plain_size: int, size: int, at: int) -> dict[int, Any]:
        return {
            1: _TYPES[field.kind],
            2: [_PLAIN, _RLE],
            3: [field.name],
            4: _GZIP,
            5: Long(count),
            6: Long(plain_size),
            7: Long(size),
            9: Long(at),
        }

    def _element(self, field: Field) -> dict[int, Any]:
        element: dict[int, Any] = {1: _TYPES[field.kind]}
        if field.kind is Kind.EXACT:
            element[2] = _DECIMAL_BYTES
        element |= {3: _OPTIONAL, 4: field.name}
        if field.kind is Kind.TEXT:
            element[6] = _UTF8
        if field.kind is Kind.EXACT:
            element |= {6: _DECIMAL, 7: self._places[field.name], 8: DECIMAL_DIGITS}
        return element

    def _plain(self, field: Field, values: Sequence[Any]) -> bytes:
        if field.kind is Kind.FLAG:
            return np.packbits(np.array(values, dtype=np.bool_), bitorder="little").tobytes()
        if field.kind is Kind.WHOLE:
            return np.array(values, dtype="<i8").tobytes()
        if field.kind is Kind.REAL:
            return np.array(values, dtype="<f8").tobytes()
        if field.kind is Kind.TEXT:
            return b"".join(_length_and_text(value.encode()) for value in values)
        places = self._places[field.name]
        return b"".join(_units(value, places) for value in values)


def decimal_places(value: Decimal) -> int:
    """Return the number of decimal places that an amount needs."""
    exponent = value.normalize(EXACT).as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def _units(value: Decimal, places: int) -> bytes:
    return int(value.scaleb(places, context=EXACT)).to_bytes(_DECIMAL_BYTES, "big", signed=True)


def _length_and_text(text: bytes) -> bytes:
    return binary.pack("<i", len(text)) + text


def _presence(values: Sequence[Any]) -> bytes:
    """Return the definition levels: a run of ones, or a bit for each value."""
    if None not in values:
        levels = varint(len(values) << 1) + b"\x01"
    else:
        bits = np.packbits(np.array([value is not None for value in values]), bitorder="little").tobytes()
        levels = varint(len(bits) << 1 | 1) + bits
    return binary.pack("<i", len(levels)) + levels


def _gzip(body: bytes) -> bytes:
    packer = zlib.compressobj(6, zlib.DEFLATED, 31)
    return packer.compress(body) + packer.flush()
