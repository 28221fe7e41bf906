"""Verdict on a sweep, as the OpenAPI document describes it and as it is answered."""

from dataclasses import asdict
from typing import Any

from pydantic import BaseModel, Field

from api.schemas.answers import TrialDocument
from api.schemas.documents import trial_document
from sweeps.analysis.verdicts.replayed_verdict import ReplayedVerdict
from sweeps.spec.scenarios import Scenarios
from sweeps.storage.states import SweepState


class VerdictBadge(BaseModel):
    """A rule that speaks against the candidate, and the figures that it found."""

    name: str
    title: str
    rule: str
    detail: str


class VerdictFunnel(BaseModel):
    """Counts of trials, each among those counted before it; equal results count once from `distinct` on."""

    trials: int
    finished: int = Field(description="completed; failed ones have no result")
    distinct: int
    traded: int
    beat_holding: int
    safe: int = Field(description="without a liquidation")
    eligible: int = Field(description="eligible by the rules of the sweep")


class VerdictAxis(BaseModel):
    """Share of the objective's variance that an axis explains alone."""

    name: str
    share: float


class VerdictRange(BaseModel):
    """Lowest and highest value of an axis among the candidate and the eligible settings next to it."""

    name: str
    low: str
    high: str


class VerdictBorder(BaseModel):
    """Axis whose `lowest` or `highest` value the candidate has, towards which the objective rises."""

    name: str
    value: str
    side: str
    beyond: str = Field(description="the value a step further out")


class VerdictSpan(BaseModel):
    """Change of equity in a span of time beside that of holding; shares of the equity it began with."""

    name: str
    net_pnl: str
    share: float | None
    hold_net_pnl: str
    hold_share: float | None


class VerdictYearly(BaseModel):
    """The candidate by year; returns a year are fractions, compound, of 365 days."""

    annualized_return: float | None
    band: list[float] | None = Field(
        description="a year, what 5 and 95 % of 1,000 draws of its own days do not exceed"
    )
    hold_annualized_return: float | None
    hold_annualized_return_at_1x: float | None
    years: list[VerdictSpan] = Field(description="UTC years; they sum to the net P&L")
    last_year: VerdictSpan = Field(description="the last 365 days of the window, or all of a shorter one")
    best_regime_share: float | None


class VerdictCandidate(BaseModel):
    """Centre of the largest plateau over all axes; without plateaus the best trial, and `floor` is null."""

    trial: TrialDocument
    floor: int | None = Field(description="the worst of it and the eligible trials a step away")
    peak: int | None = Field(description="the trial that is best by itself; null without a plateau")
    neighbours: int = Field(description="settings a step away")
    able_neighbours: int = Field(description="those of them that are eligible")
    region: list[VerdictRange]
    borders: list[VerdictBorder]
    alike: int = Field(description="other settings with equal results")
    yearly: VerdictYearly | None
    badges: list[VerdictBadge]


class SweepVerdictDocument(BaseModel):
    """Verdict on the trials that there are."""

    sweep: int
    state: SweepState
    objective: str
    scenarios: Scenarios
    sentence: str
    settings: int = Field(description="settings, each at its scenario")
    beat_holding: int = Field(description="settings that made more than holding on the same account")
    beat_holding_and_may_win: int
    beat_holding_but_liquidated: int
    never_traded: int = Field(description="settings without a trade in any scenario")
    axes: list[VerdictAxis] | None = Field(description="the axes by how much they matter")
    funnel: VerdictFunnel
    candidate: VerdictCandidate | None
    missing: str | None = Field(description="why there are no yearly figures")


class PositiveYearsDocument(BaseModel):
    """Step of the funnel that takes a replay: trials that made something in every UTC year."""

    among: int = Field(description="trials at the end of the funnel")
    count: int | None = Field(description="those of them that made something in every year of their window")
    missing: str | None = Field(description="why there is no count")


def verdict_document(verdict: ReplayedVerdict) -> dict[str, Any]:
    """Return a verdict as JSON values."""
    found = verdict.found
    axes = found.axes
    return {
        "sweep": found.sweep.id,
        "state": found.sweep.state,
        "objective": found.spec.objective.metric,
        "scenarios": found.scenarios.model_dump(mode="json"),
        "sentence": verdict.sentence,
        "settings": found.settings.total,
        "beat_holding": found.settings.ahead,
        "beat_holding_and_may_win": found.settings.able,
        "beat_holding_but_liquidated": found.settings.liquidated,
        "never_traded": found.settings.idle,
        "axes": None if axes is None else [{"name": one.name, "share": one.share} for one in axes],
        "funnel": asdict(found.funnel),
        "candidate": _candidate(verdict),
        "missing": verdict.missing,
    }


def _candidate(verdict: ReplayedVerdict) -> dict[str, Any] | None:
    found = verdict.found
    if found.candidate is None or found.trial is None:
        return None
    return {
        "trial": trial_document(found.trial),
        "floor": found.floor and found.floor.number,
        "peak": found.peak and found.peak.trial.number,
        "neighbours": found.candidate.near,
        "able_neighbours": found.candidate.able,
        "region": [asdict(one) for one in found.candidate.region],
        "borders": [asdict(one) for one in found.candidate.borders],
        "alike": found.alike,
        "yearly": verdict.yearly and verdict.yearly.document(),
        "badges": [asdict(one) for one in verdict.badges],
    }
