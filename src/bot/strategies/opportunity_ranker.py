"""Rank the pairs that are worth entering."""

from collections.abc import Iterable
from decimal import Decimal
from math import lcm

import numpy as np

from bot.accounting.fees import FeeModel
from bot.accounting.order_style import OrderStyle
from bot.models import SettlementView
from bot.numbers.arrays import IntArray
from bot.numbers.columns import DecimalColumn
from bot.numbers.thresholds import Condition, ThresholdColumn
from bot.strategies.gates import Gate

_INTERVALS_HOURS = range(1, 25)
_COMMON_HOURS = lcm(*_INTERVALS_HOURS)
_MOST = 10**18
"""Bound of numbers that are worked out in 64 bits."""


class OpportunityRanker:
    """Passes pairs whose rate, volume and yield after fees suffice, the best annualized yield first."""

    __slots__ = (
        "_fees",
        "_flat_trip",
        "_min_holding_periods",
        "_min_volume_24h",
        "_style",
        "min_funding_rate",
    )

    def __init__(
        self,
        min_funding_rate: Decimal,
        min_volume_24h: Decimal,
        min_holding_periods: int,
        fees: FeeModel,
        style: OrderStyle,
    ) -> None:
        self.min_funding_rate = min_funding_rate
        self._min_volume_24h = min_volume_24h
        self._min_holding_periods = min_holding_periods
        self.use(fees, style)

    def use(self, fees: FeeModel, style: OrderStyle) -> None:
        """Rank at these fees from now on."""
        self._fees = fees
        self._style = style
        self._flat_trip: Decimal | None = None

    def passes(self, view: SettlementView) -> bool:
        """Return whether the pair is worth entering at this settlement."""
        return self._failed(view) is None

    def blocking_gate(self, view: SettlementView) -> Gate | None:
        """Return the first condition that the pair fails, None if it passes."""
        name = self._failed(view)
        if name is None or name == "spot_active":
            return None if name is None else Gate(name)
        needed, seen = {
            "min_funding_rate": (self.min_funding_rate, view.funding.rate_8h),
            "min_volume_24h": (self._min_volume_24h, view.ticker.volume_24h),
            "min_holding_periods": (self.trip(view), view.funding.rate * self._min_holding_periods),
        }[name]
        return Gate(name, needed, seen, needed - seen)

    def trip(self, view: SettlementView) -> Decimal:
        """Return the fee rates of entry and exit of both legs at a settlement, summed."""
        if self._fees.varies:
            funding = view.funding
            return self._style.round_trip_fees(self._fees.of(funding.symbol), funding.t_ms)
        return self.flat_trip

    @property
    def flat_trip(self) -> Decimal:
        """The same sum under fees that never change."""
        if self._flat_trip is None:
            self._flat_trip = self._style.round_trip_fees(self._fees, 0)
        return self._flat_trip

    def earns(self, rate: Decimal, trip: Decimal) -> bool:
        """Return whether `rate` per interval, kept up over the holding periods, pays the fees of a `trip`."""
        return rate * self._min_holding_periods > trip

    def earning(self, rates: ThresholdColumn) -> Condition:
        """Return the condition that a rate `earns` the fees of a trip, under fees that never change."""
        return rates.exceeds(self.flat_trip, self._min_holding_periods)

    def net_yield(self, view: SettlementView) -> Decimal:
        """Return the rate per interval less the round-trip fees spread over the holding periods."""
        return view.funding.rate - self.trip(view) / self._min_holding_periods

    def rank(self, views: Iterable[SettlementView]) -> list[SettlementView]:
        """Return the passing pairs by annualized net yield, descending, then by symbol."""
        passing = [view for view in views if self.passes(view)]
        return sorted(passing, key=self._order) if len(passing) > 1 else passing

    def yield_per_hour(self, view: SettlementView) -> Decimal:
        """Return a number that orders pairs by annualized net yield, exact where a division would not be."""
        over_holding = view.funding.rate * self._min_holding_periods - self.trip(view)
        return over_holding * (_COMMON_HOURS // view.funding.interval_hours)

    def yields_per_hour(self, rates: DecimalColumn, interval_hours: IntArray) -> DecimalColumn:
        """Return `yield_per_hour` of the `rates` of many settlements, under fees that never change."""
        trip = DecimalColumn.from_decimals([self.flat_trip])
        exponent, periods = min(rates.exponent, trip.exponent), self._min_holding_periods
        each, fees = rates.mantissas_over(exponent), int(trip.mantissas_over(exponent)[0])
        hours = _COMMON_HOURS // interval_hours
        most = (int(np.abs(each).max(initial=0)) * periods + abs(fees)) * int(hours.max(initial=1))
        if most >= _MOST:
            each, hours = each.astype(object), hours.astype(object)
        return DecimalColumn.of((each * periods - fees) * hours, exponent)

    def _failed(self, view: SettlementView) -> str | None:
        """Return the name of the first condition that the pair fails.

        Source: docs/domain.md, section 5.
        """
        if view.funding.rate_8h < self.min_funding_rate:
            return "min_funding_rate"
        if view.ticker.volume_24h < self._min_volume_24h:
            return "min_volume_24h"
        if not view.instrument.spot_active:
            return "spot_active"
        trip = self._flat_trip or self.trip(view)
        return None if self.earns(view.funding.rate, trip) else "min_holding_periods"

    def _order(self, view: SettlementView) -> tuple[Decimal, str]:
        return -self.yield_per_hour(view), view.funding.symbol
