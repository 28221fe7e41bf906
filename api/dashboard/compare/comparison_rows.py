"""Rows of the compare page: two strategies over the same window."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from api.dashboard.compare.divergence_rows import ComparedRun, DivergenceView, divergence_view
from api.dashboard.trial.charts import curve_document
from api.presentation.metric_catalogue import MetricLabel, beside_labels, groups
from bot.backtest.comparison import Comparison
from bot.config.strategy_registry import strategy_plugin
from bot.hedges.runs import AnyWindow
from bot.models import BookedTrade
from bot.numbers.money import exact
from bot.statistics.trial_metrics import HOLD_NET_PNL, TrialSummary

SHOWN_TRADES = 50
BESIDE = "Beside holding"


@dataclass(frozen=True, slots=True)
class FigureRow:
    """A metric of each run, the last less the first, and that of holding."""

    metric: MetricLabel
    values: Sequence[Any]
    difference: Any
    hold: Any


@dataclass(frozen=True, slots=True)
class UnmatchedTrades:
    """Trades without a counterpart in the other strategy: count, sums, and the first of them."""

    title: str
    count: int
    sums: Mapping[str, Decimal]
    trades: Sequence[BookedTrade]


def title_of(strategy: str) -> str:
    """Return a strategy with its version."""
    return f"{strategy} v{strategy_plugin(strategy).version}"


def figures(found: Comparison) -> list[tuple[str, list[FigureRow]]]:
    """Return (heading, rows) of every metric."""
    hold, hedges = found.hold.metrics, found.hold.stored_hedge_metrics
    all_of = [
        TrialSummary(run.metrics, hold, found.carries[name], run.ledger, run.stored_hedge_metrics).values()
        for name, run in found.runs.items()
    ]

    def row(metric: MetricLabel) -> FigureRow:
        values, of_hedges = [values[metric.name] for values in all_of], getattr(hedges, metric.name, None)
        return FigureRow(metric, values, _difference(values), getattr(hold, metric.name, of_hedges))

    with exact():
        beside = [metric for metric in beside_labels() if metric.name != HOLD_NET_PNL]
        grouped = [*groups(with_hedges=hedges is not None), (BESIDE, beside)]
        return [(heading, [row(metric) for metric in metrics]) for heading, metrics in grouped]


def _difference(values: Sequence[Any]) -> Any:
    return None if None in values else values[-1] - values[0]


def unmatched_trades(found: Comparison) -> list[UnmatchedTrades]:
    """Return, strategy by strategy, the round trips without a counterpart."""
    unmatched = []
    for name in found.runs:
        mine = found.only_in(name)
        shown = mine.trades[:SHOWN_TRADES]
        unmatched.append(UnmatchedTrades(title_of(name), len(mine.trades), mine.sums(), shown))
    return unmatched


def first_divergence(found: Comparison, window: AnyWindow) -> DivergenceView:
    """Return the first divergence of the first and the last run."""
    first, *_, last = (
        ComparedRun(title_of(name), run.config, run.trades, window) for name, run in found.runs.items()
    )
    return divergence_view(first, last, 0)


def curves(found: Comparison) -> list[dict[str, Any]]:
    """Return the equity of each run, that of holding last, as lines of a chart."""
    runs = {title_of(name): run for name, run in found.runs.items()} | {"Holding": found.hold}
    capital = found.hold.config.initial_capital
    return [{"name": title, **curve_document(run.curve, capital)} for title, run in runs.items()]
