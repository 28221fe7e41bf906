"""Ledger digest: a few bytes that differ as soon as one booked amount does."""

import hashlib
from collections.abc import Iterable, Sequence
from functools import lru_cache

import numpy as np

from bot.accounting.cash_flows import BOOKED
from bot.models import BookedTrade, CloseReason
from bot.numbers.arrays import IntArray
from bot.statistics.metrics import amount_units
from bot.statistics.trial_metrics import DIGEST_BYTES

OUT_OF_RANGE = bytes(DIGEST_BYTES)
"""Digest of a ledger with amounts beyond 64 bits, which no table of results takes either."""

REASONS = {reason: place for place, reason in enumerate(CloseReason)}

_FACTS = 5
"""Columns of a ledger before the booked amounts (1e-8): symbol, opened, closed (ms), reason, settlements."""


def ledger_of(trades: Iterable[BookedTrade], booked: Sequence[str] = BOOKED) -> bytes:
    """Return the digest of what trades booked, by the names of the amounts. Call inside `exact()`."""
    try:
        return ledger_digest(_bookings(trades, booked))
    except OverflowError:
        return OUT_OF_RANGE


def _bookings(trades: Iterable[BookedTrade], booked: Sequence[str]) -> IntArray:
    rows = [
        (
            symbol_code(trade.symbol),
            trade.opened_at_ms,
            trade.closed_at_ms,
            REASONS[trade.reason],
            trade.funding_payments,
            *amount_units(getattr(trade, name) for name in booked),
        )
        for trade in trades
    ]
    return np.array(rows, dtype=np.int64).reshape(-1, _FACTS + len(booked))


@lru_cache(maxsize=1_000)
def symbol_code(symbol: str) -> int:
    """Return the number that stands for a symbol."""
    return int.from_bytes(hashlib.sha256(symbol.encode()).digest()[:7], "little")


def ledger_digest(rows: IntArray) -> bytes:
    """Return the first half of the SHA-256 of trades in the order in which they ended."""
    return hashlib.sha256(np.ascontiguousarray(rows, dtype="<i8").tobytes()).digest()[:DIGEST_BYTES]
