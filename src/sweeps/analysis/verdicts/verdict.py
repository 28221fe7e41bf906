"""Verdict on a sweep: candidate, what it is beside holding, and how many settings stand behind it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import sqlalchemy as sa

from bot.numbers.arrays import IntArray
from bot.selection.badges import CandidateFacts
from sweeps.analysis.equal_results import alike_groups
from sweeps.analysis.importance import Importance, leading_importance
from sweeps.analysis.progress import SweepView, get_spec, get_sweep
from sweeps.analysis.queries import TrialView, one_trial
from sweeps.analysis.scenarios import at_scenarios, ranked_at, usual_scenarios
from sweeps.analysis.verdicts.candidate import Candidate, candidate_of, candidate_place
from sweeps.analysis.verdicts.candidate_facts import alike_others, booked, facts_of
from sweeps.analysis.verdicts.setting_counts import SettingCounts, leads, setting_counts
from sweeps.spec.scenarios import Scenarios
from sweeps.spec.spec import SweepSpec
from sweeps.storage.blocks import Measured
from sweeps.storage.stored_trials import stored_row


@dataclass(frozen=True, slots=True)
class Funnel:
    """Counts of trials, each among those counted before it but for `finished`; equal results count once.

    `beat_holding` made more than holding on the same account, `safe` without a liquidation, and
    `eligible` are so by the sweep's rules.
    """

    trials: int
    finished: int
    distinct: int
    traded: int
    beat_holding: int
    safe: int
    eligible: int


@dataclass(frozen=True, slots=True)
class Peak:
    """Best trial by itself: `unable` of its `near` neighbours are ineligible, `floor` is the worst other."""

    trial: TrialView
    floor: TrialView | None
    near: int
    unable: int


@dataclass(frozen=True, slots=True)
class SweepVerdict:
    """Verdict on a sweep: counts of its settings, its funnel, and the candidate, None without one.

    `axes`, the chosen ones, are by the share of the objective's variance that each explains alone, None
    where it cannot be told. `floor` is the trial that is worst among the candidate and its neighbours that
    may win; `peak` is the trial that is best by itself, where there is a plateau.
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
    peak: Peak | None
    alike: int
    facts: CandidateFacts | None


def sweep_verdict(connection: sa.Connection, sweep_id: int) -> SweepVerdict:
    """Return the verdict on the trials of a sweep that there are; raises UnknownSweepError."""
    view, spec = get_sweep(connection, sweep_id), get_spec(connection, sweep_id)
    metric = spec.objective.metric
    every = booked(connection, view.id, spec)
    scenarios = usual_scenarios(spec)
    every_cell = spec.space.cells_of(every.numbers)
    settings, cells = at_scenarios(spec, scenarios, metric, every, every_cell)
    found = candidate_of(connection, view.id, spec, scenarios, settings)
    alike, trial, floor, peak = 0, None, None, None
    if found is not None:
        alike = alike_others(settings, found.place)
        trial = one_trial(connection, view.id, int(settings.numbers[found.place]))
        floor = _at(connection, view.id, settings, found.floor)
        peak = None if found.peak is None else _peak(connection, view.id, settings, found.peak)
    return SweepVerdict(
        sweep=view,
        spec=spec,
        scenarios=scenarios,
        settings=setting_counts(spec, scenarios, every, every_cell, settings),
        funnel=_funnel(view, every),
        axes=leading_importance(spec, settings, cells, metric, scenarios),
        candidate=found,
        trial=trial,
        floor=floor,
        peak=peak,
        alike=alike,
        facts=None
        if found is None or trial is None
        else facts_of(connection, view, spec, found, trial, alike),
    )


def candidate_row(
    connection: sa.Connection, sweep_id: int, spec: SweepSpec, every: Measured, names: Sequence[str]
) -> Mapping[str, Any] | None:
    """Return the row of the candidate with the columns named, as `sweep_verdict` finds it, None without one.

    `every` are the completed trials of the sweep with their objective, under its guard.
    """
    scenarios, metric = usual_scenarios(spec), spec.objective.metric
    settings = every
    if scenarios.axes:
        settings = every.only(ranked_at(spec, scenarios, metric, every, spec.space.cells_of(every.numbers)))
    place = candidate_place(connection, sweep_id, spec, scenarios, settings)
    if place is None:
        return None
    return stored_row(connection, sweep_id, settings.number(place), names)


def _at(connection: sa.Connection, sweep_id: int, settings: Measured, place: int | None) -> TrialView | None:
    return None if place is None else one_trial(connection, sweep_id, int(settings.numbers[place]))


def _peak(connection: sa.Connection, sweep_id: int, settings: Measured, found: Candidate) -> Peak:
    trial = one_trial(connection, sweep_id, int(settings.numbers[found.place]))
    floor = _at(connection, sweep_id, settings, found.floor)
    return Peak(trial, floor, found.near, found.near - found.able)


def funnel_end(connection: sa.Connection, sweep_id: int) -> IntArray:
    """Return the trials at the end of the funnel of a sweep by number; raises UnknownSweepError."""
    spec = get_spec(connection, sweep_id)
    return _steps(booked(connection, sweep_id, spec))[-1].numbers


def _funnel(view: SweepView, done: Measured) -> Funnel:
    counts = [len(step.numbers) for step in _steps(done)]
    return Funnel(view.trials_total, len(done.numbers), *counts)


def _steps(done: Measured) -> list[Measured]:
    """Return the trials that are left after each step of the funnel, from the distinct ones on."""
    _, first = np.unique(alike_groups(done), return_index=True)
    distinct = done.only(np.isin(np.arange(len(done.numbers)), first))
    traded = distinct.only(distinct.values["total_trades"] > 0)
    ahead = traded.only(leads(traded) > 0)
    safe = ahead.only(ahead.values["liquidations"] == 0)
    return [distinct, traded, ahead, safe, safe.only(safe.eligible)]
