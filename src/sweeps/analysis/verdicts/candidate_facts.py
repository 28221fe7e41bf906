"""Facts on a trial among the others of its sweep, from which its badges follow."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import sqlalchemy as sa

from bot.selection.badges import CandidateFacts
from sweeps.analysis.equal_results import alike_groups
from sweeps.analysis.findings import sweep_findings
from sweeps.analysis.judged.cell_luck import life_chance_in
from sweeps.analysis.judged.judged_panels import JudgedPanels, made_report
from sweeps.analysis.progress import SweepView, get_sweep
from sweeps.analysis.queries import TrialView, trial_with_spec
from sweeps.analysis.scenarios import at_scenarios, usual_scenarios
from sweeps.analysis.setting_ids import setting_ids
from sweeps.analysis.verdicts.candidate import Candidate, standing_of
from sweeps.spec.scenarios import Scenarios
from sweeps.spec.spec import SweepSpec
from sweeps.storage.blocks import Measured, measured

_MONEY = ("net_pnl", "hold_net_pnl", "total_fees", "max_drawdown")
_COUNTS = ("total_trades", "funding_payments", "liquidations")


def booked(connection: sa.Connection, sweep_id: int, spec: SweepSpec) -> Measured:
    """Return the completed trials of a sweep with the objective and what they booked."""
    names = dict.fromkeys((spec.objective.metric, *_MONEY, *_COUNTS))
    return measured(connection, sweep_id, list(names), spec.guard)


def trial_facts(connection: sa.Connection, sweep_id: int, number: int) -> CandidateFacts | None:
    """Return the facts on a trial, None without a result; raises UnknownSweepError.

    It stands among the settings at the scenarios by which the sweep is judged, as its candidate does; one
    that stands for no setting there, among the trials of its own scenario.
    """
    spec, trial = trial_with_spec(connection, sweep_id, number)
    every, scenarios = booked(connection, sweep_id, spec), usual_scenarios(spec)
    if trial.metrics is None or number not in every.numbers:
        return None
    cells = spec.space.cells_of(every.numbers)
    settings, _ = at_scenarios(spec, scenarios, spec.objective.metric, every, cells)
    if number not in settings.numbers:
        settings = _same_scenario(spec, scenarios, every, number)
    place = int(np.searchsorted(settings.numbers, number))
    found = standing_of(connection, sweep_id, spec, scenarios, settings, place)
    view = get_sweep(connection, sweep_id)
    return facts_of(connection, view, spec, found, trial, alike_others(settings, place))


def _same_scenario(spec: SweepSpec, scenarios: Scenarios, every: Measured, number: int) -> Measured:
    """Return the trials that have the same values as one on the axes of `scenarios`."""
    chosen = [axis.name for axis in spec.space.axes if axis.name not in scenarios.axes]
    ids, _ = setting_ids(spec.space, spec.space.cells_of(every.numbers), chosen)
    return every.only(ids == ids[np.searchsorted(every.numbers, number)])


def facts_of(
    connection: sa.Connection,
    view: SweepView,
    spec: SweepSpec,
    found: Candidate,
    trial: TrialView,
    alike: int,
) -> CandidateFacts:
    """Return the facts on a trial, of which `found` tells what lies around and `alike` counts equal ones."""
    metrics: Mapping[str, Any] = trial.metrics or {}
    return CandidateFacts(
        trades=metrics["total_trades"],
        liquidations=metrics["liquidations"],
        alike=alike,
        borders=[border.words for border in found.borders],
        lead=float(metrics["net_pnl"] - metrics["hold_net_pnl"]),
        p_luck=_p_life(made_report(connection, view.id, spec.validation), spec, trial.number, metrics),
        best_month=metrics["best_month_share"],
        data=_data(connection, view, metrics),
        refusal=trial.ineligible,
        plateau=found.floor is not None,
        alone=found.alone,
    )


def _p_life(
    panels: JudgedPanels | None, spec: SweepSpec, number: int, metrics: Mapping[str, Any]
) -> float | None:
    """Return the chance that luck shows the Sharpe ratio of a trial in all looks; None where unknown.

    With several windows, each has a search of its own, and the candidate is of one of them.
    """
    if panels is None or len(panels.panels) > 1:
        return None
    return life_chance_in(panels.at(None), spec.config(number), number, metrics)


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


def alike_others(done: Measured, place: int) -> int:
    """Return how many other trials booked the very same."""
    groups = alike_groups(done)
    return int(np.count_nonzero(groups == groups[place])) - 1
