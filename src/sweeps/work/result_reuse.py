"""Reuse of results of identical runs in other sweeps: same parameters, data, engine and strategy."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from operator import itemgetter

import numpy as np
import sqlalchemy as sa

from bot.config.run_key import key_list
from bot.statistics.trial_columns import TrialColumns, defined
from sweeps.spec.metrics import ALWAYS_KNOWN
from sweeps.storage.results import CompletedTrials
from sweeps.storage.stored_trials import StoredBlock, blocks_at
from sweeps.work.run_index import BlockRef


def reused_trials(
    connection: sa.Connection,
    blocks: Sequence[BlockRef],
    keys: Mapping[bytes, int],
    needed: str = ALWAYS_KNOWN,
) -> CompletedTrials:
    """Return the trials, by their run key, whose result is in `blocks`, with the ones that were replayed.

    Of several results for a run that of the oldest sweep counts. Results without a value of the metric
    `needed` were stored before there were all of today's, and are passed over: the trial is replayed instead.
    """
    found: list[CompletedTrials] = []
    wanted = dict(keys)
    for block in _blocks(connection, blocks):
        if taken := _taken_over(block, wanted, needed):
            found.append(taken)
            for key in key_list(taken.run_keys):
                del wanted[key]
    return CompletedTrials.joined(found)


def _blocks(connection: sa.Connection, refs: Sequence[BlockRef]) -> Iterator[StoredBlock]:
    for sweep_id, group in groupby(refs, itemgetter(0)):
        yield from blocks_at(connection, sweep_id, [first for _, first in group])


def _taken_over(block: StoredBlock, numbers: Mapping[bytes, int], needed: str) -> CompletedTrials | None:
    """Return the results of a block for the trials `numbers` with the same runs, None without any."""
    ledgers, keys = block.ledgers, block.key_array
    if ledgers is None or keys is None:
        return None
    whole = defined(needed, block.metric(needed)).tolist()
    listed = key_list(keys)
    by_key = {key: place for place, key in enumerate(listed) if key in numbers and whole[place]}
    if not by_key:
        return None
    taken = np.array(list(by_key.values()), dtype=np.int64)
    own = block.numbers[taken].tolist()
    sources = [block.reused_from[place] for place in taken.tolist()]
    return CompletedTrials(
        np.array([numbers[key] for key in by_key], dtype=np.int64),
        keys[taken],
        TrialColumns({name: column[taken] for name, column in block.metrics.items()}, ledgers[taken], {}),
        [source or (block.sweep_id, number) for source, number in zip(sources, own, strict=True)],
    )
