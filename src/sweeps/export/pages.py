"""Finished trials page by page in order of their numbers, each page read in a transaction of its own."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
import sqlalchemy as sa

from bot.selection.guard import GUARD_METRICS, Guard
from bot.statistics.trial_columns import exact_values
from sweeps.spec.axes import Axis, as_number
from sweeps.spec.metrics import METRICS, MetricKind
from sweeps.spec.spec import SweepSpec
from sweeps.storage.states import TrialState
from sweeps.storage.stored_trials import blocks_within, failed_within
from sweeps.storage.tables import RUN_KEY_HEAD, RUN_KEY_TAIL

PAGE_ROWS = 2_000
_OWN = ("number", "state", "error_code", "error", "run_key")
_ELIGIBLE = "eligible"
_KEYS = (RUN_KEY_HEAD, RUN_KEY_TAIL)


class Kind(StrEnum):
    """Kind of the values of a column; every value may be absent."""

    WHOLE = "whole"
    REAL = "real"
    EXACT = "exact"
    TEXT = "text"
    FLAG = "flag"


@dataclass(frozen=True, slots=True)
class Field:
    """One column of an export: `group` is `params` or `metrics`, None for what a trial itself has.

    An axis that is named like another column is called `param_...`; `source` is its own name.
    """

    name: str
    kind: Kind
    group: str | None
    source: str


_TIMES = frozenset(("start", "end"))

Page = list[list[Any]]
"""The values of each field, one list a field."""

METRIC_KINDS = {
    MetricKind.MONEY: Kind.EXACT,
    MetricKind.COUNT: Kind.WHOLE,
    MetricKind.STATISTIC: Kind.REAL,
}


def export_fields(spec: SweepSpec) -> list[Field]:
    """Return the columns of a sweep's export: the trial, its varied parameters, its metrics."""
    taken = {*_OWN, _ELIGIBLE, *METRICS}
    own = [Field(name, Kind.WHOLE if name == "number" else Kind.TEXT, None, name) for name in _OWN]
    own.append(Field(_ELIGIBLE, Kind.FLAG, None, _ELIGIBLE))
    axes = [axis_field(axis, taken) for axis in spec.axes]
    metrics = [Field(name, METRIC_KINDS[METRICS[name]], "metrics", name) for name in spec.metrics()]
    return [*own, *axes, *metrics]


def axis_field(axis: Axis, taken: Collection[str]) -> Field:
    """Return the column of an axis, beside others whose names are `taken`."""
    name = f"param_{axis.name}" if axis.name in taken else axis.name
    return Field(name, _axis_kind(axis), "params", axis.name)


def export_pages(engine: sa.Engine, sweep_id: int, spec: SweepSpec) -> Iterator[Page]:
    """Yield the finished trials in the columns of `export_fields`, up to `PAGE_ROWS` at a time.

    Trials that finish meanwhile behind the page just read are left out.
    """
    axes, names = {axis.name: shown_values(axis) for axis in spec.axes}, spec.metrics()
    for lo in range(0, spec.trial_count, PAGE_ROWS):
        with engine.connect() as connection:
            columns = _columns(connection, sweep_id, names, lo, lo + PAGE_ROWS)
        if not columns[0]:
            continue
        cells = spec.space.cells_of(np.array(columns[0], dtype=np.int64))
        params = [
            [values[place] for place in spec.space.positions(cells, name).tolist()]
            for name, values in axes.items()
        ]
        metrics = columns[len(_OWN) :]
        yield [
            *columns[: len(_OWN)],
            _eligible(spec.guard, dict(zip(names, metrics, strict=True))),
            *params,
            *metrics,
        ]


def _eligible(guard: Guard, named: Mapping[str, Sequence[Any]]) -> list[bool]:
    """Return which trials of a page are eligible, given their metrics by name."""
    rows = zip(*(named[name] for name in GUARD_METRICS), strict=True)
    return [
        row[0] is not None and guard.refusal(dict(zip(GUARD_METRICS, row, strict=True))) is None
        for row in rows
    ]


def _columns(
    connection: sa.Connection, sweep_id: int, names: Sequence[str], lo: int, hi: int
) -> list[list[Any]]:
    """Return the finished trials of [lo, hi) by number: a list for each of `_OWN` and each metric."""
    columns: list[list[Any]] = [[] for _ in (*_OWN, *names)]
    for block in blocks_within(connection, sweep_id, lo, hi, (*_KEYS, *names)):
        inside = slice(*np.searchsorted(block.numbers, (lo, hi)).tolist())
        numbers = block.numbers[inside].tolist()
        nothing = [None] * len(numbers)
        own = [numbers, [TrialState.COMPLETED.value] * len(numbers), nothing, nothing, block.run_keys[inside]]
        metrics = [exact_values(name, block.metric(name)[inside]) for name in names]
        for column, values in zip(columns, [*own, *metrics], strict=True):
            column.extend(values)
    for row in failed_within(connection, sweep_id, lo, hi):
        for column, name in zip(columns, (*_OWN, *names), strict=True):
            column.append(row[name])
    order = np.argsort(columns[0]).tolist()
    return [[column[place] for place in order] for column in columns]


def _axis_kind(axis: Axis) -> Kind:
    values = [value for value, label in zip(axis.values, axis.labels, strict=True) if label is not None]
    if all(isinstance(value, bool) for value in values):
        return Kind.FLAG
    if axis.name in _TIMES or any(as_number(value) is None for value in values):
        return Kind.TEXT
    return Kind.WHOLE if all(isinstance(value, int) for value in values) else Kind.EXACT


def shown_values(axis: Axis) -> list[Any]:
    """Return the values as numbers where they are numbers, else as the text of their labels."""
    kind = _axis_kind(axis)
    return [
        None if label is None else _text(label) if kind is Kind.TEXT else value
        for value, label in zip(axis.values, axis.labels, strict=True)
    ]


def _text(label: Any) -> str:
    return " ".join(map(str, label)) if isinstance(label, list) else str(label)
