"""Curves that the best trials of a sweep keep."""

from typing import Any, Protocol

import sqlalchemy as sa

from sweeps.spec.spec import Curves, Objective, TopCurves
from sweeps.storage.tables import trial_curve


class Ranking(Protocol):
    """Ranking of a sweep: its objective, and the trials that keep their curves."""

    @property
    def objective(self) -> Objective:
        """Return metric and direction of the best trial."""

    @property
    def curves(self) -> Curves:
        """Return the trials whose curves are kept."""


def leaders(connection: sa.Connection, sweep_id: int, ranking: Ranking) -> list[tuple[int, int]]:
    """Return rank and number of the trials that keep their curves, best first, where only the best do."""
    if not isinstance(ranking.curves, TopCurves):
        return []
    rows = connection.execute(_best_first(sweep_id).limit(ranking.curves.top))
    return [(rank, number) for rank, number in rows]


def prune_curves(connection: sa.Connection, sweep_id: int, ranking: Ranking) -> None:
    """Drop the stored curves of trials that are no longer among the best."""
    if not isinstance(ranking.curves, TopCurves):
        return
    beyond = _best_first(sweep_id).offset(ranking.curves.top).subquery()
    connection.execute(
        trial_curve.delete().where(
            trial_curve.c.sweep_id == sweep_id,
            trial_curve.c.number.in_(sa.select(beyond.c.number)),
        )
    )


def _best_first(sweep_id: int) -> sa.Select[Any]:
    return (
        sa.select(trial_curve.c.objective_rank, trial_curve.c.number)
        .where(trial_curve.c.sweep_id == sweep_id)
        .order_by(trial_curve.c.objective_rank, trial_curve.c.number)
    )
