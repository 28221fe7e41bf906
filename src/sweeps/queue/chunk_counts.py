"""Counters of a chunk brought in line with the trials that are stored, where its range has changed."""

from typing import Any

import numpy as np
import sqlalchemy as sa

from bot.selection.guard import GUARD_METRICS
from bot.statistics.trial_columns import UNDEFINED
from sweeps.storage.objective_ranks import UNRANKED, Ranking, trial_ranks
from sweeps.storage.stored_trials import REUSED_SWEEP, blocks_within, failed_within
from sweeps.storage.tables import chunk


def count_trials(connection: sa.Connection, sweep_id: int, chunk_id: int, ranking: Ranking) -> None:
    """Bring a chunk's counters and its best trial in line with the stored trials of its range."""
    mine = sa.and_(chunk.c.sweep_id == sweep_id, chunk.c.id == chunk_id)
    lo, hi = connection.execute(sa.select(chunk.c.lo, chunk.c.hi).where(mine)).one()
    counted = _counted(connection, sweep_id, range(lo, hi), ranking)
    connection.execute(chunk.update().where(mine).values(counted))


def _counted(connection: sa.Connection, sweep_id: int, numbers: range, ranking: Ranking) -> dict[str, Any]:
    lo, hi = numbers.start, numbers.stop
    names = {ranking.objective.metric, *GUARD_METRICS}
    failed = len(failed_within(connection, sweep_id, lo, hi))
    completed = reused = 0
    best = UNRANKED, hi
    for block in blocks_within(connection, sweep_id, lo, hi, (REUSED_SWEEP, *names)):
        inside = slice(*np.searchsorted(block.numbers, (lo, hi)).tolist())
        found = block.numbers[inside]
        completed += len(found)
        reused += int(np.count_nonzero(block.metric(REUSED_SWEEP)[inside] != UNDEFINED))
        ranks = trial_ranks(ranking, {name: block.metric(name)[inside] for name in names})
        best = min([best, *zip(ranks.tolist(), found.tolist(), strict=True)])
    known = best[0] != UNRANKED
    return {
        "trials_done": failed + completed,
        "trials_failed": failed,
        "trials_reused": reused,
        "best_rank": best[0] if known else None,
        "best_number": best[1] if known else None,
    }
