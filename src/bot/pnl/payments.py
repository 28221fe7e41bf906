"""The settlements that an account has booked, written out one by one only when they are asked for."""

from dataclasses import dataclass
from decimal import Decimal

from bot.market_data.track import Lane
from bot.models import FundingPayment, FundingRate
from bot.pnl.exact_array import ExactArray

_payment = FundingPayment._make


@dataclass(frozen=True, slots=True)
class Stretch:
    """Settlements of a hedge one after another, places `first` to `stop` of its lane, and what they moved."""

    lane: Lane
    first: int
    stop: int
    quantity: Decimal
    amounts: ExactArray

    def payments(self) -> list[FundingPayment]:
        """Return the settlements one by one."""
        records = self.lane.settlements(self.first, self.stop)
        return [
            as_payment(record, record.mark_price, self.quantity, amount)
            for record, amount in zip(records, self.amounts.decimals(), strict=True)
            if record.mark_price is not None
        ]


def as_payment(
    funding: FundingRate, mark_price: Decimal, quantity: Decimal, amount: Decimal
) -> FundingPayment:
    """Return what a settlement moved on a short of `quantity`."""
    facts = funding.t_ms, funding.symbol, funding.rate, funding.interval_hours, mark_price, quantity
    return _payment((*facts, amount))


class PaymentBook:
    """Payments in the order in which they were booked."""

    __slots__ = ("_booked", "_written")

    def __init__(self) -> None:
        self._written: list[FundingPayment] = []
        self._booked: list[FundingPayment | Stretch] = []

    def add(self, booked: FundingPayment | Stretch) -> None:
        """Put down one payment, or many."""
        self._booked.append(booked)

    def written(self) -> list[FundingPayment]:
        """Return the payments; who has read them may clear the list."""
        for booked in self._booked:
            self._written.extend(booked.payments() if isinstance(booked, Stretch) else (booked,))
        self._booked.clear()
        return self._written
