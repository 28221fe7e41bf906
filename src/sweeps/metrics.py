"""The metrics of a run as columns: which are money, counts or statistics, and which are better small."""

from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType
from typing import get_type_hints

from bot.backtest import Metrics


class MetricKind(StrEnum):
    """How a metric is stored and printed."""

    MONEY = "money"
    COUNT = "count"
    STATISTIC = "statistic"


class Direction(StrEnum):
    """Which end of a metric is best."""

    MAXIMIZE = "maximize"
    MINIMIZE = "minimize"


_KINDS = {Decimal: MetricKind.MONEY, int: MetricKind.COUNT}
_SMALL_IS_GOOD = frozenset(
    (
        "total_fees",
        "max_drawdown",
        "liquidations",
        "margin_exits",
        "skipped_entries",
        "max_drawdown_pct",
        "volatility",
        "longest_drawdown_days",
        "best_month_share",
        "best_trade_share",
        "breakeven_settlements",
    )
)

METRICS: Mapping[str, MetricKind] = MappingProxyType(
    {name: _KINDS.get(kind, MetricKind.STATISTIC) for name, kind in get_type_hints(Metrics).items()}
)
"""Every metric of a run by name, in the order of the domain specification."""


def natural_direction(metric: str) -> Direction:
    """Return the direction in which a metric is usually wanted."""
    return Direction.MINIMIZE if metric in _SMALL_IS_GOOD else Direction.MAXIMIZE
