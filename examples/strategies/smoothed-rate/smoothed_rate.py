"""A strategy of your own: enter and exit on the average of the newest funding rates.

Install it beside carrygrid (`pip install examples/strategies/smoothed-rate`) and name it in a config:
`"strategy_mode": "smoothed-rate"`. Its parameters are then parameters of a run like any other.
"""

from collections import defaultdict, deque
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from pydantic import Field

from bot.strategies import (
    ColumnDecisions,
    Count,
    DecisionColumns,
    Entry,
    Figure,
    FundingRate,
    Number,
    PairSettlements,
    Parameters,
    SettlementView,
    Strategy,
    StrategyPlugin,
    Threshold,
)


class SmoothedRateParameters(Parameters):
    """What a run can set; rates per 8 hours."""

    smoothing_settlements: Count = Field(9, description="settlements that the average looks back on")
    smoothed_entry: Number = Field(Decimal("0.0002"), description="enter at this average rate or above")
    smoothed_exit: Number = Field(Decimal("0.00005"), description="exit below this average rate")


class SmoothedRateStrategy(Strategy):
    """Enters high averages, the highest first."""

    remembers = True

    def __init__(self, settlements: int, entry: Decimal, exit_below: Decimal) -> None:
        self.past_settlements = settlements
        self._rates: dict[str, deque[Decimal]] = defaultdict(lambda: deque(maxlen=settlements))
        self._entry = entry
        self._exit = exit_below

    def observe(self, funding: FundingRate) -> None:
        """Remember the newest rates of each pair."""
        self._rates[funding.symbol].append(funding.rate_8h)

    def entries(self, views: Sequence[SettlementView]) -> Sequence[Entry]:
        """Return the pairs whose average suffices, the highest first, then by symbol."""
        worth = [view for view in views if self._average(view) >= self._entry]
        return [Entry(view) for view in sorted(worth, key=lambda v: (-self._average(v), v.funding.symbol))]

    def wants_exit(self, view: SettlementView) -> bool:
        """Return whether the average has fallen too low."""
        return self._average(view) < self._exit

    def figures(self, view: SettlementView) -> Mapping[str, Decimal | bool]:
        """Return what it decides on, for the pages that explain trades."""
        return {"smoothed_rate": self._average(view)}

    def _average(self, view: SettlementView) -> Decimal:
        return _mean(self._rates[view.funding.symbol])


def _mean(rates: deque[Decimal]) -> Decimal:
    return sum(rates, Decimal(0)) / len(rates)


def _build(config: Any) -> SmoothedRateStrategy:
    return SmoothedRateStrategy(config.smoothing_settlements, config.smoothed_entry, config.smoothed_exit)


def _decide(config: Any, columns: DecisionColumns) -> ColumnDecisions:
    """Decide all settlements at once; trials that smooth alike share the column of averages."""
    settlements = config.smoothing_settlements
    averages = columns.values(("average", settlements), lambda pair: _averages(pair, settlements))
    return ColumnDecisions(
        enter=(Threshold(averages, "smoothed_entry"),),
        stay=(Threshold(averages, "smoothed_exit"),),
        order=lambda: averages,
    )


def _averages(pair: PairSettlements, settlements: int) -> Iterator[Decimal]:
    rates: deque[Decimal] = deque((record.rate_8h for record in pair.past), maxlen=settlements)
    for view in pair.views:
        rates.append(view.funding.rate_8h)
        yield _mean(rates)


PLUGIN = StrategyPlugin(
    "smoothed-rate",
    "0.1",
    "Average funding rate",
    SmoothedRateParameters,
    _build,
    decide_columns=_decide,
    decided_by=("smoothing_settlements",),
    figures={
        "smoothed_rate": Figure(
            "Average rate per 8 h", share=True, enter="smoothed_entry", leave="smoothed_exit"
        )
    },
)
