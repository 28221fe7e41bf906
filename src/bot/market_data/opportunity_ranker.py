"""Which pairs are worth entering, and in which order."""

from collections.abc import Iterable
from decimal import Decimal
from math import lcm

from bot.models import SettlementView
from bot.pnl.fees import FeeSchedule

_INTERVALS_HOURS = range(1, 25)
_COMMON_HOURS = lcm(*_INTERVALS_HOURS)


class OpportunityRanker:
    """Passes pairs whose rate, volume and yield after fees suffice, the best annualized yield first."""

    __slots__ = ("_min_funding_rate", "_min_holding_periods", "_min_volume_24h", "_round_trip_fees")

    def __init__(
        self,
        min_funding_rate: Decimal,
        min_volume_24h: Decimal,
        min_holding_periods: int,
        fees: FeeSchedule,
    ) -> None:
        self._min_funding_rate = min_funding_rate
        self._min_volume_24h = min_volume_24h
        self._min_holding_periods = min_holding_periods
        self._round_trip_fees = fees.round_trip

    def passes(self, view: SettlementView) -> bool:
        """Return whether the pair is worth entering at this settlement."""
        return (
            view.funding.rate_8h >= self._min_funding_rate
            and view.ticker.volume_24h >= self._min_volume_24h
            and view.instrument.spot_active
            and self._net_yield_over_holding(view) > 0
        )

    def rank(self, views: Iterable[SettlementView]) -> list[SettlementView]:
        """Return the passing pairs by annualized net yield, descending, then by symbol."""
        lowest = self._min_funding_rate
        passing = [view for view in views if view.funding.rate_8h >= lowest and self.passes(view)]
        return sorted(passing, key=self._order) if len(passing) > 1 else passing

    def _net_yield_over_holding(self, view: SettlementView) -> Decimal:
        return view.funding.rate * self._min_holding_periods - self._round_trip_fees

    def _order(self, view: SettlementView) -> tuple[Decimal, str]:
        per_hour = self._net_yield_over_holding(view) * (_COMMON_HOURS // view.funding.interval_hours)
        return -per_hour, view.funding.symbol
