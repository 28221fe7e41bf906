"""Results that another trial has for the very same run: same parameters, data, engine and strategy."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import sqlalchemy as sa

from bot.statistics.trial_columns import TrialColumns
from sweeps.spec.metrics import ALWAYS_KNOWN
from sweeps.storage.results import CompletedTrials, run_hash
from sweeps.storage.states import TrialState
from sweeps.storage.tables import METRIC_COLUMNS, trial

_KEYS_AT_ONCE = 500


def reused_trials(connection: sa.Connection, sweep_id: int, keys: Mapping[str, int]) -> CompletedTrials:
    """Return the trials, by their run key, whose result another sweep has, with the ones that were replayed.

    Rows written before there were all of today's results are passed over: the trial is replayed instead.
    """
    found: dict[str, dict[str, Any]] = {}
    by_hash = {run_hash(key): key for key in keys}
    hashes = list(by_hash)
    for first in range(0, len(hashes), _KEYS_AT_ONCE):
        some = hashes[first : first + _KEYS_AT_ONCE]
        for row in connection.execute(_completed(sweep_id, some)).mappings():
            if row["run_key"] in keys:
                found.setdefault(row["run_key"], dict(row))
    rows = list(found.values())
    return CompletedTrials(
        np.array([keys[key] for key in found], dtype=np.int64),
        list(found),
        TrialColumns.of_values(rows, (row["ledger"] for row in rows)),
        [_first_run(row) for row in rows],
    )


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
        .where(trial.c.sweep_id != sweep_id)
        .where(METRIC_COLUMNS[ALWAYS_KNOWN].is_not(None), trial.c.ledger.is_not(None))
        .order_by(trial.c.sweep_id, trial.c.number)
    )


def _first_run(row: Mapping[str, Any]) -> tuple[int, int]:
    """Return sweep and number of the trial whose replay gave a result."""
    if row["reused_sweep"] is None:
        return row["sweep_id"], row["number"]
    return row["reused_sweep"], row["reused_number"]
