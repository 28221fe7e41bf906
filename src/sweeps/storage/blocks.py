"""Metrics of completed trials packed column by column, so that a million of them are read at once.

A block holds one column of the trials that one transaction stored: `sweeps.storage.stored_trials` reads
single trials from them, here whole columns are read.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar, cast

import numpy as np
import numpy.typing as npt
import sqlalchemy as sa

from bot.numbers.arrays import BoolArray, FloatArray, IntArray
from bot.numbers.money import MONEY_PLACES
from bot.selection.distinct import TrialSet
from bot.selection.guard import GUARD_METRICS, Guard
from bot.selection.settings import USUAL
from bot.statistics.trial_columns import MetricColumn, defined, no_values
from bot.statistics.trial_metrics import METRICS, MetricKind, is_real
from sweeps.storage.column_cache import ColumnCache
from sweeps.storage.derived_columns import DERIVED, restored, with_inputs
from sweeps.storage.packing import holds_differences, unpacked
from sweeps.storage.tables import sweep, trial_block

NUMBER = "number"
"""The column of the trials' numbers."""
RESULT = "result"
"""The column that says which of the results of its block each trial has, where many of them share theirs.

Beside it, ledgers stand once for each result, and so do metrics that trials of one result have in common.
"""
USUAL_GUARD = Guard.of(USUAL)
"""Guard of a sweep that says nothing about it."""

_EXACT = 2**53
"""Largest whole number up to which float64 holds every one."""

_BLOCKS_AT_ONCE = 32
"""Most blocks whose columns are looked at together: some 4 MB, where all of a million trials take 32."""

_FEW_BLOCKS = 4
"""Most blocks of a column up to which all columns that are asked for are read by one statement."""

_column_cache = ColumnCache()
NOTHING_KEPT = ColumnCache(most_bytes=0)
"""For who reads the columns of a sweep once, and goes on with others."""

_OF_COLUMNS = sa.and_(
    trial_block.c.sweep_id == sa.bindparam("of_sweep"),
    trial_block.c.name.in_(sa.bindparam("names", expanding=True)),
)
_BLOCKS_OF_COLUMNS = sa.select(trial_block.c.name, trial_block.c.first, trial_block.c.data).where(_OF_COLUMNS)
_NUMBERS = sa.select(trial_block.c.data).where(
    trial_block.c.sweep_id == sa.bindparam("of_sweep"), trial_block.c.name == NUMBER
)
_SIZE = sa.func.length(trial_block.c.data)
_MARKS_OF_COLUMNS = (
    sa.select(
        trial_block.c.name,
        trial_block.c.first,
        trial_block.c.last,
        _SIZE,
        sa.func.substr(trial_block.c.data, _SIZE - 3),
    )
    .where(_OF_COLUMNS)
    .order_by(trial_block.c.name, trial_block.c.first)
)
CREATED_MS = sa.select(sweep.c.created_ms).where(sweep.c.id == sa.bindparam("of_sweep"))
"""Time at which the sweep `of_sweep` was created, ms UTC."""

Stored = TypeVar("Stored", bound=npt.NDArray[Any])

BlockMark = tuple[tuple[int, bytes] | None, tuple[int, bytes]]
"""Packed size of a block, and the checksum of the contents with which zlib ends; None if it is not there.

Beside them stand those of the numbers of its trials."""


@dataclass(frozen=True, slots=True)
class Measured:
    """Completed trials by ascending number, with the metrics asked for; money in units of 1e-8.

    `trials` are their numbers, or the set of these, which takes an eighth. `eligible` masks those that the
    guard lets win.
    """

    trials: IntArray | TrialSet
    values: Mapping[str, MetricColumn]
    eligible: BoolArray

    def __len__(self) -> int:
        return len(self.eligible)

    @property
    def numbers(self) -> IntArray:
        """The numbers of the trials, of a set put together anew."""
        return self.trials.numbers if isinstance(self.trials, TrialSet) else self.trials

    def number(self, place: int) -> int:
        """Return the number of the trial at a place."""
        return self.trials.at(place) if isinstance(self.trials, TrialSet) else int(self.trials[place])

    def place(self, number: int) -> int:
        """Return the place of one of the trials."""
        if isinstance(self.trials, TrialSet):
            return self.trials.below(number)
        return int(np.searchsorted(self.trials, number))

    def among(self, others: TrialSet) -> BoolArray:
        """Return which of the trials are among others."""
        mine = self.trials.pieces() if isinstance(self.trials, TrialSet) else [self.trials]
        return np.concatenate([np.empty(0, dtype=np.bool_), *map(others.has, mine)])

    @classmethod
    def nothing(cls, metrics: Sequence[str]) -> "Measured":
        """Return the columns of no trial."""
        columns = {name: no_values(name, 0) for name in metrics}
        return cls(np.empty(0, dtype=np.int64), columns, np.empty(0, dtype=np.bool_))

    def defined(self, metric: str) -> npt.NDArray[np.bool_]:
        """Return the mask of trials for which a metric has a value."""
        return defined(metric, self.values[metric])

    def only(self, kept: npt.NDArray[np.bool_]) -> "Measured":
        """Return those of the trials that are kept."""
        places = np.flatnonzero(kept)  # a mask costs each column three times as much
        values = {name: column[places] for name, column in self.values.items()}
        return Measured(self.numbers[places], values, self.eligible[places])

    def levels(self, metric: str) -> FloatArray:
        """Return float64 numbers in the order of a metric's values, NaN where it is undefined.

        Whole values stand in units as long as float64 holds them exactly, then at their places among all:
        large amounts that differ by a unit are not equal.
        """
        column = self.values[metric]
        if is_real(metric):
            return column.astype(np.float64, copy=False)
        known = self.defined(metric)
        lowest, highest = column.min(initial=0, where=known), column.max(initial=0, where=known)
        found: FloatArray = column.astype(np.float64)
        if max(-int(lowest), int(highest)) > _EXACT:
            found[known] = np.unique(column[known], return_inverse=True)[1]
        found[~known] = np.nan
        return found

    def floats(self, metric: str, some: slice = slice(None)) -> FloatArray:
        """Return a metric of some trials to draw it: rounded to float64, NaN where it is undefined."""
        column = self.values[metric][some]
        if is_real(metric):
            return column.astype(np.float64, copy=False)
        unit = 10**MONEY_PLACES if METRICS[metric] is MetricKind.MONEY else 1
        return np.where(defined(metric, column), column / unit, np.nan)


def completed_numbers(connection: sa.Connection, sweep_id: int) -> Iterator[IntArray]:
    """Yield the numbers of the completed trials of a sweep, block by block."""
    for (data,) in connection.execute(_NUMBERS, {"of_sweep": sweep_id}):
        yield cast("IntArray", unpacked([data], real=False))


def of_trials(column: Stored, result_of: npt.NDArray[np.integer[Any]] | None) -> Stored:
    """Return a stored column with a row for each trial; one with fewer rows has them for each result."""
    # A column whose trials of one result differ has as many rows as there are trials.
    if result_of is None or len(column) == len(result_of):
        return column
    return cast("Stored", column[result_of])


def measured(
    connection: sa.Connection,
    sweep_id: int,
    metrics: Sequence[str] = (),
    guard: Guard = USUAL_GUARD,
    *,
    kept: ColumnCache | None = None,
    known: TrialSet | None = None,
) -> Measured:
    """Return the completed trials of a sweep with these metrics.

    Which blocks there are is asked each time; their contents are read once while there is room for them in
    `kept`, by default that of the process. Numbers are not read where all these trials are `known`.
    """
    cache = _column_cache if kept is None else kept
    marks, room, apart = _marks(connection, sweep_id, list(dict.fromkeys((NUMBER, *metrics))))
    if not marks[NUMBER]:
        return Measured.nothing(metrics)
    created_ms = connection.execute(CREATED_MS, {"of_sweep": sweep_id}).scalar()
    key = connection.engine.url, sweep_id, created_ms
    together = (*marks, RESULT, *GUARD_METRICS) if len(marks[NUMBER]) <= _FEW_BLOCKS else ()
    blocks = _Blocks(connection, sweep_id, together)
    try:
        # What takes most memory beside what it leaves comes first, and numbers last.
        able = cache.get((*key, guard), marks[NUMBER], lambda wanted: _eligible(blocks, guard, wanted), room)
        columns = {
            name: cache.get((*key, name), marks[name], _reader(blocks, name, marks[name]), room)
            for name in dict.fromkeys(metrics)
        }
        if known is not None and apart and len(known) == len(able):  # as completed trials never go
            return Measured(known, columns, able)
        own = marks[NUMBER]
        numbers = cast("IntArray", cache.get((*key, NUMBER), own, _reader(blocks, NUMBER, own), room))
    except KeyError:  # its blocks have been deleted meanwhile, and so has the sweep
        return Measured.nothing(metrics)
    if np.all(numbers[1:] > numbers[:-1]):
        return Measured(numbers, columns, able)
    order = np.argsort(numbers)
    return Measured(numbers[order], {name: column[order] for name, column in columns.items()}, able[order])


class _Blocks:
    """Blocks of a sweep that are read as they are asked for; those of the columns `together` at once."""

    def __init__(self, connection: sa.Connection, sweep_id: int, together: Sequence[str]) -> None:
        self._connection = connection
        self._sweep_id = sweep_id
        self._together = with_inputs(tuple(together))
        self._held: dict[str, dict[int, bytes]] | None = None
        self._results: dict[int, npt.NDArray[np.signedinteger[Any]] | None] = {}

    def read(
        self, name: str, wanted: Sequence[int], known: dict[str, dict[int, MetricColumn]] | None = None
    ) -> dict[int, MetricColumn]:
        """Return blocks of a column, in the order of their first trial; those between are passed over.

        `known` are the columns of the same blocks that were read for another that follows from this one.
        """
        if not wanted:
            return {}
        if known is not None and name in known:
            return known[name]
        asked = set(wanted)
        self._read_results([] if name == NUMBER else [one for one in wanted if one not in self._results])
        packed = {first: data for first, data in self._packed(name, wanted).items() if first in asked}
        found = {
            first: of_trials(unpacked([data], real=is_real(name)), self._results.get(first))
            for first, data in packed.items()
        }
        differing = [first for first in wanted if first in packed and holds_differences(packed[first])]
        for at in range(0, len(differing), _BLOCKS_AT_ONCE):
            some = differing[at : at + _BLOCKS_AT_ONCE]
            inputs = {} if known is None or len(some) < len(wanted) else known
            for one in DERIVED[name].inputs:
                inputs[one] = self.read(one, some, inputs)
            for first in some:
                own = {one: inputs[one][first] for one in DERIVED[name].inputs}
                found[first] = restored(name, found[first], own)
        return found

    def _read_results(self, wanted: Sequence[int]) -> None:
        """Read which result each trial of some blocks has."""
        if not wanted:
            return
        packed = self._packed(RESULT, wanted)
        for first in wanted:
            known = unpacked([packed[first]], real=False) if first in packed else None
            self._results[first] = None if known is None else known.astype(_places_type(len(known)))

    def _packed(self, name: str, wanted: Sequence[int]) -> dict[int, bytes]:
        if name not in self._together:
            block = trial_block.c
            rows = self._connection.execute(
                sa.select(block.first, block.data).where(
                    block.sweep_id == self._sweep_id,
                    block.name == name,
                    block.first.between(wanted[0], wanted[-1]),
                )
            )
            return {first: data for first, data in rows}  # noqa: C416 - rows are no pairs to the type checker
        if self._held is None:
            self._held = {one: {} for one in self._together}
            of_these = {"of_sweep": self._sweep_id, "names": sorted(self._together)}
            for column, first, data in self._connection.execute(_BLOCKS_OF_COLUMNS, of_these):
                self._held[column][first] = data
        return self._held[name]


def _places_type(count: int) -> type[np.signedinteger[Any]]:
    """Return the narrowest type of places among so many."""
    return np.int16 if count <= np.iinfo(np.int16).max else np.int32


def _eligible(blocks: _Blocks, guard: Guard, wanted: list[int]) -> Mapping[int, BoolArray]:
    """Return which trials of some blocks are eligible: one byte each, in place of four columns."""
    found: dict[int, BoolArray] = {}
    for at in range(0, len(wanted), _BLOCKS_AT_ONCE):
        some = wanted[at : at + _BLOCKS_AT_ONCE]
        columns = {name: blocks.read(name, some) for name in GUARD_METRICS}
        for first in some:
            found[first] = guard.eligible({name: column[first] for name, column in columns.items()})
    return found


def _marks(
    connection: sa.Connection, sweep_id: int, names: Sequence[str]
) -> tuple[dict[str, dict[int, BlockMark]], int, bool]:
    """Return a mark of each block of the columns, by its first trial.

    Beside them stands how many trials they may have, and whether no block begins within another. Trials that
    were stored before there was a metric have no block of it.
    """
    rows = connection.execute(_MARKS_OF_COLUMNS, {"of_sweep": sweep_id, "names": names})
    found: dict[str, dict[int, tuple[int, bytes]]] = {name: {} for name in names}
    room, apart = 0, True
    for name, first, last, length, checksum in rows:
        found[name][first] = length, bytes(checksum)
        if name == NUMBER:
            room, apart = max(room, last + 1), apart and first >= room
    numbers = found[NUMBER].items()
    marks = {name: {first: (found[name].get(first), own) for first, own in numbers} for name in names}
    return marks, room, apart


def _reader(
    blocks: _Blocks, name: str, marks: Mapping[int, BlockMark]
) -> Callable[[list[int]], Mapping[int, MetricColumn]]:
    """Return the reader of some blocks of a column, undefined where they are not there."""

    def read(wanted: list[int]) -> dict[int, MetricColumn]:
        found = blocks.read(name, [first for first in wanted if marks[first][0]])
        those = blocks.read(NUMBER, [first for first in wanted if not marks[first][0]])
        return found | {first: no_values(name, len(numbers)) for first, numbers in those.items()}

    return read
