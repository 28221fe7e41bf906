"""Chance of luck and plateau of each trial, known once the selection of a sweep is judged."""

from collections.abc import Mapping, Sequence
from threading import Lock
from typing import Any

import numpy as np
import sqlalchemy as sa

from bot.numbers.arrays import FloatArray, IntArray
from bot.statistics.trial_metrics import JUDGED, P_LUCK, PLATEAU
from sweeps.analysis.grouping import is_maximized
from sweeps.analysis.judged.cell_luck import chances_by, columns_in, columns_read
from sweeps.analysis.judged.judged_panels import made_report
from sweeps.analysis.plateau import grid_trials
from sweeps.spec.spec import SweepSpec
from sweeps.storage.blocks import Measured, measured
from sweeps.storage.stored_trials import failed_numbers
from sweeps.storage.tables import sweep

_SWEEPS_KEPT = 4
_kept: dict[tuple[Any, ...], tuple[IntArray, FloatArray]] = {}
_lock = Lock()


def with_judged(
    connection: sa.Connection, sweep_id: int, spec: SweepSpec, metrics: Sequence[str]
) -> Measured:
    """Return all completed trials of a sweep with metrics, those of `JUDGED` among them.

    These are NaN while the selection is not judged, and where a trial has none.
    """
    stored = [name for name in metrics if name not in JUDGED]
    done = measured(connection, sweep_id, stored, spec.guard)
    if len(stored) == len(metrics):
        return done
    columns = judged_columns(connection, sweep_id, spec, done.numbers)
    return Measured(done.numbers, {**done.values, **columns}, done.eligible)


def judged_columns(
    connection: sa.Connection,
    sweep_id: int,
    spec: SweepSpec,
    numbers: IntArray,
    rows: Sequence[Mapping[str, Any]] | None = None,
) -> dict[str, FloatArray]:
    """Return the columns of `JUDGED` of some completed trials, ascending; NaN where there is none.

    `rows` are their metrics where these have been read.
    """
    judged = made_report(connection, sweep_id, spec.validation) if len(numbers) else None
    if judged is None:
        return dict.fromkeys(JUDGED, np.full(len(numbers), np.nan))
    stored = columns_read(connection, sweep_id, spec, numbers) if rows is None else columns_in(rows)
    every, plateaus = _plateaus(connection, sweep_id, spec)
    return {
        P_LUCK: chances_by(judged, spec, numbers, stored),
        PLATEAU: plateaus[np.searchsorted(every, numbers)],
    }


def _plateaus(connection: sa.Connection, sweep_id: int, spec: SweepSpec) -> tuple[IntArray, FloatArray]:
    """Return the completed trials of an ended sweep and their plateaus, worked out once for several reads."""
    times = sa.select(sweep.c.created_ms, sweep.c.finished_ms).where(sweep.c.id == sweep_id)
    key = (str(connection.engine.url), sweep_id, *connection.execute(times).one())
    with _lock:
        found = _kept.get(key)
    if found is None:
        found = _worked_out(connection, sweep_id, spec)
        with _lock:
            _kept[key] = found
            while len(_kept) > _SWEEPS_KEPT:
                del _kept[next(iter(_kept))]
    return found


def _worked_out(connection: sa.Connection, sweep_id: int, spec: SweepSpec) -> tuple[IntArray, FloatArray]:
    metric = spec.objective.metric
    done = measured(connection, sweep_id, [metric], spec.guard)
    grid = grid_trials(
        spec,
        done.numbers,
        done.levels(metric),
        done.eligible,
        maximize=is_maximized(spec, metric),
        failed=failed_numbers(connection, sweep_id),
    )
    if grid is None:
        return done.numbers, np.full(len(done.numbers), np.nan)
    rows = grid.plateau_rows[: len(done.numbers)]
    return done.numbers, np.where(rows >= 0, done.floats(metric)[rows], np.nan)
