"""Verdict on a sweep as a few sentences: holding, how many settings beat it, the region, and what matters."""

from api.presentation.formats import lower_first, shown
from api.presentation.metric_catalogue import METRIC_LABELS
from api.presentation.rate_words import rate_span
from bot.backtest.periods.yearly_figures import Yearly
from bot.config.parameters import AccountParameters
from bot.market_names import quote_of
from bot.plurals import counted
from sweeps.analysis.queries import TrialView
from sweeps.analysis.verdicts.candidate import AxisRange
from sweeps.analysis.verdicts.setting_counts import SettingCounts
from sweeps.analysis.verdicts.verdict import SweepVerdict
from sweeps.spec.metrics import Direction

_MATTERS = 0.05
_MOST_AXES = 3
_FEWEST_TO_COMPARE = 2
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
    scenarios = verdict.scenarios
    at = f", each at its {scenarios.rank} {' and '.join(scenarios.axes)}," if scenarios.axes else ""
    beat = f"{found.ahead:,}" if found.ahead else "None"
    told = f"{beat} of {settings}{at} beat holding on the same account{_of_these(found)}."
    return f"{told} {found.idle:,} of {found.total:,} never traded." if found.idle else told


def _of_these(found: SettingCounts) -> str:
    """Return how many settings that beat holding are eligible, unless all, and were liquidated, if any."""
    told = []
    if found.able < found.ahead:
        told.append(f"{found.able:,} eligible" if found.able else "none eligible")
    if found.liquidated:
        count = "all" if found.liquidated == found.ahead > 1 else f"{found.liquidated:,}"
        told.append(f"{count} {'was' if found.liquidated == 1 else 'were'} liquidated")
    return f": {', '.join(told)}" if told else ""


def _best(verdict: SweepVerdict) -> str:
    candidate, trial = verdict.candidate, verdict.trial
    if candidate is None or trial is None:
        return "None is eligible by the rules of the sweep, so there is no candidate."
    lost = (trial.metrics or {}).get("liquidations")
    losses = f" with {counted(lost, 'liquidation')}" if lost else ""
    label = lower_first(METRIC_LABELS[verdict.spec.objective.metric].label.removesuffix(", %"))
    found = f"{label} {_value(verdict, trial)}{losses}"
    if verdict.floor is None:
        lone = f": {candidate.alone}" if candidate.alone else ""
        return f"There is no plateau{lone}; the best one is trial {trial.number}, {found}."
    region = ", ".join(_range(one) for one in candidate.region)
    floor = _floor(verdict, verdict.floor, trial)
    told = f"Best region: {region}, around trial {trial.number}: {found}, {floor}"
    unable = candidate.near - candidate.able
    if unable:
        told = f"{told}; {_unable(unable, candidate.near)}"
    return f"{told}.{_peak(verdict, trial)}"


def _floor(verdict: SweepVerdict, floor: TrialView, trial: TrialView) -> str:
    if floor.number == trial.number:
        return "no eligible neighbour is worse"
    return f"at its worst neighbour {_value(verdict, floor)}"


def _peak(verdict: SweepVerdict, trial: TrialView) -> str:
    """Return what is better than the candidate by itself, and why it is not the candidate."""
    peak = verdict.peak
    if peak is None or _value(verdict, peak.trial) == _value(verdict, trial):
        return ""
    end = "lowest" if verdict.spec.objective.direction is Direction.MINIMIZE else "highest"
    told = f"The {end}, trial {peak.trial.number}, has {_value(verdict, peak.trial)}"
    if peak.unable:
        return f" {told}, but {_unable(peak.unable, peak.near)}."
    return "" if peak.floor is None else f" {told}, but {_value(verdict, peak.floor)} one step away."


def _unable(unable: int, neighbours: int) -> str:
    verb = "is" if unable == 1 else "are"
    return f"{unable} of its {counted(neighbours, 'neighbour')} {verb} not eligible"


def _range(one: AxisRange) -> str:
    values = one.low if one.low == one.high else f"{one.low} to {one.high}"
    said = rate_span(one.name, one.low, one.high)
    return f"{one.name} {values} ({said})" if said else f"{one.name} {values}"


def _value(verdict: SweepVerdict, trial: TrialView) -> str:
    metric = METRIC_LABELS[verdict.spec.objective.metric]
    value = (trial.metrics or {}).get(metric.name)
    if value is None:
        return "undefined"
    if metric.kind == "ratio":
        return f"{value:,.2f}"
    unit = f" {quote_of(verdict.spec.symbols())}" if metric.kind == "money" else ""
    return f"{shown(value, metric.kind)}{unit}"


def _what_matters(verdict: SweepVerdict) -> str | None:
    if verdict.axes is None or len(verdict.axes) < _FEWEST_TO_COMPARE:
        return None
    shares = [one for one in verdict.axes if one.share >= _MATTERS][:_MOST_AXES]
    if not shares:
        return "No axis matters much by itself."
    named = ", ".join(f"{one.name} ({100 * one.share:.0f} %)" for one in shares)
    return f"What matters: {named}."


def a_year(share: float | None) -> str:
    """Return a yearly return in words."""
    return "an undefined return" if share is None else f"{100 * share:.1f} % a year"
