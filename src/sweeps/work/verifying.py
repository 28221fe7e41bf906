"""Verification of a sweep: trials are replayed one by one and compared with every stored number."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np
import sqlalchemy as sa

from bot import ENGINE_VERSION
from bot.errors import BotError
from bot.hedges.runs import AnyRun
from bot.statistics.trial_metrics import DIGEST_BYTES
from sweeps.analysis.progress import get_spec
from sweeps.analysis.queries import finished_numbers
from sweeps.errors import DataChangedError, UnknownSweepError
from sweeps.lifecycle.data_pin import check_pin
from sweeps.spec.metrics import LATER
from sweeps.spec.spec import SweepSpec
from sweeps.storage.curves import encode_curve, encode_trades, unpacked_record
from sweeps.storage.leaderboard import has_curve
from sweeps.storage.results import failed_row
from sweeps.storage.states import TrialState
from sweeps.storage.stored_trials import StoredBlock, stored_rows, whole_row
from sweeps.storage.tables import sweep, trial_curve
from sweeps.work.replay import WindowCache, replay_trial, replayed_alone

_WRITTEN_WITH = sa.select(sweep.c.engine_version, sweep.c.data_pin).where(
    sweep.c.id == sa.bindparam("of_sweep")
)
_TAKEN_OVER = ("reused_sweep", "reused_number")
_READ_AT_ONCE = 200
"""Trials read by one statement: neighbours share a block, which takes as long to open as 100 rows of it."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One stored value of a trial that its replay does not give, both as text."""

    number: int
    name: str
    stored: str
    replayed: str


@dataclass(frozen=True, slots=True)
class RowCompatibility:
    """Compatibility of a sweep's rows with data and engine at hand; `obstacle` is None if they are.

    `data_pin` names the history that they come from, None if it was not noted.
    """

    sweep_id: int
    spec: SweepSpec
    data_pin: str | None
    obstacle: str | None


def row_compatibility(connection: sa.Connection, sweep_id: int) -> RowCompatibility:
    """Return the compatibility of a sweep's rows with a replay; raises UnknownSweepError.

    Rows of another engine version are recognized, and so are market data that were changed since.
    """
    spec = get_spec(connection, sweep_id)
    found = connection.execute(_WRITTEN_WITH, {"of_sweep": sweep_id}).one_or_none()
    if found is None:  # deleted since its specification was read
        raise UnknownSweepError(f"there is no sweep {sweep_id}")
    obstacle = None
    if found.engine_version != ENGINE_VERSION:
        version = f"its rows were written by engine {found.engine_version}, this is {ENGINE_VERSION}"
        obstacle = f"{version}; clone it to compare the two"
    else:
        try:
            check_pin(connection, spec, found.data_pin)
        except DataChangedError as error:
            obstacle = str(error)
    return RowCompatibility(sweep_id, spec, found.data_pin, obstacle)


def drawn(connection: sa.Connection, sweep_id: int, sample: int | None, seed: int = 0) -> list[int]:
    """Return the finished trials to look at by number: `sample` of them, drawn by `seed`, or all."""
    numbers = finished_numbers(connection, sweep_id)
    if sample is not None and sample < len(numbers):
        numbers = np.sort(np.random.default_rng(seed).choice(numbers, sample, replace=False))
    found: list[int] = numbers.tolist()
    return found


def verify_trials(
    engine: sa.Engine, found: RowCompatibility, numbers: Iterable[int], windows: WindowCache
) -> Iterator[tuple[int, list[Difference]]]:
    """Yield each trial with what differs. Nothing that replays many trials at once is used."""
    waiting = iter(numbers)
    while some := list(islice(waiting, _READ_AT_ONCE)):
        with engine.connect() as connection:
            stored = stored_rows(connection, found.sweep_id, some)
            curves = _stored_curves(connection, found.sweep_id, some)
        for number in some:
            row, result = _replayed(found.sweep_id, found.spec, number, windows)
            differences = _differences(number, stored[number], row)
            if number in curves and result is not None:
                again = {"equity": encode_curve(result.curve), "trades": encode_trades(result.trades)}
                unpacked = {name: unpacked_record(blob) for name, blob in again.items()}
                differences += _differences(number, curves[number], unpacked)
            yield number, differences


def _replayed(
    sweep_id: int, spec: SweepSpec, number: int, windows: WindowCache
) -> tuple[dict[str, Any], AnyRun | None]:
    try:
        result = replay_trial(spec, number, windows)
        return replayed_row(sweep_id, number, result, windows), result
    except BotError as error:
        return whole_row(failed_row(sweep_id, number, error.code, error.message)), None


def replayed_row(sweep_id: int, number: int, result: AnyRun, windows: WindowCache) -> dict[str, Any]:
    """Return the row that a trial's run is read back as, money as Decimal.

    Raises: ResultRangeError if an amount does not fit it.
    """
    replayed = replayed_alone(number, result, windows)
    for refusal in replayed.refused:
        raise refusal.error
    blobs = {row["name"]: row["data"] for row in replayed.completed.blocks(sweep_id)}
    return StoredBlock(sweep_id, blobs).row(0)


def _stored_curves(
    connection: sa.Connection, sweep_id: int, numbers: Sequence[int]
) -> Mapping[int, dict[str, bytes]]:
    mine = sa.and_(trial_curve.c.sweep_id == sweep_id, trial_curve.c.number.in_(numbers), has_curve())
    query = sa.select(trial_curve.c.number, trial_curve.c.equity, trial_curve.c.trades).where(mine)
    return {
        row.number: {"equity": unpacked_record(row.equity), "trades": unpacked_record(row.trades)}
        for row in connection.execute(query)
    }


def _differences(number: int, stored: Mapping[str, Any], again: Mapping[str, Any]) -> list[Difference]:
    return [
        Difference(number, name, _text(stored[name]), _text(value))
        for name, value in again.items()
        if name not in _TAKEN_OVER and stored[name] != value and not _is_of_before(name, stored)
    ]


def _is_of_before(name: str, stored: Mapping[str, Any]) -> bool:
    """Return whether a row lacks a value because it was written before there were any."""
    if name == "ledger":
        return stored[name] is None
    return name in LATER and stored[LATER[name]] is None


def _text(value: Any) -> str:
    if isinstance(value, bytes):
        return value.hex() if len(value) == DIGEST_BYTES else f"{len(value)} bytes"
    return value.value if isinstance(value, TrialState) else str(value)
