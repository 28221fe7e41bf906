"""Stored form of a trial's equity curve and round trips: exact and small."""

import json
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np
import numpy.typing as npt

from bot.backtest.result import Curve, trade_document
from bot.models import Trade
from sweeps.storage.columns import money_of_units, money_units, unstorable

_INT64 = np.dtype("<i8")


@dataclass(frozen=True, slots=True)
class StoredRecord:
    """Encoded equity curve and trades of one trial."""

    number: int
    equity: bytes
    trades: bytes


def encode_equity(points: Sequence[tuple[int, Decimal]]) -> bytes:
    """Return the curve as compressed differences of whole ms and of units of 1e-8.

    Raises: ResultRangeError for equity outside that range.
    """
    times_ms, units = [t_ms for t_ms, _ in points], [money_units(value) for _, value in points]
    return _encoded(np.array(times_ms, dtype=_INT64), np.array(units, dtype=_INT64))


def encode_curve(curve: Curve) -> bytes:
    """Return the curve as `encode_equity` does; raises ResultRangeError as well."""
    try:
        units = curve.units.astype(_INT64)
    except OverflowError as error:
        raise unstorable("equity of", money_of_units(int(max(curve.units, key=abs)))) from error
    return _encoded(curve.calendar.times_ms.astype(_INT64), units)


def _encoded(times: npt.NDArray[np.int64], units: npt.NDArray[np.int64]) -> bytes:
    steps = np.concatenate([np.diff(times, prepend=0), np.diff(units, prepend=0)])
    return zlib.compress(steps.astype(_INT64).tobytes())


def decode_equity(blob: bytes) -> list[tuple[int, Decimal]]:
    """Return the points (ms UTC, equity) of an encoded curve."""
    times, units = np.frombuffer(zlib.decompress(blob), dtype=_INT64).reshape(2, -1).cumsum(axis=1).tolist()
    return [(t_ms, money_of_units(unit)) for t_ms, unit in zip(times, units, strict=True)]


def encode_trades(trades: Sequence[Trade]) -> bytes:
    """Return the round trips as compressed JSON of the result document's form."""
    documents = [trade_document(trade) for trade in trades]
    return zlib.compress(json.dumps(documents, separators=(",", ":")).encode())


def decode_trades(blob: bytes) -> list[dict[str, Any]]:
    """Return the round trips as in the result document."""
    trades: list[dict[str, Any]] = json.loads(zlib.decompress(blob))
    return trades
