"""Monthly results of a run."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

import numpy as np

from bot.models import BookedTrade, FundingPayment
from bot.numbers.money import ZERO
from bot.statistics.metrics import Calendar


@dataclass(frozen=True, slots=True)
class Month:
    """A UTC month: the change of equity in it, marked to market, what settled, and how many trades ended.

    Amounts in quote currency; `change_share` is the change over the equity the month began with, None
    unless that was positive.
    """

    year: int
    month: int
    change: Decimal
    change_share: float | None
    funding: Decimal
    trades: int


def months(
    equity: Sequence[tuple[int, Decimal]],
    initial_capital: Decimal,
    payments: Iterable[FundingPayment],
    trades: Iterable[BookedTrade],
) -> list[Month]:
    """Return the months from the first event's to the last's; their changes sum to the net P&L.

    A last event at midnight closes the month before it: an instant is no month of its own.
    equity: (ms UTC, equity) at each event, oldest first. Call inside `exact()`.
    """
    calendar = Calendar.of([t_ms for t_ms, _ in equity])
    end_ms = equity[-1][0] if len(equity) > 1 else None

    def month_of(t_ms: int) -> int:
        return _month_of(t_ms - 1 if t_ms == end_ms else t_ms)

    funding: dict[int, Decimal] = {}
    for payment in payments:
        month = month_of(payment.t_ms)
        funding[month] = funding.get(month, ZERO) + payment.amount
    ended = [month_of(trade.closed_at_ms) for trade in trades]
    before, closes = initial_capital, {month_of(equity[at][0]): equity[at][1] for at in calendar.month_ends}
    found = []
    for month in range(min(closes), max(closes) + 1):
        after = closes.get(month, before)
        share = float((after - before) / before) if before > 0 else None
        found.append(
            Month(
                1970 + month // 12,
                1 + month % 12,
                after - before,
                share,
                funding.get(month, ZERO),
                ended.count(month),
            )
        )
        before = after
    return found


def _month_of(t_ms: int) -> int:
    return int(np.datetime64(t_ms, "ms").astype("datetime64[M]").astype(np.int64))
