"""Funding payments of an account, written out one by one only when they are read."""

from collections.abc import Iterator
from decimal import Decimal
from itertools import chain
from operator import attrgetter
from typing import NamedTuple

import numpy as np

from bot.accounting.regimes import Regime, regime
from bot.market.event_columns import PairColumns
from bot.models import FundingPayment, FundingRate, Position
from bot.numbers.arrays import IntArray
from bot.numbers.exact_array import ExactArray
from bot.numbers.money import ZERO


class HedgeSpan(NamedTuple):
    """Open hedge over the events `first` to `stop`, at each of which its pair settles or is passed by."""

    position: Position
    pair: PairColumns
    first: int
    stop: int


class SpanFunding(NamedTuple):
    """Funding of a hedge over a span of events, one amount for each settlement of its pair."""

    hedge: HedgeSpan
    amounts: ExactArray

    def payments(self) -> list[FundingPayment]:
        """Return the settlements one by one."""
        position, pair, first, stop = self.hedge
        return [
            as_payment(record, record.mark_price, position.quantity, amount)
            for record, amount in zip(pair.settlements(first, stop), self.amounts.decimals(), strict=True)
            if record.mark_price is not None
        ]

    def regimes(self, high: Decimal) -> IntArray:
        """Return the regime of funding of each settlement; `high` is a rate per 8 hours."""
        _, pair, first, stop = self.hedge
        found, settling = pair.regimes(high)[first:stop], pair.settling(first, stop)
        return found if settling is None else found[settling]


def as_payment(
    funding: FundingRate, mark_price: Decimal, quantity: Decimal, amount: Decimal
) -> FundingPayment:
    """Return the payment of a settlement on a perp leg of `quantity`."""
    facts = funding.t_ms, funding.symbol, funding.rate, funding.interval_hours
    return FundingPayment(*facts, mark_price, quantity, amount)


class PaymentBook:
    """Payments in the order in which they were booked."""

    __slots__ = ("_booked", "_written")

    def __init__(self) -> None:
        self._written: list[FundingPayment] = []
        self._booked: list[FundingPayment | list[SpanFunding]] = []

    def add(self, payment: FundingPayment) -> None:
        """Append one payment."""
        self._booked.append(payment)

    def add_spans(self, spans: list[SpanFunding]) -> None:
        """Append the funding of hedges over the same events, in the order in which their pairs settle."""
        self._booked.append(spans)

    def written(self) -> list[FundingPayment]:
        """Return the payments; who has read them may clear the list."""
        self._written.extend(self._unwritten())
        self._booked.clear()
        return self._written

    def read(self) -> Iterator[FundingPayment]:
        """Yield the payments, keeping none that is not written out."""
        return chain(self._written, self._unwritten())

    def _unwritten(self) -> Iterator[FundingPayment]:
        for booked in self._booked:
            if isinstance(booked, FundingPayment):
                yield booked
            else:
                payments = chain.from_iterable(span.payments() for span in booked)
                yield from sorted(payments, key=attrgetter("t_ms"))

    def by_regime(self, high: Decimal) -> dict[Regime, Decimal]:
        """Return what was paid in each regime of funding, which writes no payment out; `high` is per 8 hours.

        Call inside `exact()`.
        """
        sums = dict.fromkeys(Regime, ZERO)
        spans: list[SpanFunding] = []
        for booked in (*self._written, *self._booked):
            if isinstance(booked, FundingPayment):
                sums[regime(booked.rate, booked.interval_hours, high)] += booked.amount
            else:
                spans += booked
        if spans:
            amounts = ExactArray.joined([span.amounts for span in spans])
            found = np.concatenate([span.regimes(high) for span in spans])
            for one in Regime:
                sums[one] += amounts[found == one].total()
        return sums
