"""Verdict on a sweep as a few sentences: holding, how many settings beat it, the region, and what matters."""

from decimal import Decimal

from bot.backtest.periods.yearly_figures import Yearly
from bot.config.parameters import AccountParameters
from bot.plurals import counted
from sweeps.analysis.queries import TrialView
from sweeps.analysis.verdicts.candidate import AxisRange
from sweeps.analysis.verdicts.setting_counts import SettingCounts
from sweeps.analysis.verdicts.verdict import SweepVerdict
from sweeps.spec.metrics import METRICS, MetricKind

_MATTERS = 0.05
_MOST_AXES = 3
_OF_ACCOUNT = AccountParameters.model_fields.keys() - {"symbols", "strategy_mode", "perp_leverage"}
"""Parameters that make holding differ from setting to setting, beside those that the sentence names."""


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
    config = verdict.spec.config(trial.number)
    leverage, market = config.perp_leverage, ", ".join(config.symbols)
    varied = verdict.spec.space.by_name.keys()
    held = f"Holding {market}" if "symbols" in varied else "Holding"
    if varied & _OF_ACCOUNT:
        held += " on the candidate's account"
    if leverage == 1:
        return f"{held} made {a_year(yearly.hold)} at 1x."
    return f"{held} made {a_year(yearly.hold)} at {leverage:g}x and {a_year(yearly.hold_at_1x)} at 1x."


def _beaten(verdict: SweepVerdict) -> str:
    found = verdict.settings
    settings = counted(found.total, "setting")
    if found.idle == found.total:
        return f"None of {settings} ever traded."
    at = f", each at its {verdict.scenarios.rank} scenario," if verdict.scenarios.axes else ""
    beat = f"{found.ahead:,}" if found.ahead else "None"
    told = f"{beat} of {settings}{at} beat holding on the same account{_of_these(found)}."
    return f"{told} {found.idle:,} of {found.total:,} never traded." if found.idle else told


def _of_these(found: SettingCounts) -> str:
    """Return how many of the settings that beat holding may win and were liquidated, unless all and none."""
    if found.able == found.ahead and not found.liquidated:
        return ""
    able = "all" if found.able == found.ahead else f"{found.able:,}" if found.able else "none"
    were = "was" if found.liquidated == 1 else "were"
    count = "all" if found.liquidated == found.ahead > 1 else f"{found.liquidated:,}"
    liquidated = f", {count} {were} liquidated" if found.liquidated else ""
    return f": {able} may win{liquidated}"


def _best(verdict: SweepVerdict) -> str:
    candidate, trial = verdict.candidate, verdict.trial
    if candidate is None or trial is None:
        return "None may win by the rules of the sweep, so there is no candidate."
    metric = verdict.spec.objective.metric
    lost = (trial.metrics or {}).get("liquidations")
    losses = f" with {counted(lost, 'liquidation')}" if lost else ""
    shown = f"{metric} {_value(metric, trial)}{losses}"
    if verdict.floor is None:
        lone = f": {candidate.alone}" if candidate.alone else ""
        return f"No plateau can be told{lone}; the best one is trial {trial.number}, {shown}."
    region = ", ".join(_range(one) for one in candidate.region)
    found = (
        f"Best region: {region}, around trial {trial.number}: {shown}, {_floor(metric, verdict.floor, trial)}"
    )
    unable = candidate.near - candidate.able
    return (
        f"{found}; {unable} of its {counted(candidate.near, 'neighbour')} may not win."
        if unable
        else f"{found}."
    )


def _floor(metric: str, floor: TrialView, trial: TrialView) -> str:
    if floor.number == trial.number:
        return "no neighbour that may win is worse"
    return f"at its worst neighbour {_value(metric, floor)}"


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
