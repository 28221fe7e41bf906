"""Ledger digest: a few bytes that differ as soon as one booked amount does."""

import hashlib
from collections.abc import Iterable

import numpy as np

from bot.accounting.cash_flows import BOOKED
from bot.models import CloseReason, Trade
from bot.numbers.arrays import IntArray
from bot.statistics.metrics import amount_units
from bot.statistics.trial_metrics import DIGEST_BYTES

OUT_OF_RANGE = bytes(DIGEST_BYTES)
"""Digest of a ledger with amounts beyond 64 bits, which no table of results takes either."""

REASONS = {reason: place for place, reason in enumerate(CloseReason)}

_COLUMNS = 5 + len(BOOKED)
"""Columns of a ledger: symbol, opened, closed (ms), reason, settlements; the booked amounts (1e-8)."""


def ledger_of(trades: Iterable[Trade]) -> bytes:
    """Return the digest of what trades booked. Call inside `exact()`."""
    try:
        return ledger_digest(_bookings(trades))
    except OverflowError:
        return OUT_OF_RANGE


def _bookings(trades: Iterable[Trade]) -> IntArray:
    rows = [
        (
            symbol_code(trade.symbol),
            trade.opened_at_ms,
            trade.closed_at_ms,
            REASONS[trade.reason],
            trade.funding_payments,
            *amount_units(getattr(trade, name) for name in BOOKED),
        )
        for trade in trades
    ]
    return np.array(rows, dtype=np.int64).reshape(-1, _COLUMNS)


def symbol_code(symbol: str) -> int:
    """Return the number that stands for a symbol."""
    return int.from_bytes(hashlib.sha256(symbol.encode()).digest()[:7], "little")


def ledger_digest(rows: IntArray) -> bytes:
    """Return the first half of the SHA-256 of trades in the order in which they ended."""
    return hashlib.sha256(np.ascontiguousarray(rows, dtype="<i8").tobytes()).digest()[:DIGEST_BYTES]
