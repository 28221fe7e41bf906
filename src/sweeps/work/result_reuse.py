"""Results that another trial has for the very same run: same parameters, data, engine and strategy."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import groupby
from operator import itemgetter

import numpy as np
import sqlalchemy as sa

from bot.statistics.trial_columns import TrialColumns, defined
from sweeps.spec.metrics import ALWAYS_KNOWN
from sweeps.storage.results import CompletedTrials
from sweeps.storage.stored_trials import StoredBlock, blocks_at
from sweeps.work.run_index import BlockRef


def reused_trials(
    connection: sa.Connection,
    blocks: Sequence[BlockRef],
    keys: Mapping[str, int],
    needed: str = ALWAYS_KNOWN,
) -> CompletedTrials:
    """Return the trials, by their run key, whose result is in `blocks`, with the ones that were replayed.

    Of several results for a run that of the oldest sweep counts. Results without a value of the metric
    `needed` were stored before there were all of today's, and are passed over: the trial is replayed instead.
    """
    found: list[CompletedTrials] = []
    wanted = dict(keys)
    for block in _blocks(connection, blocks):
        places = [place for place, key in enumerate(block.run_keys) if key in wanted]
        if taken := _taken_over(block, places, wanted, needed):
            found.append(taken)
            for key in taken.run_keys:
                del wanted[key]
    return CompletedTrials.joined(found)


def _blocks(connection: sa.Connection, refs: Sequence[BlockRef]) -> Iterator[StoredBlock]:
    for sweep_id, group in groupby(refs, itemgetter(0)):
        yield from blocks_at(connection, sweep_id, [first for _, first in group])


def _taken_over(
    block: StoredBlock, places: Collection[int], numbers: Mapping[str, int], needed: str
) -> CompletedTrials | None:
    """Return the results at these places of a block for the trials with the same runs, None without any."""
    ledgers = block.ledgers
    if ledgers is None or not places:
        return None
    whole = defined(needed, block.metric(needed))
    by_key = {block.run_keys[place]: place for place in places if whole[place]}
    taken = np.array(list(by_key.values()), dtype=np.int64)
    keys = [key for key in by_key if key is not None]
    own = block.numbers[taken].tolist()
    sources = [block.reused_from[place] for place in taken.tolist()]
    return CompletedTrials(
        np.array([numbers[key] for key in keys], dtype=np.int64),
        keys,
        TrialColumns({name: column[taken] for name, column in block.metrics.items()}, ledgers[taken], {}),
        [source or (block.sweep_id, number) for source, number in zip(sources, own, strict=True)],
    )
