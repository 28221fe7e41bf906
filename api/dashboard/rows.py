"""Rows of the tables on the pages: trials, parameters, recorded series."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from api.presentation.metric_catalogue import METRIC_LABELS, MetricLabel
from api.presentation.presenters import AxisCard
from bot.backtest.baseline import FinishedRun
from bot.backtest.findings import RunFinding
from bot.config.run_config import RunConfig, run_model
from bot.config.strategy_registry import compared_strategies, unread_parameters
from bot.models import HOUR_MS
from bot.notation import NOT_APPLICABLE, text_of
from bot.statistics.trial_metrics import JUDGED, P_LUCK, PLATEAU
from sweeps.analysis.queries import TrialView
from sweeps.lifecycle.trial_marks import TrialMark
from sweeps.storage.states import TrialState

_NO_METRICS: Mapping[str, Any] = dict.fromkeys((*METRIC_LABELS, *JUDGED))


@dataclass(frozen=True, slots=True)
class TrialRow:
    """A trial with its parameters as text and a value, or None, for every metric."""

    number: int
    params: dict[str, str]
    state: TrialState
    metrics: Mapping[str, Any]
    error: str | None
    run_key: str | None
    findings: Sequence[RunFinding] = ()
    ineligible: str | None = None
    equal: int | None = None
    mark: TrialMark | None = None


def trial_row(trial: TrialView) -> TrialRow:
    """Return a trial as the pages print it."""
    # Windows that are varied begin and end at midnight nearly always; the date alone is read more easily.
    params = {
        name: NOT_APPLICABLE if value is None else text_of(value).removesuffix("T00:00:00Z")
        for name, value in trial.params.items()
    }
    metrics = {**_NO_METRICS, **(trial.metrics or {}), P_LUCK: trial.p_luck, PLATEAU: trial.plateau}
    return TrialRow(
        trial.number,
        params,
        trial.state,
        metrics,
        trial.error,
        trial.run_key,
        trial.findings,
        trial.ineligible,
        trial.equal,
        trial.mark,
    )


_FIRST_PARAMETERS = ("exchange", "symbols", "start", "end", "strategy_mode", "initial_capital")
_WINDOW = _FIRST_PARAMETERS[:5]


@dataclass(frozen=True, slots=True)
class ConfigRows:
    """Parameters of a run as names and text: those that it reads, and those that only other strategies do."""

    read: Sequence[tuple[str, str]]
    unread: Sequence[tuple[str, str]] = ()


def config_rows(config: RunConfig) -> ConfigRows:
    """Return every parameter of a run, what the run is about first."""
    document, unread = config.document(), unread_parameters(config.strategy_mode)
    names = dict.fromkeys((*_FIRST_PARAMETERS, *document))
    found = [(name, text_of(document[name])) for name in names]
    return ConfigRows(
        [row for row in found if row[0] not in unread], [row for row in found if row[0] in unread]
    )


def default_rows() -> list[tuple[str, str]]:
    """Return every parameter that a comparison can set, with its default as text."""
    fields = run_model(*compared_strategies()).model_fields
    return [(name, text_of(fields[name].get_default())) for name in fields if name not in _WINDOW]


@dataclass(frozen=True, slots=True)
class DataRow:
    """Data a run read of one symbol: candle intervals by leg, settlements, and the end of its records."""

    symbol: str
    candles: str
    found: int
    expected: int
    until_ms: int | None
    gaps: int


def data_rows(run: FinishedRun) -> list[DataRow]:
    """Return the data that a run read, symbol by symbol."""
    return [
        DataRow(
            symbol,
            ", ".join(f"{leg} {ms / HOUR_MS:g} h" for leg, ms in covered.timeframes_ms.items()),
            covered.funding.found,
            covered.funding.expected,
            covered.last_ms,
            sum(len(leg.gaps) for leg in covered.legs().values()),
        )
        for symbol, covered in run.coverage.items()
    ]


def first_sorts(axes: Sequence[AxisCard], columns: Sequence[MetricLabel]) -> dict[str, str]:
    """Return the first sort order of each heading: metrics best first, parameters ascending."""
    metrics = {label.name: label.name if label.small_is_good else f"-{label.name}" for label in columns}
    return metrics | {axis.name: axis.name for axis in axes}
