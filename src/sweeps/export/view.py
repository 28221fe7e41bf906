"""Export of a view as CSV: selected trials, in an order, with some metrics."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Unpack

import numpy as np
import sqlalchemy as sa

from bot.errors import InvalidInputError
from bot.notation import quoted
from bot.numbers.arrays import BoolArray, IntArray
from bot.statistics.trial_columns import exact_values
from bot.statistics.trial_metrics import JUDGED, METRICS
from sweeps.analysis.judged.judged_columns import with_judged
from sweeps.analysis.progress import get_spec
from sweeps.analysis.trial_places import TrialsAsked, Wanted, found_places
from sweeps.export.pages import METRIC_KINDS, PAGE_ROWS, Field, Kind, axis_field, shown_values
from sweeps.export.text import csv_header, csv_page
from sweeps.spec.spec import SweepSpec
from sweeps.storage.blocks import Measured
from sweeps.storage.states import TrialState

_EQUAL = "equal_trials"


@dataclass(frozen=True, slots=True)
class TrialsSeen:
    """Trials of a sweep in the order asked for, with columns of the metrics that are shown.

    `completed` masks those with a result, which stand at `rows` of `done`; `equal` counts those that each
    stands for, where equal results are one.
    """

    spec: SweepSpec
    columns: Sequence[str]
    numbers: IntArray
    done: Measured
    rows: IntArray
    completed: BoolArray
    equal: Sequence[int] | None

    def csv(self) -> Iterator[bytes]:
        """Yield a line of column names, and one for each trial, some at a time."""
        yield csv_header(self._fields())
        for first in range(0, len(self.numbers), PAGE_ROWS):
            yield csv_page(self._page(slice(first, first + PAGE_ROWS)))

    def _fields(self) -> list[Field]:
        names = {"number", "state", "eligible", _EQUAL, *self.columns}
        return [
            Field("number", Kind.WHOLE, None, "number"),
            *([] if self.equal is None else [Field(_EQUAL, Kind.WHOLE, None, _EQUAL)]),
            *(axis_field(axis, names) for axis in self.spec.axes),
            *(Field(name, METRIC_KINDS[METRICS[name]], "metrics", name) for name in self._of_run()),
            *(Field(name, Kind.REAL, "metrics", name) for name in self._judged()),
            Field("state", Kind.TEXT, None, "state"),
            Field("eligible", Kind.FLAG, None, "eligible"),
        ]

    def _of_run(self) -> list[str]:
        return [name for name in self.columns if name in METRICS]

    def _judged(self) -> list[str]:
        return [name for name in self.columns if name in JUDGED]

    def _page(self, part: slice) -> list[list[Any]]:
        numbers, completed = self.numbers[part], self.completed[part].tolist()
        cells = self.spec.space.cells_of(numbers)
        params = []
        for axis in self.spec.axes:
            values = shown_values(axis)
            params.append([values[at] for at in self.spec.space.positions(cells, axis.name).tolist()])
        rows = self.rows[part]

        def of_completed(values: Sequence[Any]) -> list[Any]:
            return [value if has else None for value, has in zip(values, completed, strict=True)]

        shown = [
            of_completed(exact_values(name, self.done.values[name][rows]))
            if len(self.done.numbers)
            else [None] * len(rows)
            for name in (*self._of_run(), *self._judged())
        ]
        may_win = self.done.eligible[rows] if len(self.done.numbers) else np.zeros(len(rows), dtype=np.bool_)
        states = [TrialState.COMPLETED.value if has else TrialState.FAILED.value for has in completed]
        equal = [] if self.equal is None else [list(self.equal[part])]
        eligible = [bool(can and has) for can, has in zip(may_win.tolist(), completed, strict=True)]
        return [numbers.tolist(), *equal, *params, *shown, states, eligible]


def trials_seen(
    connection: sa.Connection, sweep_id: int, columns: Sequence[str], **asked: Unpack[TrialsAsked]
) -> TrialsSeen:
    """Return all trials asked for, with `columns`: metrics, and always those known once a sweep is judged.

    Raises: UnknownSweepError, InvalidInputError.
    """
    spec = get_spec(connection, sweep_id)
    unknown = next((name for name in columns if name not in METRICS and name not in JUDGED), None)
    if unknown is not None:
        raise InvalidInputError.of("columns", f"{quoted(unknown)} is no metric")
    names = list(dict.fromkeys((*columns, *JUDGED)))
    found = found_places(connection, sweep_id, spec, Wanted.parse(spec, **asked))
    numbers = np.array([one.place.number for one in found], dtype=np.int64)
    done = with_judged(connection, sweep_id, spec, names)
    last = max(len(done.numbers) - 1, 0)
    rows = np.minimum(np.searchsorted(done.numbers, numbers), last)
    completed = done.numbers[rows] == numbers if len(done.numbers) else np.zeros(len(numbers), dtype=np.bool_)
    equal = [one.equal or 1 for one in found] if asked.get("distinct") else None
    return TrialsSeen(spec, names, numbers, done, rows, completed, equal)
