"""Reads about trials: pages in any order, single ones, stored curves."""

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from bot.errors import InvalidInputError
from bot.money import plain
from sweeps.curves import decode_equity, decode_trades
from sweeps.errors import UnknownSweepError
from sweeps.metrics import METRICS, MetricKind
from sweeps.positions import axis_position, filtered, sortable_position
from sweeps.progress import LARGEST_ID, bounded_id, bounded_limit, get_spec
from sweeps.spec import SweepSpec
from sweeps.tables import METRIC_COLUMNS, trial, trial_curve
from sweeps.trial import TrialState

__all__ = [
    "TrialPage",
    "TrialView",
    "axis_position",
    "one_trial",
    "stored_equity",
    "stored_trades",
    "trial_page",
]


@dataclass(frozen=True, slots=True)
class TrialView:
    """One trial: varied parameters as JSON values, metrics (money as Decimal) or None until it completed."""

    number: int
    params: dict[str, Any]
    state: TrialState
    metrics: dict[str, Any] | None
    error_code: str | None
    error: str | None
    run_key: str | None


@dataclass(frozen=True, slots=True)
class TrialPage:
    """One page of finished trials; `next_cursor` is None on the last one."""

    trials: list[TrialView]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class _Order:
    column: sa.ColumnElement[Any]
    descending: bool
    is_money: bool

    @classmethod
    def parse(cls, spec: SweepSpec, sort: str) -> "_Order":
        name = sort.removeprefix("-")
        descending = sort.startswith("-")
        if name == "number":
            return cls(trial.c.number, descending, is_money=False)
        if name in METRICS:
            return cls(METRIC_COLUMNS[name], descending, METRICS[name] is MetricKind.MONEY)
        if name in spec.space.by_name:
            return cls(sortable_position(spec.space, name), descending, is_money=False)
        raise InvalidInputError.of("sort", f"{name!r} is neither a metric nor an axis of this sweep")

    def clauses(self) -> tuple[sa.ColumnElement[Any], ...]:
        ordered = self.column.desc() if self.descending else self.column.asc()
        return self.column.is_(None), ordered, trial.c.number.asc()

    def after(self, value: Any, number: int) -> sa.ColumnElement[bool]:
        later = trial.c.number > number
        if value is None:
            return sa.and_(self.column.is_(None), later)
        beyond = self.column < value if self.descending else self.column > value
        return sa.or_(beyond, sa.and_(self.column == value, later), self.column.is_(None))


def trial_page(
    connection: sa.Connection,
    sweep_id: int,
    *,
    sort: str | None = None,
    limit: int = 100,
    cursor: str | None = None,
    filters: Mapping[str, str] | None = None,
    state: TrialState | None = None,
) -> TrialPage:
    """Return finished trials in the order `sort` (a metric, an axis or `number`, `-` for descending).

    By default best first. Undefined values come last in both directions, equal ones by number. `filters`
    are axis names with the text of one value. Raises: UnknownSweepError, InvalidInputError.
    """
    spec = get_spec(connection, sweep_id)
    order = _Order.parse(spec, sort or _default_sort(spec))
    limit = bounded_limit(limit)
    query = (
        sa.select(trial, order.column.label("sorted_by"))
        .where(trial.c.sweep_id == sweep_id, *filtered(spec.space, filters or {}))
        .order_by(*order.clauses())
        .limit(limit + 1)
    )
    if state is not None:
        query = query.where(trial.c.state == state)
    if cursor is not None:
        query = query.where(order.after(*_position(cursor, order)))
    rows = connection.execute(query).all()
    views = [_view(spec, row) for row in rows[:limit]]
    more = len(rows) > limit
    return TrialPage(views, _cursor(rows[limit - 1], order) if more else None)


def one_trial(connection: sa.Connection, sweep_id: int, number: int) -> TrialView:
    """Return a trial, finished or not; raises UnknownSweepError if the sweep has none of that number."""
    spec = get_spec(connection, sweep_id)
    if not 0 <= number < spec.trial_count:
        raise UnknownSweepError(f"sweep {sweep_id} has no trial {number}; it has {spec.trial_count}")
    row = connection.execute(
        sa.select(trial).where(trial.c.sweep_id == sweep_id, trial.c.number == number)
    ).one_or_none()
    if row is None:
        return TrialView(number, spec.params(number), TrialState.PENDING, None, None, None, None)
    return _view(spec, row)


def stored_equity(connection: sa.Connection, sweep_id: int, number: int) -> list[tuple[int, Decimal]] | None:
    """Return the stored equity curve of a trial (ms UTC, equity), None if none was kept."""
    blob = _blob(connection, trial_curve.c.equity, sweep_id, number)
    return None if blob is None else decode_equity(blob)


def stored_trades(connection: sa.Connection, sweep_id: int, number: int) -> list[dict[str, Any]] | None:
    """Return the stored round trips of a trial as in the result document, None if none were kept."""
    blob = _blob(connection, trial_curve.c.trades, sweep_id, number)
    return None if blob is None else decode_trades(blob)


def _blob(
    connection: sa.Connection, column: sa.ColumnElement[Any], sweep_id: int, number: int
) -> bytes | None:
    return connection.execute(
        sa.select(column).where(
            trial_curve.c.sweep_id == bounded_id(sweep_id), trial_curve.c.number == bounded_id(number + 1) - 1
        )
    ).scalar_one_or_none()


def _default_sort(spec: SweepSpec) -> str:
    sign = "-" if spec.objective.direction == "maximize" else ""
    return f"{sign}{spec.objective.metric}"


def _view(spec: SweepSpec, row: Any) -> TrialView:
    state = TrialState(row.state)
    metrics = {name: getattr(row, name) for name in METRICS} if state is TrialState.COMPLETED else None
    return TrialView(
        row.number, spec.params(row.number), state, metrics, row.error_code, row.error, row.run_key
    )


def _cursor(row: Any, order: _Order) -> str:
    value = row.sorted_by
    if order.is_money and value is not None:
        value = plain(value)
    return base64.urlsafe_b64encode(json.dumps([value, row.number]).encode()).decode().rstrip("=")


def _position(cursor: str, order: _Order) -> tuple[Any, int]:
    try:
        text = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        value, number = json.loads(text)
        if isinstance(value, str):
            value = Decimal(value)
        fits = isinstance(value, Decimal if order.is_money else int | float) or value is None
    except (binascii.Error, ValueError, TypeError, ArithmeticError):
        fits, value, number = False, None, None
    if not fits or not isinstance(number, int) or not 0 <= number <= LARGEST_ID:
        raise InvalidInputError.of("cursor", f"{cursor[:80]!r} is not from this list")
    return value, number
