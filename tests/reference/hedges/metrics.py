"""Metrics of a run from its trades, its equity curve and what was noted at its events."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from tests.reference.hedges.account import Account
from tests.reference.hedges.held import Trade
from tests.reference.naive_metrics import annualized_return, daily_equity, daily_statistics
from tests.reference.naive_numbers import book, divide

ZERO = Fraction(0)
Metric = Fraction | int | float | None
BY_REASON = {
    "liquidations": "liquidation",
    "margin_exits": "margin",
    "adl_closures": "adl",
    "delistings": "delisted",
}


@dataclass
class Notes:
    """Notes of what metrics need, taken while a run is replayed."""

    curve: list[tuple[int, Fraction]] = field(default_factory=list)
    tied: list[Fraction] = field(default_factory=list)
    margins: list[Fraction] = field(default_factory=list)
    events_held: int = 0
    skipped: int = 0
    capped: int = 0
    capacities: list[Fraction] = field(default_factory=list)
    distances: list[Fraction] = field(default_factory=list)
    levelling_fees: Fraction = ZERO
    regimes: dict[str, Fraction] = field(
        default_factory=lambda: dict.fromkeys(("funding_negative", "funding_neutral", "funding_high"), ZERO)
    )

    def after_event(self, t: int, account: Account) -> None:
        """Note how the account stands after an event."""
        self.curve.append((t, account.equity(t)))
        self.tied.append(account.tied())
        self.margins.append(account.margin_used(t))
        self.events_held += bool(account.held)

    def paid(self, amount: Fraction, carry_8h: Fraction, high: Fraction) -> None:
        """Note a payment of funding by the carry at which it was booked."""
        name = "negative" if carry_8h < 0 else "high" if carry_8h >= high else "neutral"
        self.regimes[f"funding_{name}"] += amount


def metrics_of(initial: Fraction, notes: Notes, trades: Sequence[Trade]) -> dict[str, Metric]:
    """Return every metric by name: money as fractions, counts, and statistics or None."""
    reasons = Counter(trade.held.reason for trade in trades)
    pnls = [trade.held.long_and_short_pnl() for trade in trades]
    final = notes.curve[-1][1]
    tied = average_tied(notes)
    money: dict[str, Metric] = {
        "net_pnl": final - initial,
        "total_funding": sum((trade.held.funding for trade in trades), ZERO),
        "price_pnl": sum((trade.price_pnl for trade in trades), ZERO),
        "total_fees": sum((trade.held.fees for trade in trades), ZERO),
        "long_pnl": sum((long for long, _ in pnls), ZERO),
        "short_pnl": sum((short for _, short in pnls), ZERO),
        "borrow_cost": sum((trade.held.borrow_cost for trade in trades), ZERO),
        "transfer_cost": sum((trade.held.transfer_cost for trade in trades), notes.levelling_fees),
        "final_equity": final,
        **notes.regimes,
        "avg_capital_tied": tied,
        "max_margin_used": max(notes.margins),
        "capacity": min(notes.capacities, default=None),
    }
    counts: dict[str, Metric] = {
        "total_trades": len(trades),
        "winning_trades": sum(trade.net_pnl > 0 for trade in trades),
        **{name: reasons[reason] for name, reason in BY_REASON.items()},
        "skipped_entries": notes.skipped,
        "funding_payments": sum(trade.held.payments for trade in trades),
        "top_ups": sum(trade.held.top_ups for trade in trades),
        "reductions": sum(trade.held.reductions for trade in trades),
        "capped_entries": notes.capped,
    }
    distance = min(notes.distances, default=None)
    capital: dict[str, Metric] = {
        "return_on_capital_tied": None if tied is None else ratio(final - initial, tied),
        "capital_efficiency": None if tied is None else ratio(tied, initial),
        "min_liquidation_distance": None if distance is None else float(distance),
    }
    return {**money, **counts, **capital, **_of_trades(notes, trades), **_of_curve(initial, notes)}


def average_tied(notes: Notes) -> Fraction | None:
    """Return the capital tied up, its mean over time, None for a single event."""
    times = [t for t, _ in notes.curve]
    if times[0] == times[-1]:
        return None
    weighted = sum(
        (tied * (later - t) for tied, t, later in zip(notes.tied, times, times[1:], strict=False)), ZERO
    )
    return book(divide(weighted, Fraction(times[-1] - times[0])))


def ratio(numerator: Fraction | int, denominator: Fraction | int) -> float | None:
    """Return a quotient as a statistic, None at a zero denominator."""
    return float(Fraction(numerator) / denominator) if denominator else None


def _of_trades(notes: Notes, trades: Sequence[Trade]) -> dict[str, Metric]:
    results = [trade.net_pnl for trade in trades]
    hours = sum((Fraction(trade.closed_at - trade.held.opened_at, 3_600_000) for trade in trades), ZERO)
    return {
        "win_rate": ratio(sum(result > 0 for result in results), len(trades)),
        "profit_factor": ratio(
            sum((result for result in results if result > 0), ZERO),
            -sum((result for result in results if result < 0), ZERO),
        ),
        "time_in_market": ratio(notes.events_held, len(notes.curve)),
        "avg_holding_hours": ratio(hours, len(trades)),
    }


def _of_curve(initial: Fraction, notes: Notes) -> dict[str, Metric]:
    curve, peak = notes.curve, initial
    largest, share = ZERO, ZERO
    for _, equity in curve:
        peak = max(peak, equity)
        largest, share = max(largest, peak - equity), max(share, (peak - equity) / peak)
    annualized = annualized_return(initial, curve)
    calmar = None if annualized is None or share == 0 else annualized / float(share)
    return {
        "max_drawdown": largest,
        "max_drawdown_pct": float(share),
        "total_return": float(curve[-1][1] / initial - 1),
        "annualized_return": annualized,
        "calmar": calmar if calmar is not None and math.isfinite(calmar) else None,
        **daily_statistics(daily_equity(initial, curve)),
    }
