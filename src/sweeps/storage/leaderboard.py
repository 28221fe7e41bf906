"""Order of trials by the objective, and the curves that the best of them keep."""

from typing import Any, Protocol

import sqlalchemy as sa

from sweeps.spec.metrics import Direction
from sweeps.spec.spec import Curves, Objective, TopCurves
from sweeps.storage.columns import Money
from sweeps.storage.tables import trial, trial_curve


class Ranking(Protocol):
    """Ranking of a sweep: its objective, and the trials that keep their curves."""

    @property
    def objective(self) -> Objective:
        """Return metric and direction of the best trial."""

    @property
    def curves(self) -> Curves:
        """Return the trials whose curves are kept."""


def best_first(objective: Objective) -> tuple[sa.ColumnElement[Any], ...]:
    """Return the ORDER BY of the objective: undefined values last, equal ones by trial number."""
    column = trial.c[objective.metric]
    ordered = column.desc() if objective.direction is Direction.MAXIMIZE else column.asc()
    return column.is_(None), ordered, trial.c.number


def leaders(connection: sa.Connection, sweep_id: int, ranking: Ranking) -> list[tuple[int, Any]]:
    """Return number and objective of the trials that keep their curves, where only the best do.

    Money is in whole units of 1e-8.
    """
    if not isinstance(ranking.curves, TopCurves):
        return []
    column = trial.c[ranking.objective.metric]
    value = sa.type_coerce(column, sa.BigInteger) if isinstance(column.type, Money) else column
    query = (
        sa.select(trial.c.number, value)
        .join_from(
            trial_curve,
            trial,
            sa.and_(trial.c.sweep_id == trial_curve.c.sweep_id, trial.c.number == trial_curve.c.number),
        )
        .where(trial_curve.c.sweep_id == sweep_id)
        .order_by(*best_first(ranking.objective))
        .limit(ranking.curves.top)
    )
    return [(number, value) for number, value in connection.execute(query)]


def prune_curves(connection: sa.Connection, sweep_id: int, ranking: Ranking) -> None:
    """Drop the stored curves of trials that are no longer among the best."""
    if not isinstance(ranking.curves, TopCurves):
        return
    ranked = (
        sa.select(
            trial_curve.c.number,
            sa.func.row_number().over(order_by=best_first(ranking.objective)).label("place"),
        )
        .join(
            trial, sa.and_(trial.c.sweep_id == trial_curve.c.sweep_id, trial.c.number == trial_curve.c.number)
        )
        .where(trial_curve.c.sweep_id == sweep_id)
        .subquery()
    )
    beyond = sa.select(ranked.c.number).where(ranked.c.place > ranking.curves.top)
    connection.execute(
        trial_curve.delete().where(trial_curve.c.sweep_id == sweep_id, trial_curve.c.number.in_(beyond))
    )
