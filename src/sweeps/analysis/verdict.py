"""Verdict on a sweep: candidate, what it is beside holding, and how many settings stand behind it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import sqlalchemy as sa

from bot.numbers.arrays import IntArray
from bot.selection.badges import CandidateFacts
from bot.statistics.metrics import DAYS_PER_YEAR
from sweeps.analysis.candidate import Candidate, candidate_of
from sweeps.analysis.findings import sweep_findings
from sweeps.analysis.importance import Importance, importance
from sweeps.analysis.judged_panels import JudgedPanels, made_report
from sweeps.analysis.progress import SweepView, get_spec, get_sweep
from sweeps.analysis.queries import TrialView, one_trial
from sweeps.analysis.scenarios import at_scenarios
from sweeps.analysis.setting_counts import SettingCounts, leads, setting_counts
from sweeps.spec.scenarios import Scenarios, customary_scenarios
from sweeps.spec.spec import SweepSpec
from sweeps.storage.blocks import Measured, measured

_MONEY = ("net_pnl", "hold_net_pnl", "total_fees", "max_drawdown")
_COUNTS = ("total_trades", "funding_payments", "liquidations")
_ALIKE = ("net_pnl", "total_fees", "max_drawdown", *_COUNTS)
"""Metrics of two runs that, if all are equal to the last digit, came from the same trades."""


@dataclass(frozen=True, slots=True)
class Funnel:
    """Counts of trials, each among those counted before it but for `finished`; equal results count once.

    `beat_holding` made more than holding on the same account, `safe` without a liquidation, and
    `eligible` may win by the sweep's rules.
    """

    trials: int
    finished: int
    distinct: int
    traded: int
    beat_holding: int
    safe: int
    eligible: int


@dataclass(frozen=True, slots=True)
class SweepVerdict:
    """Verdict on a sweep: counts of its settings, its funnel, and the candidate, None without one.

    `axes`, the chosen ones, are by the share of the objective's variance that each explains alone, None
    where it cannot be told. `floor` is the trial that is worst among the candidate and its neighbours that
    may win.
    """

    sweep: SweepView
    spec: SweepSpec
    scenarios: Scenarios
    settings: SettingCounts
    funnel: Funnel
    axes: Sequence[Importance] | None
    candidate: Candidate | None
    trial: TrialView | None
    floor: TrialView | None
    alike: int
    facts: CandidateFacts | None


def sweep_verdict(connection: sa.Connection, sweep_id: int) -> SweepVerdict:
    """Return the verdict on the trials of a sweep that there are; raises UnknownSweepError."""
    view, spec = get_sweep(connection, sweep_id), get_spec(connection, sweep_id)
    metric = spec.objective.metric
    every = measured(connection, view.id, list(dict.fromkeys((metric, *_MONEY, *_COUNTS))), spec.guard)
    scenarios = spec.scenarios or customary_scenarios(spec.space)
    every_cell = spec.space.cells_of(every.numbers)
    settings, cells = at_scenarios(spec, scenarios, metric, every, every_cell)
    found = candidate_of(connection, view.id, spec, scenarios, settings)
    alike, trial, floor = 0, None, None
    if found is not None:
        groups = _alike(settings)
        alike = int(np.count_nonzero(groups == groups[found.place])) - 1
        trial = one_trial(connection, view.id, int(settings.numbers[found.place]))
        floor = None if found.floor is None else _at(connection, view.id, settings, found.floor)
    return SweepVerdict(
        sweep=view,
        spec=spec,
        scenarios=scenarios,
        settings=setting_counts(spec, scenarios, every, every_cell, settings),
        funnel=_funnel(view, every),
        axes=_chosen(importance(spec.space, cells, settings.floats(metric)), scenarios),
        candidate=found,
        trial=trial,
        floor=floor,
        alike=alike,
        facts=None if trial is None else _facts(connection, view, spec, found, trial, alike),
    )


def _chosen(axes: list[Importance] | None, scenarios: Scenarios) -> list[Importance] | None:
    return None if axes is None else [axis for axis in axes if axis.name not in scenarios.axes]


def _at(connection: sa.Connection, sweep_id: int, settings: Measured, place: int) -> TrialView:
    return one_trial(connection, sweep_id, int(settings.numbers[place]))


def _alike(done: Measured) -> IntArray:
    """Return a number for each trial, equal where all that it booked is."""
    groups = np.zeros(len(done.numbers), dtype=np.int64)
    for name in _ALIKE:
        _, ids = np.unique(done.values[name], return_inverse=True)
        _, groups = np.unique(groups * (int(ids.max(initial=0)) + 1) + ids, return_inverse=True)
    return groups.astype(np.int64)


def _funnel(view: SweepView, done: Measured) -> Funnel:
    _, first = np.unique(_alike(done), return_index=True)
    distinct = done.only(np.isin(np.arange(len(done.numbers)), first))
    traded = distinct.only(distinct.values["total_trades"] > 0)
    ahead = traded.only(leads(traded) > 0)
    safe = ahead.only(ahead.values["liquidations"] == 0)
    return Funnel(
        trials=view.trials_total,
        finished=len(done.numbers),
        distinct=len(distinct.numbers),
        traded=len(traded.numbers),
        beat_holding=len(ahead.numbers),
        safe=len(safe.numbers),
        eligible=int(np.count_nonzero(safe.eligible)),
    )


def _facts(
    connection: sa.Connection,
    view: SweepView,
    spec: SweepSpec,
    found: Candidate | None,
    trial: TrialView,
    alike: int,
) -> CandidateFacts:
    metrics: Mapping[str, Any] = trial.metrics or {}
    return CandidateFacts(
        trades=metrics["total_trades"],
        liquidations=metrics["liquidations"],
        alike=alike,
        borders=[border.words for border in (found.borders if found else ())],
        lead=float(metrics["net_pnl"] - metrics["hold_net_pnl"]),
        p_luck=_p_luck(made_report(connection, view.id, spec.validation), metrics["sharpe"]),
        best_month=metrics["best_month_share"],
        data=_data(connection, view, metrics),
        refusal=trial.ineligible,
        plateau=found is not None and found.floor is not None,
        alone=found.alone if found else None,
    )


def _p_luck(panels: JudgedPanels | None, sharpe: float | None) -> float | None:
    """Return the chance that luck shows such a Sharpe ratio (a year) in all looks; None where unknown.

    With several windows, each has a search of its own, and the candidate is of one of them.
    """
    if panels is None or sharpe is None or len(panels.panels) > 1:
        return None
    report = panels.at(None).report
    if report.cash is None:
        return None
    search, daily = report.cash.search, sharpe / DAYS_PER_YEAR**0.5
    return report.cash.lifetime.p_life(search.p_luck(daily), search.independent)


def _data(connection: sa.Connection, view: SweepView, metrics: Mapping[str, Any]) -> list[str]:
    """Return what is wrong with the data of a candidate, in words."""
    serious = sweep_findings(connection, view.id) if view.finding_names else []
    words = [f"{one.finding.title}: {one.finding.detail}" for one in serious if one.serious]
    missed = metrics["missed_settlements"]
    if missed:
        words.append(f"{missed:,} of its settlements are missing")
    if view.data_changed:
        words.append(view.data_changed)
    return words
