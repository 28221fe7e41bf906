"""Results of trials made ready to be stored, so that the transaction that stores them is short."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Self

import numpy as np
import sqlalchemy as sa

from bot.market_store.bulk_insert import insert_columns
from bot.market_store.database import insert_or_skip
from bot.numbers.arrays import IntArray
from bot.statistics.trial_columns import TrialColumns, column_values
from sweeps.spec.metrics import Direction
from sweeps.spec.spec import Objective
from sweeps.storage.blocks import blocks_of
from sweeps.storage.states import TrialState
from sweeps.storage.tables import trial, trial_block

_HASH_DIGITS = 15
_MAX_ERROR_LENGTH = 2_000
_MAX_CODE_LENGTH = 32  # of its column; a strategy may bring errors with codes of its own
_EMPTY: Mapping[str, Any] = MappingProxyType(dict.fromkeys(trial.c.keys()))

Columns = Mapping[str, Sequence[Any]]


@dataclass(frozen=True, slots=True, eq=False)
class CompletedTrials:
    """Completed trials of one sweep, column by column, in any order of their numbers.

    `reused_from` names sweep and number of the trial that each was taken over from, None for one that was
    replayed; it is empty where all were.
    """

    numbers: IntArray
    run_keys: Sequence[str]
    columns: TrialColumns
    reused_from: Sequence[tuple[int, int] | None] = ()

    @classmethod
    def joined(cls, parts: Sequence[Self]) -> Self:
        """Return the trials of all parts by ascending number."""
        numbers = np.concatenate([np.empty(0, dtype=np.int64), *(part.numbers for part in parts)])
        keys = [key for part in parts for key in part.run_keys]
        reused = [source for part in parts for source in part.reused_from or [None] * len(part)]
        whole = cls(
            numbers,
            keys,
            TrialColumns.concatenated([part.columns for part in parts]),
            reused if any(reused) else (),
        )
        return whole.take(np.argsort(numbers, kind="stable"))

    def take(self, places: IntArray) -> Self:
        """Return the trials at these places, in this order."""
        listed = places.tolist()
        return type(self)(
            self.numbers[places],
            [self.run_keys[place] for place in listed],
            self.columns.take(places),
            [self.reused_from[place] for place in listed] if self.reused_from else (),
        )

    def __len__(self) -> int:
        return len(self.run_keys)

    def rows(self, sweep_id: int) -> dict[str, list[Any]]:
        """Return the trials as columns of their table, money as the whole units that it stores."""
        nothing = [None] * len(self)
        sources = [source or (None, None) for source in self.reused_from or nothing]
        return {
            "sweep_id": [sweep_id] * len(self),
            "number": self.numbers.tolist(),
            "state": [TrialState.COMPLETED] * len(self),
            "error_code": nothing,
            "error": nothing,
            "run_key": list(self.run_keys),
            "run_hash": [run_hash(key) for key in self.run_keys],
            "ledger": [digest.tobytes() for digest in self.columns.ledgers],
            "reused_sweep": [sweep for sweep, _ in sources],
            "reused_number": [number for _, number in sources],
            **{name: column_values(name, column) for name, column in self.columns.metrics.items()},
        }


@dataclass(frozen=True, slots=True)
class Results:
    """Rows by column, and blocks of the completed trials among them; all of one sweep."""

    columns: Columns
    blocks: Sequence[Mapping[str, Any]]

    @classmethod
    def of(
        cls,
        sweep_id: int,
        completed: Sequence[CompletedTrials] = (),
        *,
        failed: Sequence[Mapping[str, Any]] = (),
    ) -> Self:
        """Return completed trials, and rows of failed ones, ready to be stored."""
        columns: dict[str, list[Any]] = {
            column.name: [row[column.name] for row in failed] for column in trial.columns
        }
        trials = CompletedTrials.joined(completed)
        for name, values in trials.rows(sweep_id).items():
            columns[name] += values
        return cls(columns, blocks_of(sweep_id, trials.numbers, trials.columns.metrics))

    def __len__(self) -> int:
        return len(self.columns["number"])

    @property
    def failed(self) -> int:
        """Number of failed trials."""
        return self.columns["state"].count(TrialState.FAILED)

    @property
    def reused(self) -> int:
        """Number of trials whose results were taken over."""
        return sum(sweep is not None for sweep in self.columns["reused_sweep"])

    def best(self, objective: Objective) -> int | None:
        """Return the number of the best trial by `best_first`, None if the objective has no value."""
        sign = -1 if objective.direction is Direction.MAXIMIZE else 1
        listed = zip(self.columns[objective.metric], self.columns["number"], strict=True)
        ranked = ((sign * value, number) for value, number in listed if value is not None)
        return min(ranked, default=(0, None))[1]

    def store(self, connection: sa.Connection) -> int:
        """Store them, but for those that are there; return how many were not."""
        if not len(self):
            return 0
        stored = insert_columns(connection, trial, self.columns)
        if self.blocks:
            connection.execute(insert_or_skip(connection, trial_block), self.blocks)
        return stored


def run_hash(run_key: str) -> int:
    """Return the first 60 bits of a run key: enough to find it by, small enough for an index."""
    return int(run_key[:_HASH_DIGITS], 16)


def failed_row(sweep_id: int, number: int, code: str, message: str) -> dict[str, Any]:
    """Return the row of a trial without a result."""
    return {
        **_EMPTY,
        "sweep_id": sweep_id,
        "number": number,
        "state": TrialState.FAILED,
        "error_code": code[:_MAX_CODE_LENGTH],
        "error": _storable(message)[:_MAX_ERROR_LENGTH],
    }


def _storable(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode().replace("\x00", "\\x00")
