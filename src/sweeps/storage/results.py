"""Results of trials made ready to be stored, so that the transaction that stores them is short."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import compress
from typing import Any, Self

import numpy as np
import sqlalchemy as sa

from bot.config.run_key import key_array
from bot.market_store.database import insert_or_skip
from bot.numbers.arrays import BoolArray, IntArray
from bot.numbers.planes import stacked
from bot.statistics.trial_columns import UNDEFINED, DigestArray, MetricColumn, TrialColumns, defined
from bot.statistics.trial_metrics import OF_HEDGES
from sweeps.storage.blocks import NUMBER, RESULT
from sweeps.storage.derived_columns import DERIVED, as_stored, with_inputs
from sweeps.storage.objective_ranks import UNRANKED, Ranking, trial_ranks
from sweeps.storage.packing import (
    begin_differently,
    compressed,
    numbered_digests,
    packed,
    packed_columns,
    packed_digests,
)
from sweeps.storage.stored_runs import digest_number
from sweeps.storage.stored_trials import LEDGER, REUSED_NUMBER, REUSED_SWEEP
from sweeps.storage.tables import (
    HEAD_BYTES,
    RUN_KEY_HEAD,
    RUN_KEY_TAIL,
    failed_trial,
    sweep_fingerprint,
    trial_block,
)

_MOST_RESULTS = 0.75
"""Different results, for each trial of a block, up to which they are stored once."""
_MAX_ERROR_LENGTH = 2_000
_MAX_CODE_LENGTH = 32  # of its column; a strategy may bring errors with codes of its own


@dataclass(frozen=True, slots=True, eq=False)
class CompletedTrials:
    """Completed trials of one sweep, column by column, in any order of their numbers.

    `run_keys` are bytes, shape (n, KEY_BYTES).
    `reused_from` names sweep and number of the trial that each was taken over from, None for one that was
    replayed; it is empty where all were.
    """

    numbers: IntArray
    run_keys: DigestArray
    columns: TrialColumns
    reused_from: Sequence[tuple[int, int] | None] = ()

    @classmethod
    def joined(cls, parts: Sequence[Self]) -> Self:
        """Return the trials of all parts by ascending number."""
        columns = TrialColumns.concatenated([part.columns for part in parts])
        reused: list[tuple[int, int] | None] = []
        if any(part.reused for part in parts):
            reused = [source for part in parts for source in part.reused_from or [None] * len(part)]
        if len(parts) == 1:
            numbers, keys = parts[0].numbers, parts[0].run_keys
        else:
            numbers = np.concatenate([np.empty(0, dtype=np.int64), *(part.numbers for part in parts)])
            keys = np.concatenate([key_array([]), *(part.run_keys for part in parts)])
        whole = cls(numbers, keys, columns, reused)
        return whole if np.all(numbers[1:] > numbers[:-1]) else whole.take(np.argsort(numbers, kind="stable"))

    def take(self, places: IntArray) -> Self:
        """Return the trials at these places, in this order."""
        return type(self)(
            self.numbers[places],
            self.run_keys[places],
            self.columns.take(places),
            [self.reused_from[place] for place in places.tolist()] if self.reused_from else (),
        )

    def __len__(self) -> int:
        return len(self.numbers)

    def blocks(self, sweep_id: int) -> list[dict[str, Any]]:
        """Return the trials as the rows of `trial_block` that are their record; their numbers ascend."""
        if not len(self):
            return []
        all_differ = begin_differently(self.run_keys)
        data = {
            NUMBER: compressed(self.numbers),
            RUN_KEY_HEAD: packed_digests(self.run_keys[:, :HEAD_BYTES], all_differ=all_differ),
            RUN_KEY_TAIL: packed_digests(self.run_keys[:, HEAD_BYTES:], all_differ=all_differ),
            **self._packed_results(),
        }
        if self.reused:
            nowhere = (UNDEFINED, UNDEFINED)
            sources = np.array([source or nowhere for source in self.reused_from], dtype=np.int64)
            data |= {REUSED_SWEEP: packed(sources[:, 0].copy()), REUSED_NUMBER: packed(sources[:, 1].copy())}
        place = {"sweep_id": sweep_id, "first": int(self.numbers[0]), "last": int(self.numbers[-1])}
        return [{**place, "name": name, "data": blob} for name, blob in data.items()]

    def _packed_results(self) -> dict[str, bytes]:
        """Return ledgers and metrics packed: those of trials that book the same once, where many do."""
        metrics, ledgers = dict(self._stored_metrics()), self.columns.ledgers
        names, values = list(metrics), stacked(list(metrics.values()))
        first, result_of = numbered_digests(ledgers)
        if len(first) > _MOST_RESULTS * len(self):
            return {
                LEDGER: packed_digests(ledgers),
                **_packed(names, values, np.ones(len(names), dtype=bool)),
            }
        found = {
            RESULT: packed(result_of),
            LEDGER: packed_digests(ledgers.take(first, axis=0), all_differ=True),
        }
        once = values.take(first, axis=1)
        shared = (once.take(result_of, axis=1) == values).all(axis=1)
        alike = set(compress(names, shared.tolist()))
        stand_once = np.array([alike.issuperset(with_inputs((name,))) for name in names])
        return found | _packed(names, once, stand_once) | _packed(names, values, ~stand_once)

    def _stored_metrics(self) -> Iterator[tuple[str, MetricColumn]]:
        """Yield the columns that are stored: none of hedges in which no trial has a value."""
        for name, column in self.columns.metrics.items():
            if name not in OF_HEDGES or defined(name, column).any():
                yield name, column

    @property
    def reused(self) -> int:
        """Number of trials whose results were taken over."""
        return sum(source is not None for source in self.reused_from)


def _packed(names: Sequence[str], values: IntArray, wanted: BoolArray) -> dict[str, bytes]:
    """Return those columns packed that are `wanted`, a row each as in `values`."""
    own = list(compress(names, wanted.tolist()))
    columns = packed_columns(as_stored(names, values, wanted), [name in DERIVED for name in own])
    return dict(zip(own, columns, strict=True))


@dataclass(frozen=True, slots=True)
class Results:
    """Results of one sweep ready to be stored: completed trials with their blocks, and rows of failed ones.

    `fingerprints` are those of the histories that the completed ones were replayed on.
    """

    sweep_id: int
    completed: CompletedTrials
    failed: Sequence[Mapping[str, Any]]
    fingerprints: Collection[str]
    blocks: Sequence[Mapping[str, Any]] = field(repr=False)

    @classmethod
    def of(
        cls,
        sweep_id: int,
        completed: Sequence[CompletedTrials] = (),
        *,
        failed: Sequence[Mapping[str, Any]] = (),
        fingerprints: Collection[str] = (),
    ) -> Self:
        """Return completed trials, and rows of failed ones, ready to be stored."""
        trials = CompletedTrials.joined(completed)
        return cls(sweep_id, trials, failed, fingerprints, trials.blocks(sweep_id))

    def __len__(self) -> int:
        return len(self.completed) + len(self.failed)

    @property
    def span(self) -> tuple[int, int]:
        """The lowest of their trials, and the number after the highest; two zeros without any."""
        numbers = self.completed.numbers[[0, -1]].tolist() if len(self.completed) else []
        numbers += [row["number"] for row in self.failed]
        return (min(numbers), max(numbers) + 1) if numbers else (0, 0)

    def without(self, numbers: Collection[int]) -> Self:
        """Return the results of trials that are not among `numbers`."""
        listed = self.completed.numbers.tolist()
        kept = [place for place, number in enumerate(listed) if number not in numbers]
        failed = [row for row in self.failed if row["number"] not in numbers]
        if len(kept) + len(failed) == len(self):
            return self
        completed = self.completed.take(np.array(kept, dtype=np.int64))
        return self.of(self.sweep_id, [completed], failed=failed, fingerprints=self.fingerprints)

    def best(self, ranking: Ranking) -> tuple[int, int] | None:
        """Return rank and number of the best trial, None if none that is eligible has a value."""
        ranks = self._ranks(ranking)
        if not len(ranks) or ranks.min() == UNRANKED:
            return None
        place = int(ranks.argmin())
        return int(ranks[place]), int(self.completed.numbers[place])

    def ranks(self, ranking: Ranking) -> dict[int, int]:
        """Return the rank of each completed trial by number."""
        ranks = self._ranks(ranking)
        return dict(zip(self.completed.numbers.tolist(), ranks.tolist(), strict=True))

    def _ranks(self, ranking: Ranking) -> IntArray:
        return trial_ranks(ranking, self.completed.columns.including(ranking.objective.metric))

    def store(self, connection: sa.Connection) -> None:
        """Store them; none of the trials may be stored already."""
        if self.failed:
            connection.execute(failed_trial.insert(), list(self.failed))
        if self.blocks:
            connection.execute(trial_block.insert(), list(self.blocks))
        if self.blocks and self.fingerprints:
            rows = [
                {"fingerprint": digest_number(one), "sweep_id": self.sweep_id} for one in self.fingerprints
            ]
            connection.execute(insert_or_skip(connection, sweep_fingerprint), rows)


def failed_row(sweep_id: int, number: int, code: str, message: str) -> dict[str, Any]:
    """Return the row of a trial without a result."""
    return {
        "sweep_id": sweep_id,
        "number": number,
        "error_code": code[:_MAX_CODE_LENGTH],
        "error": _storable(message)[:_MAX_ERROR_LENGTH],
    }


def _storable(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode().replace("\x00", "\\x00")
