"""Funding a run captured relative to holding the hedge throughout, and where it missed the rest."""

from array import array
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import accumulate
from typing import Any, NamedTuple, Self

from bot.accounting.closing import last_due_ms
from bot.models import BookedTrade, FundingPayment
from bot.numbers.money import ZERO, plain
from bot.statistics.metrics import amount_units, from_units, money_units

_NEVER = 2**63


@dataclass(frozen=True, slots=True)
class CarryComparison:
    """A run beside its hold baseline; amounts in quote currency, at the baseline's quantities.

    `available_funding` is what holding earned. It splits into what settled while the run held the same
    pair, and what it missed before its first entry, between its trades, and after its last exit.
    `captured_share` is the run's funding over the available, None if that is not positive.
    `sharpe_over_hold` is the annualised Sharpe ratio of the run's daily returns less the baseline's, None
    where it is undefined, as it is of a run that never moved.
    """

    available_funding: Decimal
    captured_share: float | None
    missed_before_entry: Decimal
    missed_between: Decimal
    missed_after_exit: Decimal
    extra_round_trips: int
    extra_fees: Decimal
    net_pnl_over_hold: Decimal
    sharpe_over_hold: float | None

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
            "net_pnl_over_hold": plain(self.net_pnl_over_hold),
            "sharpe_over_hold": self.sharpe_over_hold,
        }


class HoldFunding:
    """Funding of the hold baseline, to compare runs of the same account over the same window with.

    All its trades have ended, and theirs as well. Call inside `exact()`.
    """

    def __init__(self, trades: Sequence[BookedTrade], payments: Iterable[FundingPayment]) -> None:
        settled: dict[str, list[FundingPayment]] = {}
        for payment in payments:
            settled.setdefault(payment.symbol, []).append(payment)
        self._paid = {symbol: _Paid.of(own) for symbol, own in settled.items()}
        self._available = sum(paid.sums[-1] for paid in self._paid.values())
        self._round_trips = len(trades)
        self._fees = _sum(trade.fees for trade in trades)

    def beside(
        self, trades: Sequence[BookedTrade], *, net_pnl: Decimal, sharpe: float | None
    ) -> CarryComparison:
        """Return the carry captured by the run that took `trades`.

        `net_pnl` and `sharpe` are the run's less the baseline's, and of the difference of daily returns.
        """
        before = after = caught = 0
        trips: dict[str, list[BookedTrade]] = {symbol: [] for symbol in self._paid}
        for trade in trades:
            trips.setdefault(trade.symbol, []).append(trade)
        for symbol, paid in self._paid.items():
            own = trips[symbol]
            before += paid.until(min((trade.opened_at_ms for trade in own), default=_NEVER))
            after += paid.sums[-1] - paid.until(max((trade.closed_at_ms for trade in own), default=_NEVER))
            caught += sum(paid.during(trade) for trade in own)
        return CarryComparison(
            available_funding=from_units(self._available),
            captured_share=captured_share(
                money_units(_sum(trade.funding for trade in trades)), self._available
            ),
            missed_before_entry=from_units(before),
            missed_between=from_units(self._available - before - after - caught),
            missed_after_exit=from_units(after),
            extra_round_trips=len(trades) - self._round_trips,
            extra_fees=_sum(trade.fees for trade in trades) - self._fees,
            net_pnl_over_hold=net_pnl,
            sharpe_over_hold=sharpe,
        )


class _Paid(NamedTuple):
    """Funding of holding one pair: `sums[k]` by the first k settlements, in units of 1e-8."""

    times_ms: "array[int]"
    sums: list[int]

    @classmethod
    def of(cls, payments: Sequence[FundingPayment]) -> Self:
        amounts = amount_units(payment.amount for payment in payments)
        return cls(array("q", [payment.t_ms for payment in payments]), [0, *accumulate(amounts)])

    def until(self, t_ms: int) -> int:
        """Return the funding settled up to and at `t_ms`."""
        return self.sums[bisect_right(self.times_ms, t_ms)]

    def during(self, trade: BookedTrade) -> int:
        """Return the funding settled while a trade held its short."""
        return self.until(last_due_ms(trade)) - self.until(trade.opened_at_ms)


def captured_share(captured: int, available: int) -> float | None:
    """Return captured over available funding, in units of 1e-8; None unless some was available."""
    return captured / available if available > 0 else None


def _sum(amounts: Iterable[Decimal]) -> Decimal:
    return sum(amounts, ZERO)
