"""Searches to judge in tests: the example panel, and panels of drawn or given returns."""

import json
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from bot.numbers.arrays import FloatArray
from bot.selection.days.calendar import Calendar
from bot.selection.judging import judge
from bot.selection.looks import Lifetime, Look
from bot.selection.panel import Panel
from bot.selection.report import SelectionReport
from bot.selection.settings import ValidationSettings
from bot.selection.trial_sums import TrialReturns, TrialSums

FOLDER = Path(__file__).parent / "unit/bot/selection/example"
FIRST_DAY = date(2021, 1, 1)


def example_panel() -> tuple[Panel, TrialReturns, Lifetime]:
    """Return the panel of the example, its trials and its looks."""
    document = json.loads((FOLDER / "panel.json").read_text())
    trials, days = document["trials"], len(document["trials"][0]["hold"])

    def column(name: str) -> list[Any]:
        return [trial[name] for trial in trials]

    returns = [[np.nan] * days if one is None else one for one in column("returns")]
    return (
        Panel(Calendar(date.fromisoformat(document["first_day"]), days), document["objective"]),
        TrialReturns(
            np.array(column("number")),
            np.array(returns, dtype=float),
            np.array(column("hold")),
            np.array(column("total_trades")),
            np.array(column("funding_payments")),
            np.array([np.nan if one is None else one for one in column("objective")]),
        ),
        lifetime_of(days, document["own"]["runs"]),
    )


def example_report() -> dict[str, Any]:
    """Return the report of the example."""
    report: dict[str, Any] = json.loads((FOLDER / "report.json").read_text())
    return report


def lifetime_of(days: int, runs: int) -> Lifetime:
    """Return the lifetime of a sweep that nobody has looked beside."""
    return Lifetime.of(Look("x", frozenset({"A"}), 0, days - 1, runs, runs), [])


def trials_of(
    returns: Sequence[Sequence[float]] | FloatArray,
    hold: Sequence[float] | FloatArray | None = None,
    objectives: Sequence[float] | None = None,
    trades: Sequence[int] | None = None,
) -> TrialReturns:
    """Return trials numbered from 0, all of enough trades unless said otherwise; holding earns nothing."""
    own = np.array(returns, dtype=float)
    count = len(own)
    return TrialReturns(
        np.arange(count),
        own,
        np.broadcast_to(np.zeros(own.shape[1]) if hold is None else np.array(hold), own.shape),
        np.full(count, 9) if trades is None else np.array(trades),
        np.full(count, 400),
        own.sum(axis=1) if objectives is None else np.array(objectives, dtype=float),
    )


def part_of(trials: TrialReturns, rows: Sequence[int]) -> TrialReturns:
    """Return some of the trials."""
    chosen = np.array(rows, dtype=np.int64)
    return TrialReturns(
        trials.numbers[chosen],
        trials.returns[chosen],
        trials.hold[chosen],
        trials.total_trades[chosen],
        trials.funding_payments[chosen],
        trials.objectives[chosen],
    )


def judged(
    trials: TrialReturns, objective: str = "sharpe", settings: ValidationSettings | None = None
) -> SelectionReport:
    """Return the report on trials whose days begin at `FIRST_DAY`."""
    days = trials.returns.shape[1]
    panel = Panel(Calendar(FIRST_DAY, days), objective, settings or ValidationSettings())
    return judge(panel, [TrialSums.of(panel, trials)], lifetime_of(days, len(trials.numbers)))
