"""The metrics of a run as columns: which are money, counts or statistics, and which are better small."""

from enum import StrEnum

from bot.accounting.cash_flows import CASH_FLOWS
from bot.statistics.trial_metrics import CARRY, HOLD_NET_PNL, METRICS, MetricKind, metric_values

__all__ = [
    "ALWAYS_KNOWN",
    "CARRY",
    "HOLD_NET_PNL",
    "LATER",
    "METRICS",
    "Direction",
    "MetricKind",
    "metric_values",
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
    )
)

LATER = frozenset(("delistings", "missed_settlements", "pnl_after_market_end"))
"""The metrics that rows of before schema 0011 do not have."""
ALWAYS_KNOWN = "missed_settlements"
"""The one of `LATER` that is never undefined: rows without it are of before."""


def natural_direction(metric: str) -> Direction:
    """Return the direction in which a metric is usually wanted."""
    return Direction.MINIMIZE if metric in _SMALL_IS_GOOD else Direction.MAXIMIZE
