"""Reads about trials: pages in any order, single ones, stored curves."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Unpack

import numpy as np
import sqlalchemy as sa

from bot.accounting.trade_legs import with_legs
from bot.backtest.findings import RunFinding
from bot.backtest.result import Curve
from bot.market_store.loading import resolve_exchange
from bot.market_store.sql import refuse_reached, seal_times
from bot.numbers.arrays import FloatArray
from bot.statistics.trial_metrics import P_LUCK, PLATEAU
from sweeps.analysis.findings import trial_findings
from sweeps.analysis.judged.judged_columns import judged_columns
from sweeps.analysis.progress import bounded_id, bounded_limit, get_spec
from sweeps.analysis.ranking import Place
from sweeps.analysis.trial_places import TrialsAsked, Wanted, found_places
from sweeps.errors import UnknownSweepError
from sweeps.lifecycle.trial_marks import TrialMark, marks_of
from sweeps.spec.axis_positions import Numbers
from sweeps.spec.metrics import metrics_in
from sweeps.spec.read_pairs import exchanges_read
from sweeps.spec.spec import SweepSpec
from sweeps.storage.blocks import measured
from sweeps.storage.curves import StoredRecord
from sweeps.storage.leaderboard import has_curve
from sweeps.storage.row_cache import kept_rows
from sweeps.storage.states import TrialState
from sweeps.storage.stored_trials import failed_numbers, stored_row
from sweeps.storage.tables import RUN_KEY_HEAD, RUN_KEY_TAIL, is_shown, sweep, trial_curve


@dataclass(frozen=True, slots=True)
class TrialView:
    """One trial: varied parameters as JSON values, metrics (money as Decimal) or None until it completed.

    `ineligible` says why a completed trial cannot win, None if it can.
    `reused_from` names sweep and number of the trial that was replayed, where the result was taken over;
    `ledger` is the digest, as hex, of what its account booked; `findings` say what its numbers have to be
    read with, and are empty until it completed. `p_luck` and `plateau` are known once its sweep is judged.
    `equal` counts the trials of equal results that it stands for, where a list folds them into one.
    `mark` is what readers left on it.
    """

    number: int
    params: dict[str, Any]
    state: TrialState
    metrics: dict[str, Any] | None
    error_code: str | None
    error: str | None
    run_key: str | None
    reused_from: tuple[int, int] | None = None
    ledger: str | None = None
    findings: tuple[RunFinding, ...] = ()
    ineligible: str | None = None
    p_luck: float | None = None
    plateau: float | None = None
    equal: int | None = None
    mark: TrialMark | None = None

    @property
    def eligible(self) -> bool:
        """True if the trial can be ranked first."""
        return self.metrics is not None and self.ineligible is None


@dataclass(frozen=True, slots=True)
class TrialPage:
    """One page of finished trials; `next_cursor` is None on the last one."""

    trials: list[TrialView]
    next_cursor: str | None


def trial_page(
    connection: sa.Connection,
    sweep_id: int,
    *,
    limit: int = 100,
    cursor: str | None = None,
    **asked: Unpack[TrialsAsked],
) -> TrialPage:
    """Return finished trials in an order (a metric, an axis or `number`, `-` for descending).

    By default best first. Of several orders, by comma, each sorts what is equal in the ones before it. Over
    scenarios, by default those of the sweep, a metric ranks the trials that settings stand at before all
    others. By a metric, eligible trials come first in both directions; among them, and among the others,
    undefined values come last and equal ones by number.
    Raises: UnknownSweepError, InvalidInputError.
    """
    spec = get_spec(connection, sweep_id)
    wanted = Wanted.parse(spec, **asked)
    limit, order = bounded_limit(limit), wanted.cursor_order
    place = None if cursor is None else Place.parse(cursor, order)
    found = found_places(connection, sweep_id, spec, wanted, place, limit + 1)
    views = _views(connection, sweep_id, spec, [one.place.number for one in found[:limit]])
    views = [replace(view, equal=one.equal) for view, one in zip(views, found, strict=False)]
    return TrialPage(views, found[limit - 1].place.cursor(order) if len(found) > limit else None)


def finished_numbers(connection: sa.Connection, sweep_id: int) -> Numbers:
    """Return the trials of a sweep that completed or failed, ascending; raises UnknownSweepError."""
    get_spec(connection, sweep_id)
    completed = measured(connection, sweep_id).numbers
    return np.sort(np.concatenate([completed, failed_numbers(connection, sweep_id)]))


def _views(connection: sa.Connection, sweep_id: int, spec: SweepSpec, numbers: list[int]) -> list[TrialView]:
    rows = kept_rows(connection, sweep_id, numbers)
    return _with_findings(connection, sweep_id, spec, [_view(spec, rows[number]) for number in numbers])


def _with_findings(
    connection: sa.Connection, sweep_id: int, spec: SweepSpec, views: list[TrialView]
) -> list[TrialView]:
    completed = {view.number: view.metrics for view in views if view.metrics is not None}
    found = trial_findings(connection, sweep_id, spec, completed)
    numbers = sorted(completed)
    rows = [completed[number] for number in numbers]
    columns = judged_columns(connection, sweep_id, spec, np.array(numbers, dtype=np.int64), rows)
    marks = marks_of(connection, sweep_id, [view.number for view in views])
    judged = dict(
        zip(numbers, zip(*map(_known, (columns[P_LUCK], columns[PLATEAU])), strict=True), strict=True)
    )
    return [
        replace(
            view,
            findings=found.get(view.number, ()),
            p_luck=p_luck,
            plateau=plateau,
            mark=marks.get(view.number),
        )
        for view in views
        for p_luck, plateau in (judged.get(view.number, (None, None)),)
    ]


def _known(column: FloatArray) -> list[float | None]:
    return [None if math.isnan(value) else value for value in column.tolist()]


def one_trial(connection: sa.Connection, sweep_id: int, number: int) -> TrialView:
    """Return a trial, finished or not; raises UnknownSweepError if the sweep has none of that number."""
    return trial_with_spec(connection, sweep_id, number)[1]


def trial_with_spec(connection: sa.Connection, sweep_id: int, number: int) -> tuple[SweepSpec, TrialView]:
    """Return a trial as `one_trial` does, after the specification of its sweep."""
    spec = spec_of_trial(connection, sweep_id, number)
    row = kept_rows(connection, sweep_id, [number]).get(number)
    if row is None:
        pending = TrialView(number, spec.params(number), TrialState.PENDING, None, None, None, None)
        return spec, replace(pending, mark=marks_of(connection, sweep_id, [number]).get(number))
    [view] = _with_findings(connection, sweep_id, spec, [_view(spec, row)])
    return spec, view


def spec_of_trial(connection: sa.Connection, sweep_id: int, number: int) -> SweepSpec:
    """Return the specification of a sweep; raises UnknownSweepError if it has no trial of that number."""
    spec = get_spec(connection, sweep_id)
    if not 0 <= number < spec.trial_count:
        raise UnknownSweepError(f"sweep {sweep_id} has no trial {number}; it has {spec.trial_count}")
    return spec


@dataclass(frozen=True, slots=True)
class TrialHead:
    """A trial without its numbers, with the specification of its sweep.

    `recorded` says whether its curve and trades are stored, `error` why it failed.
    """

    spec: SweepSpec
    state: TrialState
    run_key: str | None
    error: str | None
    recorded: bool


def trial_head(connection: sa.Connection, sweep_id: int, number: int) -> TrialHead:
    """Return the head of a trial, finished or not; raises UnknownSweepError as `one_trial` does."""
    spec = spec_of_trial(connection, sweep_id, number)
    row = stored_row(connection, sweep_id, number, (RUN_KEY_HEAD, RUN_KEY_TAIL))
    if row is None:
        return TrialHead(spec, TrialState.PENDING, None, None, recorded=False)
    mine = trial_curve.c.sweep_id == sweep_id, trial_curve.c.number == number
    kept = sa.exists().where(*mine, has_curve())
    recorded = bool(connection.execute(sa.select(kept)).scalar_one())
    return TrialHead(spec, row["state"], row["run_key"], row["error"], recorded)


def stored_curve(connection: sa.Connection, sweep_id: int, number: int) -> Curve | None:
    """Return the stored equity curve of a trial, None if none was kept."""
    record = stored_record(connection, sweep_id, number)
    return None if record is None else record.curve


def stored_trades(connection: sa.Connection, sweep_id: int, number: int) -> list[dict[str, Any]] | None:
    """Return the stored round trips of a trial as in the result document, None if none were kept."""
    record = stored_record(connection, sweep_id, number)
    return None if record is None else [with_legs(trade) for trade in record.trade_documents]


def stored_record(
    connection: sa.Connection, sweep_id: int, number: int, seals: Mapping[str, int] | None = None
) -> StoredRecord | None:
    """Return the stored equity curve of a trial with its trades, still encoded; None if none was kept.

    Whoever reads several has read the `seals` before, by `seal_times`. Raises: SealedError if it reaches
    sealed days.
    """
    seals = seal_times(connection) if seals is None else seals
    if seals:
        config = spec_of_trial(connection, sweep_id, number).config(number)
        for exchange in exchanges_read(config):
            refuse_reached(seals, exchange or resolve_exchange(connection, None), config.end)
    found = connection.execute(
        sa.select(trial_curve.c.equity, trial_curve.c.trades)
        .join_from(trial_curve, sweep, sweep.c.id == trial_curve.c.sweep_id)
        .where(trial_curve.c.sweep_id == bounded_id(sweep_id), is_shown())
        .where(trial_curve.c.number == bounded_id(number + 1) - 1, has_curve())
    ).one_or_none()
    return None if found is None else StoredRecord(number, found.equity, found.trades)


def _view(spec: SweepSpec, row: Mapping[str, Any]) -> TrialView:
    completed = row["state"] is TrialState.COMPLETED
    metrics = metrics_in(row) if completed else None
    return TrialView(
        row["number"],
        spec.params(row["number"]),
        row["state"],
        metrics,
        row["error_code"],
        row["error"],
        row["run_key"],
        None if row["reused_sweep"] is None else (row["reused_sweep"], row["reused_number"]),
        None if row["ledger"] is None else row["ledger"].hex(),
        ineligible=None if metrics is None else spec.guard.refusal(metrics),
    )
