"""The metrics of a run as columns: which are money, counts or statistics, and which are better small."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from bot.accounting.cash_flows import CASH_FLOWS
from bot.statistics.trial_metrics import (
    CARRY,
    HOLD_NET_PNL,
    KNOWN_OF_HEDGES,
    METRICS,
    OF_HEDGES,
    P_LUCK,
    USUAL_METRICS,
    MetricKind,
    metric_values,
    metrics_in,
)

__all__ = [
    "ALWAYS_KNOWN",
    "CARRY",
    "HOLD_NET_PNL",
    "KNOWN_OF_HEDGES",
    "LATER",
    "METRICS",
    "OF_HEDGES",
    "USUAL_METRICS",
    "Direction",
    "MetricKind",
    "metric_values",
    "metrics_in",
    "natural_direction",
]


class Direction(StrEnum):
    """Direction in which a metric is better."""

    MAXIMIZE = "maximize"
    MINIMIZE = "minimize"


_SMALL_IS_GOOD = frozenset(
    (
        *(flow.metric for flow in CASH_FLOWS if flow.sign < 0),
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
        "kurtosis",
        "borrow_cost",
        "transfer_cost",
        "avg_capital_tied",
        "max_margin_used",
        "adl_closures",
        "top_ups",
        "reductions",
        "capped_entries",
        P_LUCK,
    )
)

_BECAUSE_OF_DATA = ("delistings", "missed_settlements", "pnl_after_market_end")
_OF_SELECTION = ("psr", "t_eff", "skewness", "kurtosis", "net_pnl_over_hold", "sharpe_over_hold")
ALWAYS_KNOWN = "net_pnl_over_hold"
"""The newest metric that is never undefined: results without it were stored before there were all."""
LATER: Mapping[str, str] = MappingProxyType(
    dict.fromkeys(_BECAUSE_OF_DATA, "missed_settlements")
    | dict.fromkeys(_OF_SELECTION, ALWAYS_KNOWN)
    | dict.fromkeys(OF_HEDGES, KNOWN_OF_HEDGES)
)
"""Metrics that the first stored results lack, each with the one that came with it and is never undefined."""


def natural_direction(metric: str) -> Direction:
    """Return the direction in which a metric is usually wanted."""
    return Direction.MINIMIZE if metric in _SMALL_IS_GOOD else Direction.MAXIMIZE
