"""Verdict on a sweep as a few sentences: holding, how many settings beat it, the region, and what matters."""

from decimal import Decimal

from bot.backtest.yearly_figures import Yearly
from bot.plurals import counted
from sweeps.analysis.candidate import AxisRange
from sweeps.analysis.queries import TrialView
from sweeps.analysis.verdict import SweepVerdict
from sweeps.spec.metrics import METRICS, MetricKind

_MATTERS = 0.05
_MOST_AXES = 3


def verdict_sentence(verdict: SweepVerdict, yearly: Yearly | None = None) -> str:
    """Return the verdict in words; `yearly` are figures of the candidate, None without a replay."""
    if not verdict.funnel.finished:
        return "No trial has completed yet."
    told = []
    if yearly is not None and verdict.trial is not None:
        told.append(_holding(verdict, verdict.trial, yearly))
    told += [_beaten(verdict), _best(verdict)]
    matters = _what_matters(verdict)
    return " ".join([*told, *([matters] if matters else [])])


def _holding(verdict: SweepVerdict, trial: TrialView, yearly: Yearly) -> str:
    leverage = verdict.spec.config(trial.number).perp_leverage
    if leverage == 1:
        return f"Holding made {a_year(yearly.hold)} at 1x."
    return f"Holding made {a_year(yearly.hold)} at {leverage:g}x and {a_year(yearly.hold_at_1x)} at 1x."


def _beaten(verdict: SweepVerdict) -> str:
    settings = counted(verdict.settings, "setting")
    at = f", each at its {verdict.scenarios.rank} scenario," if verdict.scenarios.axes else ""
    beat = "None" if not verdict.beat_holding else f"{verdict.beat_holding:,}"
    idle = verdict.funnel.distinct and not verdict.funnel.traded
    if idle:
        return f"None of {settings} ever traded."
    return f"{beat} of {settings}{at} beat holding on the same account."


def _best(verdict: SweepVerdict) -> str:
    candidate, trial = verdict.candidate, verdict.trial
    if candidate is None or trial is None:
        return "None may win by the rules of the sweep, so there is no candidate."
    metric = verdict.spec.objective.metric
    shown = f"{metric} {_value(metric, trial)}"
    if verdict.floor is None:
        return f"No plateau can be told; the best one is trial {trial.number}, {shown}."
    region = ", ".join(_range(one) for one in candidate.region)
    floor = _value(metric, verdict.floor)
    return f"Best region: {region}, around trial {trial.number}: {shown}, at its worst neighbour {floor}."


def _range(one: AxisRange) -> str:
    return f"{one.name} {one.low}" if one.low == one.high else f"{one.name} {one.low} to {one.high}"


def _value(metric: str, trial: TrialView) -> str:
    value: Decimal | float | None = (trial.metrics or {}).get(metric)
    if value is None:
        return "undefined"
    return f"{value:,}" if METRICS[metric] is MetricKind.COUNT else f"{value:,.2f}"


def _what_matters(verdict: SweepVerdict) -> str | None:
    if verdict.axes is None:
        return None
    shares = [one for one in verdict.axes if one.share >= _MATTERS][:_MOST_AXES]
    if not shares:
        return "No axis matters much by itself."
    named = ", ".join(f"{one.name} ({100 * one.share:.0f} %)" for one in shares)
    return f"What matters: {named}."


def a_year(share: float | None) -> str:
    """Return a yearly return in words."""
    return "an undefined return" if share is None else f"{100 * share:.1f} % a year"
