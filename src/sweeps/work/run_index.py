"""Index of stored runs in memory: the blocks of other sweeps that may hold a run, by the head of its key."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import sqlalchemy as sa

from sweeps.storage.packing import unpacked_digests
from sweeps.storage.stored_runs import blocks_over
from sweeps.storage.stored_trials import HEAD_BYTES, RUN_KEY_HEAD
from sweeps.storage.tables import trial_block

MOST_RUNS = 2_000_000
"""Most runs that are remembered, those of the newest sweeps first, in 12 bytes each."""

BlockRef = tuple[int, int]
"""A block: its sweep, and the first of its trials."""


class RunIndex:
    """Runs that other sweeps have stored over the histories which trials of one sweep read.

    Blocks never change, so each is read once; those that came since are read at the next chunk.
    """

    def __init__(self) -> None:
        self._sweep_id: int | None = None
        self._asked: set[str] = set()
        self._forget()

    def _forget(self) -> None:
        self._blocks: list[BlockRef] = []
        self._known: set[BlockRef] = set()
        self._heads = np.empty(0, dtype=np.uint64)
        self._places = np.empty(0, dtype=np.int32)

    def enter(self, sweep_id: int) -> None:
        """Begin a chunk of a sweep: what others have stored since the last one counts in it."""
        self._asked.clear()
        if sweep_id != self._sweep_id:
            self._forget()
            self._sweep_id = sweep_id

    def blocks(self, connection: sa.Connection, fingerprint: str, run_keys: Sequence[str]) -> list[BlockRef]:
        """Return the blocks that may hold runs over a history, the oldest sweeps' first."""
        self._update(connection, fingerprint)
        heads = _heads(b"".join(bytes.fromhex(key[: 2 * HEAD_BYTES]) for key in run_keys))
        starts = np.searchsorted(self._heads, heads)
        ends = np.searchsorted(self._heads, heads, side="right")
        found: set[int] = set()
        for start, end in zip(starts[starts < ends].tolist(), ends[starts < ends].tolist(), strict=True):
            found.update(self._places[start:end].tolist())
        return sorted(self._blocks[place] for place in found)

    def _update(self, connection: sa.Connection, history: str) -> None:
        """Read what was stored over a history since it was asked about; once for each chunk."""
        if history in self._asked:
            return
        self._asked.add(history)
        block = trial_block.c
        query = blocks_over(history).where(block.sweep_id != self._sweep_id)
        rows = connection.execute(query.order_by(block.sweep_id.desc(), block.first))
        new = [ref for ref in map(tuple, rows) if ref not in self._known]
        if new:
            self._read(connection, new)

    def _read(self, connection: sa.Connection, new: Sequence[BlockRef]) -> None:
        """Add blocks until there are `MOST_RUNS` runs."""
        heads, places, total = [self._heads], [self._places], len(self._heads)
        block = trial_block.c
        for sweep_id, first in new:
            if total >= MOST_RUNS:
                break
            query = sa.select(block.data).where(block.sweep_id == sweep_id, block.first == first)
            data = connection.execute(query.where(block.name == RUN_KEY_HEAD)).scalar_one_or_none()
            if data is None:  # deleted meanwhile
                continue
            heads.append(_heads(unpacked_digests(data, HEAD_BYTES).tobytes()))
            places.append(np.full(len(heads[-1]), len(self._blocks), dtype=np.int32))
            self._blocks.append((sweep_id, first))
            self._known.add((sweep_id, first))
            total += len(heads[-1])
        joined = np.concatenate(heads)
        order = np.argsort(joined, kind="stable")
        self._heads, self._places = joined[order], np.concatenate(places)[order]


def _heads(data: bytes) -> npt.NDArray[np.uint64]:
    return np.frombuffer(data, dtype=np.uint64)
