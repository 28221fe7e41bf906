"""A month of rows as bytes: equal rows give equal bytes and an equal digest, on any machine."""

import hashlib
import json
import zlib
from dataclasses import dataclass

import numpy as np

from bot.errors import StoreError
from bot.market.intervals import IntervalOrigin, Origins
from bot.market.rows import Rows
from bot.numbers.arrays import IntArray
from bot.numbers.columns import DecimalColumn

_MAGIC = b"carrygrid rows 1\n"
_COMPRESSION = 3


@dataclass(frozen=True, slots=True)
class Segment:
    """An encoded month: its rows' extent, the digest of the encoding, and the encoding compressed.

    `origins` are those of a month of settlements, as `encode_origins` gives them.
    """

    month: int
    first_ms: int
    last_ms: int
    rows: int
    digest: str
    payload: bytes
    origins: bytes | None = None


def months(times: IntArray) -> IntArray:
    """Return the calendar month (yyyymm, UTC) of each time in ms."""
    since_1970 = times.astype("datetime64[ms]").astype("datetime64[M]").astype(np.int64)
    return (1970 + since_1970 // 12) * 100 + since_1970 % 12 + 1


def digest(rows: Rows) -> str:
    """Return the hex SHA-256 that names these ascending rows."""
    return hashlib.sha256(_encoded(rows)).hexdigest()


def encode(rows: Rows) -> Segment:
    """Return the segment of the ascending rows of one month."""
    encoded = _encoded(rows)
    return Segment(
        month=int(months(rows.times[:1])[0]),
        first_ms=int(rows.times[0]),
        last_ms=int(rows.times[-1]),
        rows=len(rows),
        digest=hashlib.sha256(encoded).hexdigest(),
        payload=zlib.compress(encoded, _COMPRESSION),
    )


def decode(payload: bytes, expected_digest: str, name: str) -> Rows:
    """Return the rows of a stored month.

    Raises: StoreError naming the month if the bytes are not those that were stored.
    """
    try:
        encoded = zlib.decompress(payload)
    except zlib.error as error:
        raise StoreError(f"stored {name} is damaged: {error}") from None
    if hashlib.sha256(encoded).hexdigest() != expected_digest:
        raise StoreError(f"stored {name} is damaged: its digest is not {expected_digest}")
    return _decoded(encoded)


def encode_origins(origins: Origins) -> bytes:
    """Return the origins of the intervals of a month's settlements, as bytes."""
    return zlib.compress(origins.tobytes(), _COMPRESSION)


def decode_origins(stored: bytes | None, rows: int, name: str) -> Origins:
    """Return the `IntervalOrigin` of each of `rows` settlements; those of None were not recorded.

    Raises: StoreError naming the month if the bytes are not those that were stored.
    """
    if stored is None:
        return np.full(rows, IntervalOrigin.UNRECORDED, dtype=np.uint8)
    try:
        origins = np.frombuffer(zlib.decompress(stored), np.uint8)
    except zlib.error as error:
        raise StoreError(f"stored {name} is damaged: {error}") from None
    if len(origins) != rows or np.any(origins > max(IntervalOrigin)):
        raise StoreError(f"stored {name} is damaged: its intervals are not known for {rows} rows")
    return origins


def _encoded(rows: Rows) -> bytes:
    bodies = [_body(column) for column in rows.columns]
    columns = [
        {"bytes": len(body), "exponent": column.exponent, "text": column.mantissas.dtype == object}
        for column, body in zip(rows.columns, bodies, strict=True)
    ]
    head = json.dumps({"rows": len(rows), "columns": columns}, sort_keys=True, separators=(",", ":"))
    return b"".join([_MAGIC, head.encode(), b"\n", rows.times.astype("<i8").tobytes(), *bodies])


def _body(column: DecimalColumn) -> bytes:
    if column.mantissas.dtype == object:
        return " ".join(map(str, column.mantissas.tolist())).encode()
    return column.mantissas.astype("<i8").tobytes()


def _decoded(encoded: bytes) -> Rows:
    start = encoded.index(b"\n", len(_MAGIC)) + 1
    head = json.loads(encoded[len(_MAGIC) : start])
    times = np.frombuffer(encoded, "<i8", head["rows"], start).astype(np.int64, copy=False)
    columns = []
    start += times.nbytes
    for column in head["columns"]:
        body = encoded[start : start + column["bytes"]]
        columns.append(_column(body, column["exponent"], text=column["text"]))
        start += column["bytes"]
    return Rows(times, tuple(columns))


def _column(body: bytes, exponent: int, *, text: bool) -> DecimalColumn:
    if text:
        return DecimalColumn.of(np.array([int(word) for word in body.split()], dtype=object), exponent)
    return DecimalColumn(np.frombuffer(body, "<i8").astype(np.int64, copy=False), exponent)
