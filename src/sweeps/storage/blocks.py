"""Metrics of completed trials packed column by column, so that a million of them are read in one glance.

A block holds one metric of the trials that one transaction stored, and is written in that transaction.
Completed trials never change, so blocks never do: they are an index of the rows, and go with their sweep.
"""

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import sqlalchemy as sa

from bot.numbers.arrays import FloatArray, IntArray
from bot.numbers.money import MONEY_PLACES
from bot.statistics.trial_columns import UNDEFINED, MetricColumn, defined
from bot.statistics.trial_metrics import METRICS, MetricKind, is_real
from sweeps.storage.column_cache import ColumnCache
from sweeps.storage.tables import trial_block

NUMBER = "number"

_WIDTH = 8
_column_cache = ColumnCache()


@dataclass(frozen=True, slots=True)
class Measured:
    """Completed trials by ascending number, with the metrics asked for; money in units of 1e-8."""

    numbers: IntArray
    values: Mapping[str, MetricColumn]

    @classmethod
    def nothing(cls, metrics: Sequence[str]) -> "Measured":
        """Return the columns of no trial."""
        columns = {name: unpacked([], real=is_real(name)) for name in metrics}
        return cls(np.empty(0, dtype=np.int64), columns)

    def defined(self, metric: str) -> npt.NDArray[np.bool_]:
        """Return the mask of trials for which a metric has a value."""
        return defined(metric, self.values[metric])

    def only(self, kept: npt.NDArray[np.bool_]) -> "Measured":
        """Return those of the trials that are kept."""
        return Measured(self.numbers[kept], {name: column[kept] for name, column in self.values.items()})

    def floats(self, metric: str) -> FloatArray:
        """Return a metric to draw it: rounded to float64, NaN where it is undefined."""
        column = self.values[metric]
        if is_real(metric):
            return column.astype(np.float64, copy=False)
        unit = 10**MONEY_PLACES if METRICS[metric] is MetricKind.MONEY else 1
        return np.where(self.defined(metric), column / unit, np.nan)


def blocks_of(sweep_id: int, numbers: IntArray, metrics: Mapping[str, MetricColumn]) -> list[dict[str, Any]]:
    """Return completed trials of one sweep, which one transaction is to store, as blocks."""
    if not len(numbers):
        return []
    key = {"sweep_id": sweep_id, "first": int(numbers[0])}
    columns = {NUMBER: numbers, **metrics}
    return [{**key, "name": name, "data": packed(column)} for name, column in columns.items()]


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


def _column_of(name: str, blocks: Mapping[int, bytes], numbers: Mapping[int, bytes]) -> MetricColumn:
    """Return the blocks of a metric as one column, unpacked once while there is room to keep it.

    Trials that were stored before there was the metric have no block of it: it is undefined for them.
    """
    if blocks.keys() == numbers.keys():
        return _kept_column(list(blocks.values()), real=is_real(name))
    parts = [
        _kept_column([blocks[first]], real=is_real(name))
        if first in blocks
        else _nothing(name, len(_kept_column([those], real=False)))
        for first, those in numbers.items()
    ]
    return cast("MetricColumn", np.concatenate(parts))


def _kept_column(blobs: Sequence[bytes], *, real: bool) -> MetricColumn:
    return _column_cache.get(blobs, "real" if real else "whole", lambda: unpacked(blobs, real=real))


def packed(column: MetricColumn) -> bytes:
    """Return a column compressed: the first bytes of all values, then the second ones, and so on."""
    planes = column.view(np.uint8).reshape(-1, _WIDTH).T
    return zlib.compress(np.ascontiguousarray(planes).tobytes(), 1)


def unpacked(blobs: Sequence[bytes], *, real: bool) -> MetricColumn:
    """Return the columns of `blobs`, one after another."""
    planes = [np.frombuffer(zlib.decompress(blob), dtype=np.uint8).reshape(_WIDTH, -1) for blob in blobs]
    joined = np.empty((sum(part.shape[1] for part in planes), _WIDTH), dtype=np.uint8)
    at = 0
    for part in planes:
        joined[at : at + part.shape[1]] = part.T
        at += part.shape[1]
    flat = joined.reshape(-1)
    return flat.view(np.float64) if real else flat.view(np.int64)


def _nothing(name: str, count: int) -> MetricColumn:
    """Return a metric that none of `count` trials has."""
    return np.full(count, np.nan) if is_real(name) else np.full(count, UNDEFINED, dtype=np.int64)
