"""Thrift's compact protocol, as far as the metadata of a Parquet file needs it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

_I32, _I64, _BINARY, _LIST, _STRUCT = 5, 6, 8, 9, 12
_LONGEST_SHORT_LIST = 14


@dataclass(frozen=True, slots=True)
class Long:
    """A whole number that is declared with 64 bits; plain ones are declared with 32."""

    value: int


Value = int | Long | str | bytes | Sequence["Value"] | Mapping[int, "Value"]
"""A field's value: a number, text, a list of one type, or a struct by field number."""


def struct(fields: Mapping[int, Value]) -> bytes:
    """Return a struct from its fields by ascending number."""
    written = bytearray()
    last = 0
    for number, value in fields.items():
        written.append((number - last) << 4 | _type(value))
        written += _body(value)
        last = number
    return bytes(written) + b"\x00"


def varint(number: int) -> bytes:
    """Return a number of at least 0 in groups of seven bits, the lowest first."""
    written = bytearray()
    while number > 0x7F:
        written.append(number & 0x7F | 0x80)
        number >>= 7
    written.append(number)
    return bytes(written)


def _type(value: Value) -> int:
    if isinstance(value, int):
        return _I32
    if isinstance(value, Long):
        return _I64
    if isinstance(value, str | bytes):
        return _BINARY
    return _STRUCT if isinstance(value, Mapping) else _LIST


def _body(value: Value) -> bytes:
    if isinstance(value, int | Long):
        number = value.value if isinstance(value, Long) else value
        return varint(number << 1 if number >= 0 else (-number << 1) - 1)
    if isinstance(value, str | bytes):
        raw = value.encode() if isinstance(value, str) else value
        return varint(len(raw)) + raw
    if isinstance(value, Mapping):
        return struct(value)
    return _list_head(value) + b"".join(map(_body, value))


def _list_head(values: Sequence[Value]) -> bytes:
    kind = _type(values[0]) if values else _STRUCT
    if len(values) <= _LONGEST_SHORT_LIST:
        return bytes([len(values) << 4 | kind])
    return bytes([0xF0 | kind]) + varint(len(values))
