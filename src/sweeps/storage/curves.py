"""Stored form of a trial's equity curve and round trips: exact and small."""

import json
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bot.backtest.result import Curve, trade_record
from bot.hedges.positions import HedgeTrade
from bot.hedges.result import hedge_trade_document
from bot.models import Trade
from bot.numbers.deflate import deflated, inflated
from bot.statistics.metrics import Calendar, fitting
from sweeps.storage.columns import money_of_units, unstorable

_INT64 = np.dtype("<i8")


@dataclass(frozen=True, slots=True)
class StoredRecord:
    """Encoded equity curve and trades of one trial, decoded where they are asked for."""

    number: int
    equity: bytes
    trades: bytes

    @property
    def curve(self) -> Curve:
        """Equity curve."""
        return decode_curve(self.equity)

    @property
    def trade_documents(self) -> list[dict[str, Any]]:
        """Trades as they are kept; `with_legs` adds the rest of the result document's fields."""
        return decode_trades(self.trades)


def encode_curve(curve: Curve) -> bytes:
    """Return the curve as compressed differences of whole ms and of units of 1e-8.

    Raises: ResultRangeError for equity outside that range.
    """
    try:
        units = curve.units.astype(_INT64)
    except OverflowError as error:
        raise unstorable("equity of", money_of_units(int(max(curve.units, key=abs)))) from error
    times = curve.calendar.times_ms.astype(_INT64)
    steps = np.concatenate([np.diff(times, prepend=0), np.diff(units, prepend=0)])
    return deflated(steps.astype(_INT64))


def decode_curve(blob: bytes) -> Curve:
    """Return the curve that `encode_curve` gave."""
    times, units = np.frombuffer(inflated(blob), dtype=_INT64).reshape(2, -1).cumsum(axis=1)
    return Curve(Calendar.of(times), fitting(units))


def encode_trades(trades: Sequence[Trade | HedgeTrade]) -> bytes:
    """Return what is kept of the round trips as compressed JSON."""
    documents = [
        hedge_trade_document(trade) if isinstance(trade, HedgeTrade) else trade_record(trade)
        for trade in trades
    ]
    return deflated(json.dumps(documents, separators=(",", ":")).encode())


def unpacked_record(blob: bytes) -> bytes:
    """Return what an encoded curve or trades hold, whichever library packed them; a damaged one as it is."""
    try:
        return inflated(blob)
    except zlib.error:
        return blob


def decode_trades(blob: bytes) -> list[dict[str, Any]]:
    """Return the round trips as `trade_record` gave them; those of hedges are whole."""
    trades: list[dict[str, Any]] = json.loads(inflated(blob))
    return trades
