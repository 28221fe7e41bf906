"""Curves that the best trials of a sweep keep; their rows are there, with their places, before the curves."""

from collections.abc import Sequence
from typing import Protocol

import sqlalchemy as sa

from sweeps.spec.spec_fields import Curves, Objective, TopCurves
from sweeps.storage.tables import trial_curve

NO_CURVE_YET = b""
"""Curve and round trips of a row until they are worked out."""


def has_curve() -> sa.ColumnElement[bool]:
    """Return the condition that the curve of a row is worked out; a trial without one is replayed."""
    return sa.func.length(trial_curve.c.equity) > 0


_BEST_FIRST = (
    sa.select(trial_curve.c.objective_rank, trial_curve.c.number, has_curve().label("has_curve"))
    .where(trial_curve.c.sweep_id == sa.bindparam("of_sweep"))
    .order_by(trial_curve.c.objective_rank, trial_curve.c.number)
)
_LEADERS = _BEST_FIRST.limit(sa.bindparam("top", type_=sa.Integer))
_BEYOND = _BEST_FIRST.offset(sa.bindparam("top", type_=sa.Integer)).subquery()
_PRUNING = trial_curve.delete().where(
    trial_curve.c.sweep_id == sa.bindparam("of_sweep"),
    trial_curve.c.number.in_(sa.select(_BEYOND.c.number)),
)
_GIVING_UP = trial_curve.delete().where(
    trial_curve.c.sweep_id == sa.bindparam("of_sweep"), sa.not_(has_curve())
)


class Ranking(Protocol):
    """Ranking of a sweep: its objective, and the trials that keep their curves."""

    @property
    def objective(self) -> Objective:
        """Return metric and direction of the best trial."""

    @property
    def curves(self) -> Curves:
        """Return the trials whose curves are kept."""


def leaders(
    connection: sa.Connection, sweep_id: int, ranking: Ranking
) -> Sequence[sa.Row[tuple[int, int, bool]]]:
    """Return the trials that keep their curves, best first, where only the best do.

    Rank of the objective and number of each, and whether its curve is worked out.
    """
    if not isinstance(ranking.curves, TopCurves):
        return []
    return connection.execute(_LEADERS, {"of_sweep": sweep_id, "top": ranking.curves.top}).all()


def give_up_curves(connection: sa.Connection, sweep_id: int) -> None:
    """Drop the places of the best trials whose curves are not worked out: nobody is to do that any more."""
    connection.execute(_GIVING_UP, {"of_sweep": sweep_id})


def prune_curves(connection: sa.Connection, sweep_id: int, ranking: Ranking) -> None:
    """Drop the stored curves of trials that are no longer among the best."""
    if not isinstance(ranking.curves, TopCurves):
        return
    connection.execute(_PRUNING, {"of_sweep": sweep_id, "top": ranking.curves.top})
