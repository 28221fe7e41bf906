"""Curves of a sweep's best trials, shared among the chunks that end last.

While trials wait that nobody has begun, they may outdo the best; so curves are worked out by the chunks that
end after the last one was claimed.
"""

from collections.abc import Collection
from dataclasses import dataclass, field

import sqlalchemy as sa

from sweeps.storage.leaderboard import Ranking, has_curve, leaders
from sweeps.storage.states import ChunkState
from sweeps.storage.tables import chunk, trial_curve

# Put together once: that takes longer than to send them.
_HAS_TRIALS_LEFT = chunk.c.trials_done < chunk.c.hi - chunk.c.lo
_OTHERS = chunk.c.sweep_id == sa.bindparam("of_sweep"), chunk.c.id != sa.bindparam("of_chunk")
_LACKING = sa.exists().where(trial_curve.c.sweep_id == sa.bindparam("of_sweep"), sa.not_(has_curve()))
_WAITING = sa.exists().where(*_OTHERS, chunk.c.state == ChunkState.PENDING, _HAS_TRIALS_LEFT)
_STORED = sa.select(sa.func.sum(chunk.c.trials_done)).where(*_OTHERS).scalar_subquery()
_OWED = sa.select(sa.and_(_LACKING, sa.not_(_WAITING)).label("owed"), _STORED.label("stored"))
_SHARING = (
    sa.select(chunk.c.id)
    .where(*_OTHERS, chunk.c.state == ChunkState.RUNNING, sa.not_(_HAS_TRIALS_LEFT))
    .order_by(chunk.c.id)
)


@dataclass
class CurveShare:
    """Curves that a chunk has to work out, once its own trials are stored, before it ends.

    None while a chunk with trials left waits. Chunks in work without trials left share: each has a part of
    the ranking, so that neighbours, which often share a run, stay together. The ranking may be long: it is
    read again once other chunks share it, once they store trials, or at the end of what is known of it.
    With `given_up` the sweep is to go on without all curves that are still missing.
    """

    sweep_id: int
    chunk_id: int
    ranking: Ranking
    given_up: bool = False
    owed: list[int] = field(default_factory=list)
    _read_at: tuple[int | None, list[int]] | None = None

    def look(self, connection: sa.Connection, worked_out: Collection[int] = ()) -> list[int]:
        """Return the trials whose curves are `owed`, without those `worked_out` since the last look."""
        which = {"of_sweep": self.sweep_id, "of_chunk": self.chunk_id}
        owes, stored = connection.execute(_OWED, which).one()
        self.owed = [number for number in self.owed if number not in worked_out] if owes else []
        if owes:
            read_at = stored, sorted([self.chunk_id, *connection.execute(_SHARING, which).scalars()])
            if read_at != self._read_at or not self.owed:
                self._read_at, self.owed = read_at, self._part(connection, read_at[1])
        return self.owed

    def _part(self, connection: sa.Connection, sharing: list[int]) -> list[int]:
        """Return the trials without a curve of this chunk's part of the ranking."""
        records = leaders(connection, self.sweep_id, self.ranking)
        place, count = sharing.index(self.chunk_id), len(sharing)
        first, end = (len(records) * one // count for one in (place, place + 1))
        return [record.number for record in records[first:end] if not record.has_curve]
