"""Results that another trial has for the very same run: same parameters, data, engine and strategy."""

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from sweeps.spec.metrics import ALWAYS_KNOWN, METRICS
from sweeps.storage.states import TrialState
from sweeps.storage.tables import METRIC_COLUMNS, trial
from sweeps.work.replay import completed_row, run_hash

_KEYS_AT_ONCE = 500


def reused_rows(connection: sa.Connection, sweep_id: int, keys: Mapping[str, int]) -> list[dict[str, Any]]:
    """Return the rows of trials whose result another sweep has, each naming the trial that was replayed.

    Rows written before there were all of today's metrics are passed over: the trial is replayed instead.
    """
    rows: dict[int, dict[str, Any]] = {}
    by_hash = {run_hash(key): key for key in keys}
    hashes = list(by_hash)
    for first in range(0, len(hashes), _KEYS_AT_ONCE):
        some = hashes[first : first + _KEYS_AT_ONCE]
        for found in connection.execute(_completed(sweep_id, some)):
            if found.run_key in keys:
                number = keys[found.run_key]
                rows.setdefault(number, _taken_over(sweep_id, number, found))
    return list(rows.values())


def _completed(sweep_id: int, hashes: Sequence[int]) -> sa.Select[Any]:
    return (
        sa.select(
            trial.c.sweep_id,
            trial.c.number,
            trial.c.run_key,
            trial.c.ledger,
            trial.c.reused_sweep,
            trial.c.reused_number,
            *METRIC_COLUMNS.values(),
        )
        .where(trial.c.run_hash.in_(hashes), trial.c.state == TrialState.COMPLETED)
        .where(trial.c.sweep_id != sweep_id, METRIC_COLUMNS[ALWAYS_KNOWN].is_not(None))
        .order_by(trial.c.sweep_id, trial.c.number)
    )


def _taken_over(sweep_id: int, number: int, found: sa.Row[Any]) -> dict[str, Any]:
    metrics = {name: getattr(found, name) for name in (*METRICS, "ledger")}
    row = completed_row(sweep_id, number, found.run_key, metrics)
    first_run = (found.sweep_id, found.number)
    if found.reused_sweep is not None:
        first_run = (found.reused_sweep, found.reused_number)
    return row | {"reused_sweep": first_run[0], "reused_number": first_run[1]}
