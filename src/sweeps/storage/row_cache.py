"""Rows of completed trials, kept while there is room: they never change, and are asked for again."""

import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from sweeps.storage.blocks import CREATED_MS
from sweeps.storage.states import TrialState
from sweeps.storage.stored_trials import stored_rows

MOST_ROWS = 2_000
"""Most rows kept by a process, some 5 KB each: two pages of the largest size."""

Row = dict[str, Any]
SweepKey = tuple[sa.URL, int, int]
"""A sweep: its database, its id, and when it was created, since a database may be made anew."""


class RowCache:
    """Rows of completed trials by sweep and number; those used last stay. Safe across threads."""

    def __init__(self, most: int = MOST_ROWS) -> None:
        self._most = most
        self._rows: OrderedDict[tuple[SweepKey, int], Row] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._rows)

    def known(self, key: SweepKey, numbers: Sequence[int]) -> dict[int, Row]:
        """Return those of some trials of a sweep that are kept; they are not to be written to."""
        found = {}
        with self._lock:
            for number in numbers:
                row = self._rows.get((key, number))
                if row is not None:
                    self._rows.move_to_end((key, number))
                    found[number] = row
        return found

    def keep(self, key: SweepKey, rows: Mapping[int, Row]) -> None:
        """Keep rows, but those of failed trials, which may yet complete."""
        with self._lock:
            for number, row in rows.items():
                if row["state"] is TrialState.COMPLETED:
                    self._rows[key, number] = row
            while len(self._rows) > self._most:
                self._rows.popitem(last=False)


row_cache = RowCache()


def sweep_key(connection: sa.Connection, sweep_id: int, created_ms: int) -> SweepKey:
    """Return the key of a sweep among those of all databases."""
    return connection.engine.url, sweep_id, created_ms


def kept_rows(connection: sa.Connection, sweep_id: int, numbers: Sequence[int]) -> dict[int, Row]:
    """Return the finished ones of some trials of a sweep as rows, by number, each read once."""
    created_ms = connection.execute(CREATED_MS, {"of_sweep": sweep_id}).scalar()
    if created_ms is None:  # deleted meanwhile
        return {}
    key = sweep_key(connection, sweep_id, created_ms)
    known = row_cache.known(key, numbers)
    read = stored_rows(connection, sweep_id, [number for number in numbers if number not in known])
    row_cache.keep(key, read)
    return known | read
