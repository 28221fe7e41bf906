"""The metrics of a run as columns: which are money, counts or statistics, and which are better small."""

from collections.abc import Mapping
from dataclasses import fields
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType
from typing import Any, get_args, get_type_hints

from bot.statistics.carry import CarryComparison
from bot.statistics.run_metrics import Metrics


class MetricKind(StrEnum):
    """Kind of a metric: decides its column and its print."""

    MONEY = "money"
    COUNT = "count"
    STATISTIC = "statistic"


class Direction(StrEnum):
    """Direction in which a metric is better."""

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
        "delistings",
        "missed_settlements",
        "missed_before_entry",
        "missed_between",
        "missed_after_exit",
        "extra_round_trips",
        "extra_fees",
    )
)
HOLD_NET_PNL = "hold_net_pnl"
_RUN = tuple(field.name for field in fields(Metrics))
CARRY = tuple(field.name for field in fields(CarryComparison))
"""The metrics that compare a trial with holding."""

LATER = frozenset(("delistings", "missed_settlements", "pnl_after_market_end"))
"""The metrics that rows of before schema 0011 do not have."""
ALWAYS_KNOWN = "missed_settlements"
"""The one of `LATER` that is never undefined: rows without it are of before."""

_TYPES: Mapping[str, Any] = {
    **get_type_hints(Metrics),
    HOLD_NET_PNL: Decimal,
    **get_type_hints(CarryComparison),
}

METRICS: Mapping[str, MetricKind] = MappingProxyType(
    {name: _KINDS.get((get_args(kind) or (kind,))[0], MetricKind.STATISTIC) for name, kind in _TYPES.items()}
)
"""Every metric of a trial by name: those of docs/domain.md, section 9, then those beside holding."""


def metric_values(metrics: Metrics, hold: Metrics, carry: CarryComparison) -> dict[str, Any]:
    """Return a trial's metrics by name: of its run, of the run that holds, and how the two compare."""
    ran = {name: getattr(metrics, name) for name in _RUN}
    return {**ran, HOLD_NET_PNL: hold.net_pnl, **{name: getattr(carry, name) for name in CARRY}}


def natural_direction(metric: str) -> Direction:
    """Return the direction in which a metric is usually wanted."""
    return Direction.MINIMIZE if metric in _SMALL_IS_GOOD else Direction.MAXIMIZE
