"""Reasons why trials of a sweep failed, grouped."""

import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

import sqlalchemy as sa

from sweeps.analysis.progress import SweepView, get_sweep
from sweeps.storage.tables import failed_trial

MOST_EXAMINED = 10_000
"""Most failed trials that are read, so that a sweep of a million failures is told about as fast as any."""

_FIGURE = re.compile(r"\d+(?:[.:,-]\d+)*")


@dataclass(frozen=True, slots=True)
class FailureReason:
    """One reason: its code, the message of the trial `example`, and how many trials failed for it."""

    code: str
    message: str
    trials: int
    example: int


@dataclass(frozen=True, slots=True)
class FailureReport:
    """Reasons, the most frequent first; `examined` of the `failed` trials were counted."""

    failed: int
    examined: int
    reasons: tuple[FailureReason, ...]

    def document(self) -> dict[str, Any]:
        """Return the report as JSON values."""
        return {**asdict(self), "reasons": [asdict(reason) for reason in self.reasons]}


def failure_report(connection: sa.Connection, sweep_id: int, *, most: int = MOST_EXAMINED) -> FailureReport:
    """Return the failure reasons of trials, of the first `most` failed ones. Raises: UnknownSweepError."""
    return failures_of(connection, get_sweep(connection, sweep_id), most=most)


def failures_of(connection: sa.Connection, view: SweepView, *, most: int = MOST_EXAMINED) -> FailureReport:
    """Return the failure reasons of a sweep; nothing is read if no trial failed."""
    if not view.trials_failed:
        return FailureReport(0, 0, ())
    failed = failed_trial.c
    rows = connection.execute(
        sa.select(failed.number, failed.error_code, failed.error)
        .where(failed.sweep_id == view.id)
        .order_by(failed.number)
        .limit(most)
    ).all()
    return FailureReport(max(view.trials_failed, len(rows)), len(rows), _grouped(rows))


def _grouped(rows: Iterable[Any]) -> tuple[FailureReason, ...]:
    """Return the reasons of failed trials (number, code, message) in ascending order of their numbers."""
    counts: dict[tuple[str, str], int] = {}
    examples: dict[tuple[str, str], tuple[int, str]] = {}
    for number, code, message in rows:
        kind = code or "", _FIGURE.sub("#", message or "")
        counts[kind] = counts.get(kind, 0) + 1
        examples.setdefault(kind, (number, message or ""))
    reasons = [FailureReason(kind[0], examples[kind][1], counts[kind], examples[kind][0]) for kind in counts]
    return tuple(sorted(reasons, key=lambda reason: (-reason.trials, reason.example)))
