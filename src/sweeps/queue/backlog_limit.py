"""Limit on the trials of sweeps that have not ended."""

import sqlalchemy as sa

from sweeps.errors import QueueFullError
from sweeps.storage.states import ACTIVE, SweepState
from sweeps.storage.tables import sweep

_WAITING_TRIALS = sa.select(sa.func.coalesce(sa.func.sum(sweep.c.trials_total), 0)).where(
    sweep.c.state.in_((*ACTIVE, SweepState.PAUSED))
)


def refuse_overload(connection: sa.Connection, most: int) -> None:
    """Raise QueueFullError if sweeps that have not ended hold more than `most` trials."""
    held = connection.execute(_WAITING_TRIALS).scalar_one()
    if int(held) > most:
        raise QueueFullError(int(held), most)
