"""How much of the carry that holding would have earned a run has captured, and where the rest went."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from bot.analytics.metrics import money_units
from bot.models import FundingPayment, Trade
from bot.money import ZERO, plain


@dataclass(frozen=True, slots=True)
class CarryComparison:
    """A run beside its hold baseline; amounts in quote currency, at the baseline's quantities.

    `available_funding` is what holding earned. It splits into what settled while the run held the same
    pair, and what it missed before its first entry, between its trades, and after its last exit.
    `captured_share` is the run's funding over the available, None if that is not positive.
    """

    available_funding: Decimal
    captured_share: float | None
    missed_before_entry: Decimal
    missed_between: Decimal
    missed_after_exit: Decimal
    extra_round_trips: int
    extra_fees: Decimal

    def document(self) -> dict[str, Any]:
        """Return the comparison as JSON values, money as canonical text."""
        return {
            "available_funding": plain(self.available_funding),
            "captured_share": self.captured_share,
            "missed_before_entry": plain(self.missed_before_entry),
            "missed_between": plain(self.missed_between),
            "missed_after_exit": plain(self.missed_after_exit),
            "extra_round_trips": self.extra_round_trips,
            "extra_fees": plain(self.extra_fees),
        }


def compare_with_holding(
    trades: Sequence[Trade],
    payments: Sequence[FundingPayment],
    held_trades: Sequence[Trade],
    held_payments: Sequence[FundingPayment],
) -> CarryComparison:
    """Return what a run made of the carry that `held_payments` show. Call inside `bot.money.exact()`."""
    collected = {(payment.symbol, payment.t_ms) for payment in payments}
    spans = _spans(trades)
    before, between, after = ZERO, ZERO, ZERO
    for payment in held_payments:
        if (payment.symbol, payment.t_ms) in collected:
            continue
        entered, left = spans.get(payment.symbol, (None, None))
        if entered is None or left is None or payment.t_ms <= entered:
            before += payment.amount
        elif payment.t_ms > left:
            after += payment.amount
        else:
            between += payment.amount
    available = _sum(payment.amount for payment in held_payments)
    captured = _sum(payment.amount for payment in payments)
    return CarryComparison(
        available_funding=available,
        captured_share=captured_share(money_units(captured), money_units(available)),
        missed_before_entry=before,
        missed_between=between,
        missed_after_exit=after,
        extra_round_trips=len(trades) - len(held_trades),
        extra_fees=_sum(trade.fees for trade in trades) - _sum(trade.fees for trade in held_trades),
    )


def captured_share(captured: int, available: int) -> float | None:
    """Return captured over available funding, in units of 1e-8; None unless some was available."""
    return captured / available if available > 0 else None


def _spans(trades: Iterable[Trade]) -> dict[str, tuple[int, int]]:
    spans: dict[str, tuple[int, int]] = {}
    for trade in trades:
        entered, left = spans.get(trade.symbol, (trade.opened_at_ms, trade.closed_at_ms))
        spans[trade.symbol] = min(entered, trade.opened_at_ms), max(left, trade.closed_at_ms)
    return spans


def _sum(amounts: Iterable[Decimal]) -> Decimal:
    return sum(amounts, ZERO)
