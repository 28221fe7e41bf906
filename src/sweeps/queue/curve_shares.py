"""Curves of a sweep's best trials, shared among the chunks that end last.

While trials wait that nobody has begun, they may outdo the best; so curves are worked out by the chunks that
end after the last one was claimed.
"""

import sqlalchemy as sa

from sweeps.storage.leaderboard import Ranking, has_curve, leaders
from sweeps.storage.states import ChunkState
from sweeps.storage.tables import chunk, trial_curve

# Put together once: that takes longer than to send them.
_HAS_TRIALS_LEFT = chunk.c.trials_done < chunk.c.hi - chunk.c.lo
_OTHERS = chunk.c.sweep_id == sa.bindparam("of_sweep"), chunk.c.id != sa.bindparam("of_chunk")
_LACKING = sa.exists().where(trial_curve.c.sweep_id == sa.bindparam("of_sweep"), sa.not_(has_curve()))
_WAITING = sa.exists().where(*_OTHERS, chunk.c.state == ChunkState.PENDING, _HAS_TRIALS_LEFT)
_OWED = sa.select(sa.and_(_LACKING, sa.not_(_WAITING)).label("owed"))
_SHARING = (
    sa.select(chunk.c.id)
    .where(*_OTHERS, chunk.c.state == ChunkState.RUNNING, sa.not_(_HAS_TRIALS_LEFT))
    .order_by(chunk.c.id)
)


def owed_curves(connection: sa.Connection, sweep_id: int, chunk_id: int, ranking: Ranking) -> list[int]:
    """Return the trials whose curves a chunk has to work out, once its own are stored, before it ends.

    None while a chunk with trials left waits. Chunks in work without trials left share: each has a part of
    the ranking, so that neighbours, which often share a run, stay together.
    """
    which = {"of_sweep": sweep_id, "of_chunk": chunk_id}
    if not connection.execute(_OWED, which).scalar_one():
        return []
    records = leaders(connection, sweep_id, ranking)
    sharing = sorted([chunk_id, *connection.execute(_SHARING, which).scalars()])
    place, count = sharing.index(chunk_id), len(sharing)
    first, end = (len(records) * one // count for one in (place, place + 1))
    return [record.number for record in records[first:end] if not record.has_curve]
