"""Metrics of the hedges of a run: P&L by leg, funding by regime, capital tied, distance to liquidation."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from bot.numbers.money import plain


@dataclass(frozen=True, slots=True)
class HedgeMetrics:
    """Metrics of a run in its result document: money in quote currency, counts, statistics or None.

    Those of borrowing, of moves of margin, of capacity and of closings by exchanges to reduce risk are zero
    or None for spot against a perp of one exchange.
    """

    long_pnl: Decimal
    short_pnl: Decimal
    borrow_cost: Decimal
    transfer_cost: Decimal
    funding_negative: Decimal
    funding_neutral: Decimal
    funding_high: Decimal
    avg_capital_tied: Decimal | None
    max_margin_used: Decimal
    capacity: Decimal | None
    adl_closures: int
    top_ups: int
    reductions: int
    capped_entries: int
    return_on_capital_tied: float | None
    capital_efficiency: float | None
    min_liquidation_distance: float | None

    def document(self) -> dict[str, Any]:
        """Return the metrics as JSON values, money as canonical text."""
        values = ((name, getattr(self, name)) for name in self.__slots__)
        return {name: plain(value) if isinstance(value, Decimal) else value for name, value in values}
