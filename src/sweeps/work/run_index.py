"""Index of stored runs in memory: the blocks of other sweeps that may hold a run, by the head of its key."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import sqlalchemy as sa

from bot.statistics.trial_columns import DigestArray
from sweeps.storage.packing import unpacked_digests
from sweeps.storage.stored_runs import blocks_over
from sweeps.storage.tables import HEAD_BYTES, RUN_KEY_HEAD, trial_block

MOST_RUNS = 2_000_000
"""Most runs that are remembered, those of the newest sweeps first, in 12 bytes each."""

BlockRef = tuple[int, int]
"""A block: its sweep, and the first of its trials."""


class RunIndex:
    """Runs that sweeps have stored over the histories which trials here read.

    Blocks never change, so each is read once; those that came since are read at the next chunk.
    """

    def __init__(self) -> None:
        self._sweep_id: int | None = None
        self._asked: set[str] = set()
        self._blocks: list[BlockRef] = []
        self._known: set[BlockRef] = set()
        self._heads = np.empty(0, dtype=np.uint64)
        self._places = np.empty(0, dtype=np.int32)

    def enter(self, sweep_id: int) -> None:
        """Begin a chunk of a sweep: what others have stored since the last one counts in it."""
        self._asked.clear()
        self._sweep_id = sweep_id

    def blocks(self, connection: sa.Connection, fingerprint: str, run_keys: DigestArray) -> list[BlockRef]:
        """Return the blocks of other sweeps that may hold runs over a history, the oldest sweeps' first."""
        self._update(connection, fingerprint)
        heads = _heads(run_keys[:, :HEAD_BYTES].tobytes())
        starts = np.searchsorted(self._heads, heads)
        ends = np.searchsorted(self._heads, heads, side="right")
        found: set[int] = set()
        for start, end in zip(starts[starts < ends].tolist(), ends[starts < ends].tolist(), strict=True):
            found.update(self._places[start:end].tolist())
        blocks = (self._blocks[place] for place in found)
        return sorted(ref for ref in blocks if ref[0] != self._sweep_id)

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
        """Add blocks, up to `MOST_RUNS` runs of them: those of older sweeps are passed over for good."""
        heads, places, total = [], [], 0
        block = trial_block.c
        self._known.update(new)
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
            total += len(heads[-1])
        if heads:
            self._add(np.concatenate(heads), np.concatenate(places))
        if len(self._heads) > MOST_RUNS:
            self._drop_oldest()

    def _add(self, heads: npt.NDArray[np.uint64], places: npt.NDArray[np.int32]) -> None:
        order = np.argsort(heads, kind="stable")
        at = np.searchsorted(self._heads, heads[order], side="right")
        self._heads = np.insert(self._heads, at, heads[order])
        self._places = np.insert(self._places, at, places[order])

    def _drop_oldest(self) -> None:
        """Keep the runs of the newest sweeps, and room for those to come."""
        sweeps = np.array([sweep_id for sweep_id, _ in self._blocks])[self._places]
        newest = np.argsort(-sweeps, kind="stable")[: MOST_RUNS * 3 // 4]
        kept = np.sort(newest)
        self._heads, self._places = self._heads[kept], self._places[kept]


def _heads(data: bytes) -> npt.NDArray[np.uint64]:
    return np.frombuffer(data, dtype=np.uint64)
