"""Trials as they are stored: completed ones in the blocks that hold them, failed ones as rows.

A block holds the completed trials that one transaction stored, one row of `trial_block` for each column.
Completed trials never change, so blocks never do. All that is told of single trials is read here.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, cast

import numpy as np
import sqlalchemy as sa

from bot.config.run_key import KEY_BYTES
from bot.numbers.arrays import IntArray
from bot.numbers.numbering import occurring
from bot.statistics.trial_columns import UNDEFINED, DigestArray, MetricColumn, metric_values, no_values
from bot.statistics.trial_metrics import DIGEST_BYTES, METRICS, USUAL_METRICS, is_real, metrics_in
from sweeps.storage.blocks import NUMBER, RESULT, of_trials
from sweeps.storage.derived_columns import DERIVED, restored, with_inputs
from sweeps.storage.packing import PackedColumn, digest_at, holds_differences, unpacked, unpacked_digests
from sweeps.storage.states import TrialState
from sweeps.storage.tables import HEAD_BYTES, RUN_KEY_HEAD, RUN_KEY_TAIL, failed_trial, trial_block

LEDGER, REUSED_SWEEP, REUSED_NUMBER = "ledger", "reused_sweep", "reused_number"
_OF_ROWS = (REUSED_SWEEP, REUSED_NUMBER, *METRICS)
_OF_EACH = frozenset((NUMBER, RUN_KEY_HEAD, RUN_KEY_TAIL, REUSED_SWEEP, REUSED_NUMBER))
"""Columns that trials do not share: they are read without `RESULT`."""
ALL_COLUMNS = (NUMBER, RESULT, RUN_KEY_HEAD, RUN_KEY_TAIL, LEDGER, *_OF_ROWS)

_AT_ONCE = 50
"""Most blocks that are read by one statement."""


# Put together once: that takes longer than to send them.
_OF_BLOCKS = sa.and_(
    trial_block.c.sweep_id == sa.bindparam("of_sweep"),
    trial_block.c.name.in_(sa.bindparam("names", expanding=True)),
)
_COLUMNS = trial_block.c.first, trial_block.c.name, trial_block.c.data
_holder = trial_block.alias("holder").c
_BLOCKS_OF_TRIAL = sa.select(*_COLUMNS).where(
    _OF_BLOCKS,
    trial_block.c.first.in_(
        sa.select(_holder.first).where(
            _holder.sweep_id == sa.bindparam("of_sweep"),
            _holder.name == NUMBER,
            _holder.first <= sa.bindparam("number"),
            _holder.last >= sa.bindparam("number"),
        )
    ),
)
_BLOCKS_AT = sa.select(*_COLUMNS).where(
    _OF_BLOCKS, trial_block.c.first.in_(sa.bindparam("firsts", expanding=True))
)
_FAILED = (
    sa.select(failed_trial.c.number)
    .where(failed_trial.c.sweep_id == sa.bindparam("of_sweep"), failed_trial.c.number > sa.bindparam("after"))
    .order_by(failed_trial.c.number)
)


@dataclass(frozen=True, slots=True)
class _SomeTrials:
    """Places of some trials of a block and of their results, and the numbers of columns that were read."""

    places: Sequence[int]
    results: Sequence[int]
    numbers: dict[str, list[Any]] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class StoredBlock:
    """Completed trials that one transaction stored, each column unpacked where it is asked for.

    Trials that were stored before there was a column have none of its values.
    """

    sweep_id: int
    blobs: Mapping[str, bytes] = field(repr=False)
    _opened: dict[str, PackedColumn] = field(default_factory=dict, init=False, repr=False)
    _columns: dict[str, MetricColumn] = field(default_factory=dict, init=False, repr=False)

    @cached_property
    def numbers(self) -> IntArray:
        """Numbers of the trials, ascending."""
        found = unpacked([self.blobs[NUMBER]], real=False)
        return found.astype(np.int64, copy=False)

    def __len__(self) -> int:
        return len(self.numbers)

    @cached_property
    def _result_of(self) -> IntArray | None:
        """Places of the results of each trial among the block's; None where each has its own."""
        blob = self.blobs.get(RESULT)
        return None if blob is None else cast("IntArray", unpacked([blob], real=False))

    def metric(self, name: str) -> MetricColumn:
        """Return the column of a metric, or of another whole number; money in units of 1e-8."""
        if name not in self._columns:
            self._columns[name] = self._column(name)
        return self._columns[name]

    def _column(self, name: str) -> MetricColumn:
        blob = self.blobs.get(name)
        if blob is None:
            return no_values(name, len(self))
        column = of_trials(unpacked([blob], real=is_real(name)), self._result_of)
        if not holds_differences(blob):
            return column
        return restored(name, column, {one: self.metric(one) for one in DERIVED[name].inputs})

    @cached_property
    def metrics(self) -> Mapping[str, MetricColumn]:
        """Columns of all metrics, of those of hedges that are stored."""
        return {name: self.metric(name) for name in METRICS if name in USUAL_METRICS or name in self.blobs}

    @cached_property
    def key_array(self) -> DigestArray | None:
        """Run keys as bytes, shape (n, KEY_BYTES); None if there were none then."""
        head = self._digests(RUN_KEY_HEAD, HEAD_BYTES)
        tail = self._digests(RUN_KEY_TAIL, KEY_BYTES - HEAD_BYTES)
        return None if head is None or tail is None else np.hstack([head, tail])

    @cached_property
    def run_keys(self) -> Sequence[str | None]:
        """Hex run keys."""
        if self.key_array is None:
            return [None] * len(self)
        text, width = self.key_array.tobytes().hex(), 2 * KEY_BYTES
        return [text[at : at + width] for at in range(0, len(text), width)]

    @cached_property
    def ledgers(self) -> DigestArray | None:
        """Digests of what the accounts booked, shape (n, DIGEST_BYTES); None if there were none then."""
        return self._digests(LEDGER, DIGEST_BYTES)

    @cached_property
    def reused_from(self) -> Sequence[tuple[int, int] | None]:
        """Sweep and number of the trial that each was taken over from, None for one that was replayed."""
        if REUSED_SWEEP not in self.blobs:
            return [None] * len(self)
        pairs = zip(self.metric(REUSED_SWEEP).tolist(), self.metric(REUSED_NUMBER).tolist(), strict=True)
        return [None if sweep == UNDEFINED else (sweep, number) for sweep, number in pairs]

    def place(self, number: int) -> int | None:
        """Return the place of a trial among these, None if it is not among them."""
        at = int(np.searchsorted(self.numbers, number))
        return at if at < len(self) and self.numbers[at] == number else None

    def places(self, numbers: IntArray) -> list[int]:
        """Return the places of those of some trials, ascending, that are among these."""
        ends = np.searchsorted(numbers, self.numbers[[0, -1]])
        near = numbers[ends[0] : ends[1] + 1]
        at = np.minimum(np.searchsorted(self.numbers, near), len(self) - 1)
        found: list[int] = at[self.numbers[at] == near].tolist()
        return found

    def row(self, place: int) -> dict[str, Any]:
        """Return one trial as a row: what it is, and its metrics, money as Decimal."""
        return self.rows([place])[0]

    def rows(self, places: Sequence[int]) -> list[dict[str, Any]]:
        """Return some trials as rows, in this order."""
        some = self._some(places)
        columns = {name: self._values(name, some) for name in _OF_ROWS}
        numbers = self.numbers[list(places)].tolist()
        return [
            {
                "sweep_id": self.sweep_id,
                "number": number,
                "state": TrialState.COMPLETED,
                "error_code": None,
                "error": None,
                "run_key": self._run_key(place),
                LEDGER: self._digest(LEDGER, DIGEST_BYTES, place),
                **dict(zip(columns, values, strict=True)),
            }
            for place, number, values in zip(
                places, numbers, zip(*columns.values(), strict=True), strict=True
            )
        ]

    def metrics_of(self, place: int) -> dict[str, Any]:
        """Return the metrics of one trial by name, money as Decimal; those of hedges where it has them."""
        some = self._some([place])
        return metrics_in({name: self._values(name, some)[0] for name in METRICS})

    def _some(self, places: Sequence[int]) -> "_SomeTrials":
        results = places if self._result_of is None else self._result_of[list(places)].tolist()
        return _SomeTrials(places, results)

    def _values(self, name: str, some: "_SomeTrials") -> list[Any]:
        """Return some values of a column; single ones are many times cheaper than columns."""
        if name not in self.blobs:
            return [None] * len(some.places)
        return metric_values(name, self._numbers(name, some))

    def _numbers(self, name: str, some: "_SomeTrials") -> list[Any]:
        if name not in some.numbers:
            some.numbers[name] = self._read(name, some)
        return some.numbers[name]

    def _read(self, name: str, some: "_SomeTrials") -> list[Any]:
        column = self._opened.get(name)
        if column is None:
            column = self._opened[name] = PackedColumn(self.blobs[name])
        at = some.places if len(column) == len(self) else some.results
        if not holds_differences(self.blobs[name]):
            return list(map(column.real if is_real(name) else column.whole, at))
        inputs = {one: np.array(self._numbers(one, some)) for one in DERIVED[name].inputs}
        found: list[Any] = restored(name, np.array(list(map(column.whole, at))), inputs).tolist()
        return found

    def _run_key(self, place: int) -> str | None:
        head = self._digest(RUN_KEY_HEAD, HEAD_BYTES, place)
        tail = self._digest(RUN_KEY_TAIL, KEY_BYTES - HEAD_BYTES, place)
        return None if head is None or tail is None else (head + tail).hex()

    def _digest(self, name: str, width: int, place: int) -> bytes | None:
        blob = self.blobs.get(name)
        if self._result_of is not None and name == LEDGER:
            place = int(self._result_of[place])
        return None if blob is None else digest_at(blob, width, place)

    def _digests(self, name: str, width: int) -> DigestArray | None:
        blob = self.blobs.get(name)
        return None if blob is None else of_trials(unpacked_digests(blob, width), self._result_of)


def stored_rows(
    connection: sa.Connection, sweep_id: int, numbers: Sequence[int]
) -> dict[int, dict[str, Any]]:
    """Return the finished ones of some trials of a sweep as rows, by number."""
    if not numbers:
        return {}
    wanted = set(numbers)
    ordered = occurring(np.asarray(numbers, dtype=np.int64))
    found: dict[int, dict[str, Any]] = {}
    for block in blocks_with(connection, sweep_id, numbers):
        found.update((row["number"], row) for row in block.rows(block.places(ordered)))
    for row in failed_within(connection, sweep_id, min(wanted), max(wanted) + 1):
        if row["number"] in wanted:
            found[row["number"]] = row
    return found


def stored_row(
    connection: sa.Connection, sweep_id: int, number: int, names: Sequence[str] = ALL_COLUMNS
) -> dict[str, Any] | None:
    """Return a trial as a row with the columns named, None until it is finished."""
    for block in _read(connection, _BLOCKS_OF_TRIAL, sweep_id, names, number=number):
        place = block.place(number)
        if place is not None:
            return block.row(place)
    return next(iter(failed_within(connection, sweep_id, number, number + 1)), None)


def blocks_with(
    connection: sa.Connection, sweep_id: int, numbers: Sequence[int], names: Sequence[str] = ALL_COLUMNS
) -> Iterator[StoredBlock]:
    """Yield the blocks whose range holds one of these trials at least, with the columns named."""
    ordered = occurring(np.asarray(numbers, dtype=np.int64))
    ranges = _ranges(connection, sweep_id, int(ordered[0]), int(ordered[-1]) + 1)
    firsts = [
        first
        for first, last in ranges
        if np.searchsorted(ordered, first) < np.searchsorted(ordered, last, side="right")
    ]
    return blocks_at(connection, sweep_id, firsts, names)


def blocks_within(
    connection: sa.Connection, sweep_id: int, lo: int, hi: int, names: Sequence[str] = ALL_COLUMNS
) -> Iterator[StoredBlock]:
    """Yield the blocks with trials of [lo, hi), and others perhaps, with the columns named."""
    firsts = [first for first, _ in _ranges(connection, sweep_id, lo, hi)]
    return blocks_at(connection, sweep_id, firsts, names)


def blocks_at(
    connection: sa.Connection, sweep_id: int, firsts: Sequence[int], names: Sequence[str] = ALL_COLUMNS
) -> Iterator[StoredBlock]:
    """Yield the blocks that begin with these trials, with the columns named and their numbers."""
    for at in range(0, len(firsts), _AT_ONCE):
        yield from _read(connection, _BLOCKS_AT, sweep_id, names, firsts=firsts[at : at + _AT_ONCE])


def _read(
    connection: sa.Connection, query: sa.Select[Any], sweep_id: int, names: Sequence[str], **which: Any
) -> Iterator[StoredBlock]:
    """Yield the blocks that a query finds by one statement, with their numbers and the columns named."""
    asked = {NUMBER, *names} if _OF_EACH.issuperset(names) else {NUMBER, RESULT, *with_inputs(tuple(names))}
    rows = connection.execute(query, {"of_sweep": sweep_id, "names": sorted(asked), **which})
    found: dict[int, dict[str, bytes]] = {}
    for first, name, data in rows.all():  # at once: one by one they take a third longer
        found.setdefault(first, {})[name] = data
    for _, blobs in sorted(found.items()):
        yield StoredBlock(sweep_id, blobs)


def _ranges(connection: sa.Connection, sweep_id: int, lo: int, hi: int) -> list[tuple[int, int]]:
    """Return first and last trial of the blocks that may hold trials of [lo, hi)."""
    block = trial_block.c
    rows = connection.execute(
        sa.select(block.first, block.last)
        .where(block.sweep_id == sweep_id, block.name == NUMBER, block.first < hi, block.last >= lo)
        .order_by(block.first)
    )
    return [(first, last) for first, last in rows]


def failed_within(connection: sa.Connection, sweep_id: int, lo: int, hi: int) -> list[dict[str, Any]]:
    """Return the failed trials of [lo, hi) as rows of all columns, by number."""
    mine = failed_trial.c
    rows = connection.execute(
        sa.select(failed_trial)
        .where(mine.sweep_id == sweep_id, mine.number >= lo, mine.number < hi)
        .order_by(mine.number)
    )
    return [whole_row(dict(row)) for row in rows.mappings()]


def whole_row(failed: Mapping[str, Any]) -> dict[str, Any]:
    """Return a failed trial as rows are read: with its state, and nothing where others have results."""
    nothing = dict.fromkeys(("run_key", LEDGER, REUSED_SWEEP, REUSED_NUMBER, *METRICS))
    return {**failed, "state": TrialState.FAILED, **nothing}


def finished_within(connection: sa.Connection, sweep_id: int, lo: int, hi: int) -> set[int]:
    """Return the numbers in [lo, hi) of the trials that have completed or failed."""
    mine = failed_trial.c
    failed = sa.select(mine.number).where(mine.sweep_id == sweep_id, mine.number >= lo, mine.number < hi)
    found = set(connection.execute(failed).scalars())
    for block in blocks_within(connection, sweep_id, lo, hi, (NUMBER,)):
        start, end = np.searchsorted(block.numbers, (lo, hi))
        found.update(block.numbers[start:end].tolist())
    return found


def failed_numbers(
    connection: sa.Connection, sweep_id: int, *, after: int = -1, most: int | None = None
) -> IntArray:
    """Return the failed trials of a sweep by number: all, or up to `most` of those `after` a number."""
    query = _FAILED if most is None else _FAILED.limit(most)
    rows = connection.execute(query, {"of_sweep": sweep_id, "after": after})
    return np.fromiter(rows.scalars(), dtype=np.int64)
