"""Presenters of sweeps: the service's view with labels, units and text in place."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from api.presentation.formats import shown, utc
from api.presentation.metric_catalogue import METRIC_LABELS, MetricLabel, explained, judged_labels
from bot.backtest.findings import RunFinding
from bot.backtest.window_findings import SERIOUS, words
from bot.config.run_config import RunConfig
from bot.market.symbols import is_generated
from bot.market_names import quote_of
from bot.notation import plain, text_of
from bot.plurals import counted
from bot.statistics.trial_metrics import JUDGED
from sweeps.analysis.failures import FailureReport
from sweeps.analysis.findings import SweepFinding
from sweeps.analysis.progress import SweepView
from sweeps.queue.heartbeats import Beat, Component
from sweeps.spec.axes import Axis, as_number
from sweeps.spec.metrics import Direction
from sweeps.spec.spec import SweepSpec
from sweeps.storage.states import ACTIVE, SweepState
from sweeps.storage.sweep_summary import SweepSummary


@dataclass(frozen=True, slots=True)
class AxisCard:
    """An axis with its values as text."""

    name: str
    values: list[str]
    numeric: bool
    description: str


LEAST_COMPARED, MOST_COMPARED = 2, 10
"""Fewest and most trials, or best trials of sweeps, that one page compares."""


class SweepCard:
    """A sweep as the pages print it: its view, and beside it only what the pages add."""

    def __init__(
        self,
        view: SweepView,
        beats: Sequence[Beat] | None = None,
        failures: FailureReport | None = None,
        findings: Sequence[SweepFinding] = (),
        best_findings: Sequence[RunFinding] = (),
    ) -> None:
        summary = view.summary
        self.view = view
        self.state = view.outcome or view.state
        self.failures = failures
        self.findings = findings
        self.best_findings = best_findings
        self.share = view.trials_done / view.trials_total if view.trials_total else 0.0
        self.open = view.state in ACTIVE
        self.objective = METRIC_LABELS[summary.objective.metric]
        self.direction = summary.objective.direction
        self.best_first = f"{'-' if self.direction is Direction.MAXIMIZE else ''}{self.objective.name}"
        self.best_number = view.best and view.best.number
        self.best_value = self.best_metric(summary.objective.metric)
        self.best_missed = self.best_metric("missed_settlements")
        self.unit = quote_of(summary.symbols())
        self.synthetic = any(map(is_generated, summary.exchanges()))
        self.summary = summary_line(summary)
        self.coins = some_of([symbol.partition("/")[0] for symbol in summary.symbols()])
        self.exchanges = some_of([str(name) for name in summary.exchanges()])
        self.waiting_for_workers = self.open and beats is not None and not someone_works(beats)

    def best_metric(self, name: str) -> Any:
        """Return a metric of the best trial, None while there is none."""
        return None if self.view.best is None else self.view.best.metrics[name]

    @property
    def attention(self) -> bool:
        """True unless all trials completed, on data that say nothing against their numbers."""
        warned = any(one.warning for one in self.best_findings) or any(one.serious for one in self.findings)
        return self.state != SweepState.COMPLETED or self.view.data_changed is not None or warned

    @property
    def cautions(self) -> list[str]:
        """Cautions about the data behind the best trial's numbers, in words; none for most sweeps."""
        ended = {"dead_contract"} if self.view.summary.ends_dead else set()
        found = [words(name) for name in self.view.finding_names if name in SERIOUS - ended]
        figures = self.view.best.metrics if self.view.best else {}
        if figures.get("pnl_after_market_end"):
            found.append(words("pnl_after_market_end"))
        if missed := figures.get("missed_settlements"):
            found.append(f"{counted(missed, 'settlement')} missed")
        return found


class SweepPage(SweepCard):
    """A sweep as its own page prints it, with its axes."""

    def __init__(
        self,
        view: SweepView,
        spec: SweepSpec,
        beats: Sequence[Beat] | None = None,
        failures: FailureReport | None = None,
        findings: Sequence[SweepFinding] = (),
        best_findings: Sequence[RunFinding] = (),
    ) -> None:
        super().__init__(view, beats, failures, findings, best_findings)
        self.spec = spec
        self.axes = [axis_card(axis) for axis in spec.axes]
        self.metrics = metrics_of(spec)
        self.judged = {name: self.metrics[name] for name in JUDGED}

    @property
    def spec_text(self) -> str:
        """The spec as indented JSON."""
        return json.dumps(self.spec.document(), indent=2, ensure_ascii=False)


def someone_works(beats: Sequence[Beat]) -> bool:
    """Return whether `beats` are of a dispatcher and a worker, so that what is queued gets done."""
    return {Component.DISPATCHER, Component.WORKER} <= {beat.component for beat in beats}


def metrics_of(spec: SweepSpec) -> dict[str, MetricLabel]:
    """Return every metric of a sweep's trials, those known once it is judged at the end."""
    objective = spec.objective
    own = {name: METRIC_LABELS[name] for name in spec.metrics()}
    return {**own, **judged_labels(METRIC_LABELS[objective.metric], objective.direction)}


def axis_card(axis: Axis) -> AxisCard:
    """Return an axis with its values as text."""
    numeric = all(as_number(value) is not None for value in axis.values)
    return AxisCard(axis.name, [text_of(label) for label in axis.labels], numeric, explained(axis.name))


def without_nulls(value: Any) -> Any:
    """Return a JSON value of a parameter without the parts of it that are not set."""
    if not isinstance(value, dict):
        return value
    return {name: held for name, held in value.items() if held is not None}


def some_of(names: Sequence[str], most: int = 6) -> str:
    """Return distinct names with commas, of many the first ones and how many more."""
    distinct = list(dict.fromkeys(names))
    more = f" and {len(distinct) - most} more" if len(distinct) > most else ""
    return ", ".join(distinct[:most]) + more


def reads_generated(config: RunConfig) -> bool:
    """Return whether some leg of a run's hedges is on an exchange that is generated."""
    return any(is_generated(leg.exchange) for hedge in config.hedges for leg in hedge.legs)


def unfit_line(summary: SweepSummary, run: RunConfig) -> str:
    """Return in one line the market and window of a trial whose parameters contradict each other."""
    markets = [market for symbol in run.symbols for market in re.split("<>|>", symbol)]
    named = [market.partition("@")[2] for market in markets]
    usual = () if all(named) else (run.long_exchange or run.exchange, run.short_exchange or run.exchange)
    own = {
        "read_symbols": run.symbols,
        "read_exchanges": tuple(dict.fromkeys((*filter(None, named), *usual))),
        "start_ms": run.start,
        "end_ms": run.end,
        "initial_capital": plain(run.initial_capital),
    }
    return summary_line(summary.model_copy(update=own))


def summary_line(summary: SweepSummary) -> str:
    """Return in one line what all trials share: symbols, exchange, window, strategy, capital."""
    symbols = summary.symbols()
    exchanges = ", ".join(str(name) for name in summary.exchanges())
    parts = [f"{some_of(symbols)} on {exchanges}", f"{utc(summary.start_ms)} to {utc(summary.end_ms)} UTC"]
    if "strategy_mode" not in summary.axes:
        parts.append(f"{summary.strategies[0]} strategy")
    if summary.initial_capital is not None:
        parts.append(f"capital {shown(Decimal(summary.initial_capital), 'quantity')} {quote_of(symbols)}")
    return " · ".join(parts)
