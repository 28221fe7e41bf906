"""Metrics of completed trials packed column by column, so that a million of them are read in one glance.

A block holds one metric of the trials that one transaction stored, and is written in that transaction.
Completed trials never change, so blocks never do: they are an index of the rows, and go with their sweep.
"""

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import compress
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import sqlalchemy as sa

from bot.numbers.money import MONEY_PLACES
from sweeps.spec.metrics import METRICS, MetricKind
from sweeps.storage.column_cache import ColumnCache
from sweeps.storage.states import TrialState
from sweeps.storage.stored_columns import Columns
from sweeps.storage.tables import trial_block

NUMBER = "number"
Column = npt.NDArray[np.int64] | npt.NDArray[np.float64]

_UNDEFINED = np.iinfo(np.int64).min
_WIDTH = 8
_column_cache = ColumnCache()


@dataclass(frozen=True, slots=True)
class Measured:
    """Completed trials by ascending number, with the metrics asked for; money in units of 1e-8."""

    numbers: npt.NDArray[np.int64]
    values: Mapping[str, Column]

    @classmethod
    def nothing(cls, metrics: Sequence[str]) -> "Measured":
        """Return the columns of no trial."""
        columns = {name: unpacked([], real=is_real(name)) for name in metrics}
        return cls(np.empty(0, dtype=np.int64), columns)

    def defined(self, metric: str) -> npt.NDArray[np.bool_]:
        """Return the mask of trials for which a metric has a value."""
        column = self.values[metric]
        return ~np.isnan(column) if is_real(metric) else column != _UNDEFINED

    def only(self, kept: npt.NDArray[np.bool_]) -> "Measured":
        """Return those of the trials that are kept."""
        return Measured(self.numbers[kept], {name: column[kept] for name, column in self.values.items()})

    def floats(self, metric: str) -> npt.NDArray[np.float64]:
        """Return a metric to draw it: rounded to float64, NaN where it is undefined."""
        column = self.values[metric]
        if is_real(metric):
            return column.astype(np.float64, copy=False)
        unit = 10**MONEY_PLACES if METRICS[metric] is MetricKind.MONEY else 1
        return np.where(self.defined(metric), column / unit, np.nan)


def is_real(metric: str) -> bool:
    """Return whether a metric is a float64 statistic; the others are whole numbers."""
    return METRICS.get(metric) is MetricKind.STATISTIC


def blocks_of(stored: Columns) -> list[dict[str, Any]]:
    """Return the completed ones of trials of one sweep, which one transaction is to store, as blocks."""
    completed = [state == TrialState.COMPLETED for state in stored["state"]]
    if not any(completed):
        return []
    columns = {name: list(compress(stored[name], completed)) for name in (NUMBER, *METRICS)}
    key = {"sweep_id": stored["sweep_id"][0], "first": columns[NUMBER][0]}
    return [{**key, "name": name, "data": packed(_column(name, values))} for name, values in columns.items()]


def measured(connection: sa.Connection, sweep_id: int, metrics: Sequence[str] = ()) -> Measured:
    """Return the completed trials of a sweep with these metrics."""
    names = dict.fromkeys((NUMBER, *metrics))
    rows = connection.execute(
        sa.select(trial_block.c.name, trial_block.c.first, trial_block.c.data)
        .where(trial_block.c.sweep_id == sweep_id, trial_block.c.name.in_(names))
        .order_by(trial_block.c.name, trial_block.c.first)
    )
    parts: dict[str, dict[int, bytes]] = {name: {} for name in names}
    for name, first, data in rows:
        parts[name][first] = data
    columns = {name: _column_of(name, blocks, parts[NUMBER]) for name, blocks in parts.items()}
    numbers = columns.pop(NUMBER).astype(np.int64, copy=False)
    if np.all(numbers[1:] > numbers[:-1]):
        return Measured(numbers, columns)
    order = np.argsort(numbers)
    return Measured(numbers[order], {name: column[order] for name, column in columns.items()})


def _column_of(name: str, blocks: Mapping[int, bytes], numbers: Mapping[int, bytes]) -> Column:
    """Return the blocks of a metric as one column, unpacked once while there is room to keep it.

    Trials that were stored before there was the metric have no block of it: it is undefined for them.
    """
    if blocks.keys() == numbers.keys():
        return _kept_column(list(blocks.values()), real=is_real(name))
    parts = [
        _kept_column([blocks[first]], real=is_real(name))
        if first in blocks
        else _column(name, [None] * len(_kept_column([those], real=False)))
        for first, those in numbers.items()
    ]
    return cast("Column", np.concatenate(parts))


def _kept_column(blobs: Sequence[bytes], *, real: bool) -> Column:
    return _column_cache.get(blobs, "real" if real else "whole", lambda: unpacked(blobs, real=real))


def packed(column: Column) -> bytes:
    """Return a column compressed: the first bytes of all values, then the second ones, and so on."""
    planes = column.view(np.uint8).reshape(-1, _WIDTH).T
    return zlib.compress(np.ascontiguousarray(planes).tobytes(), 1)


def unpacked(blobs: Sequence[bytes], *, real: bool) -> Column:
    """Return the columns of `blobs`, one after another."""
    planes = [np.frombuffer(zlib.decompress(blob), dtype=np.uint8).reshape(_WIDTH, -1) for blob in blobs]
    joined = np.empty((sum(part.shape[1] for part in planes), _WIDTH), dtype=np.uint8)
    at = 0
    for part in planes:
        joined[at : at + part.shape[1]] = part.T
        at += part.shape[1]
    flat = joined.reshape(-1)
    return flat.view(np.float64) if real else flat.view(np.int64)


def _column(name: str, values: Sequence[Any]) -> Column:
    if is_real(name):
        return np.array(values, dtype=np.float64)
    return np.array([_UNDEFINED if value is None else value for value in values], dtype=np.int64)
