"""Reads about whole sweeps: how far they are, how fast, and what is best so far."""

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa
import structlog

from bot.data.database import database_now_ms
from bot.errors import InvalidInputError
from sweeps.columns import distinct_texts
from sweeps.data_changes import PinnedSweep, changed_data
from sweeps.errors import UnknownSweepError, UnreadableSweepError
from sweeps.labelling import tags_of
from sweeps.leaderboard import best_first
from sweeps.spec import SweepSpec, stored_spec
from sweeps.tables import METRIC_COLUMNS, chunk, sweep, sweep_tag, sweep_window, trial
from sweeps.trial import ACTIVE, ChunkState, SweepOutcome, SweepState, sweep_outcome

log = structlog.get_logger()

MAX_PAGE = 1_000
MAX_SEARCH = 200
LARGEST_ID = 2**31 - 1


@dataclass(frozen=True, slots=True)
class BestTrial:
    """The best finished trial: its number, varied parameters as JSON values, and metrics."""

    number: int
    params: dict[str, Any]
    metrics: dict[str, Any]


@dataclass(frozen=True, slots=True)
class SweepView:
    """A sweep as people see it. `trials_done` counts every finished trial, failed and reused ones included.

    `reason` says why the service itself ended it. Rate in trials per second since the sweep was last started,
    eta in seconds; None while unknown. `finding_names` are those of its windows as far as workers have read
    them, sorted. `data_changed` says why the market data that it was submitted on are no longer held.
    """

    id: int
    spec: SweepSpec
    engine_version: str
    state: SweepState
    trials_total: int
    trials_done: int
    trials_failed: int
    trials_reused: int
    created_ms: int
    started_ms: int | None
    finished_ms: int | None
    rate: float | None
    eta_s: float | None
    best: BestTrial | None
    reason: str | None
    note: str
    tags: tuple[str, ...]
    finding_names: tuple[str, ...] = ()
    data_changed: str | None = None

    @property
    def outcome(self) -> SweepOutcome | None:
        """Return how it ended, None while it has not."""
        return sweep_outcome(self.state, self.trials_failed)


@dataclass(frozen=True, slots=True)
class SweepList:
    """One page of sweeps, newest first; `next_cursor` is None on the last page."""

    sweeps: list[SweepView]
    next_cursor: str | None


def get_sweep(connection: sa.Connection, sweep_id: int) -> SweepView:
    """Return one sweep; raises UnknownSweepError."""
    found = list(connection.execute(_selected().where(sweep.c.id == bounded_id(sweep_id))))
    if not found:
        raise UnknownSweepError(f"there is no sweep {sweep_id}")
    return _readable(connection, found, strict=True)[0]


def get_spec(connection: sa.Connection, sweep_id: int) -> SweepSpec:
    """Return what a sweep was asked to do; raises UnknownSweepError."""
    text = connection.execute(
        sa.select(sweep.c.spec).where(sweep.c.id == bounded_id(sweep_id))
    ).scalar_one_or_none()
    if text is None:
        raise UnknownSweepError(f"there is no sweep {sweep_id}")
    return stored_spec(text)


def list_sweeps(
    connection: sa.Connection,
    *,
    state: SweepState | None = None,
    outcome: SweepOutcome | None = None,
    tag: str | None = None,
    search: str | None = None,
    limit: int = 50,
    cursor: str | None = None,
) -> SweepList:
    """Return sweeps (in one state, with one outcome, with one tag), newest first, from `cursor` on.

    `search` is part of a name, whatever its case, or a whole tag. Sweeps that this installation cannot read
    are left out, so that they do not hide the others.

    Raises: InvalidInputError for a cursor that is none.
    """
    limit = bounded_limit(limit)
    query = _selected().order_by(sweep.c.id.desc()).limit(limit + 1)
    if state is not None:
        query = query.where(sweep.c.state == state)
    if outcome is not None:
        query = query.where(ended_as(outcome))
    if tag is not None:
        query = query.where(_has_tag(sweep_tag.c.tag == tag))
    if search is not None:
        tagged = _has_tag(sa.func.lower(sweep_tag.c.tag) == sa.func.lower(search))
        query = query.where(sa.or_(sweep.c.name.icontains(search, autoescape=True), tagged))
    if cursor is not None:
        query = query.where(sweep.c.id < _before(cursor))
    rows = connection.execute(query).all()
    shown = rows[:limit]
    return SweepList(_readable(connection, shown), _cursor(shown[-1].id) if len(rows) > limit else None)


def ended_as(outcome: SweepOutcome) -> sa.ColumnElement[bool]:
    """Return the condition that a sweep has an outcome."""
    if outcome not in {SweepOutcome.COMPLETED, SweepOutcome.COMPLETED_WITH_FAILURES}:
        return sweep.c.state == SweepState(outcome.value)
    failed = sa.exists().where(chunk.c.sweep_id == sweep.c.id, chunk.c.trials_failed > 0)
    clean = outcome is SweepOutcome.COMPLETED
    return sa.and_(sweep.c.state == SweepState.COMPLETED, sa.not_(failed) if clean else failed)


def _has_tag(condition: sa.ColumnElement[bool]) -> sa.ColumnElement[bool]:
    return sweep.c.id.in_(sa.select(sweep_tag.c.sweep_id).where(condition))


def _readable(connection: sa.Connection, rows: Sequence[Any], *, strict: bool = False) -> list[SweepView]:
    """Return the sweeps that can be read; with `strict`, UnreadableSweepError is raised for the others."""
    views, pinned = [], []
    for row in rows:
        try:
            view = _view(connection, row)
        except UnreadableSweepError as error:
            if strict:
                raise
            log.warning("sweep left out of a list", sweep=row.id, reason=error.message)
            continue
        views.append(view)
        pinned.append(PinnedSweep(row.id, view.spec, row.data_pin, row.data_change))
    changed = changed_data(connection, pinned)
    return [replace(view, data_changed=changed.get(view.id)) for view in views]


def bounded_id(sweep_id: int) -> int:
    """Return an id that the database can compare, one that no sweep has for those too large."""
    return sweep_id if 0 < sweep_id <= LARGEST_ID else -1


def bounded_limit(limit: int) -> int:
    """Return how many rows to give; raises InvalidInputError outside 1 to 1,000."""
    if not 1 <= limit <= MAX_PAGE:
        raise InvalidInputError.of("limit", f"{limit} is outside 1 to {MAX_PAGE}")
    return limit


def _selected() -> sa.Select[Any]:
    mine = chunk.c.sweep_id == sweep.c.id
    since_start = sa.and_(chunk.c.state == ChunkState.DONE, chunk.c.finished_ms >= sweep.c.started_ms)
    return sa.select(
        sweep,
        sa.select(sa.func.sum(chunk.c.trials_done)).where(mine).scalar_subquery().label("trials_done"),
        sa.select(sa.func.sum(chunk.c.trials_failed)).where(mine).scalar_subquery().label("trials_failed"),
        sa.select(sa.func.sum(chunk.c.trials_reused)).where(mine).scalar_subquery().label("trials_reused"),
        sa.select(sa.func.sum(chunk.c.trials_done))
        .where(mine, since_start)
        .scalar_subquery()
        .label("recently_done"),
        sa.select(distinct_texts(sweep_window.c.names))
        .where(sweep_window.c.sweep_id == sweep.c.id)
        .scalar_subquery()
        .label("finding_names"),
        database_now_ms().label("now_ms"),
    )


def _view(connection: sa.Connection, row: Any) -> SweepView:
    spec = stored_spec(row.spec)
    state = SweepState(row.state)
    rate = _rate(row)
    left = row.trials_total - row.trials_done
    return SweepView(
        id=row.id,
        spec=spec,
        engine_version=row.engine_version,
        state=state,
        trials_total=row.trials_total,
        trials_done=int(row.trials_done),
        trials_failed=int(row.trials_failed),
        trials_reused=int(row.trials_reused),
        created_ms=row.created_ms,
        started_ms=row.started_ms,
        finished_ms=row.finished_ms,
        rate=rate,
        eta_s=float(left) / rate if rate and state in ACTIVE else None,
        best=_best(connection, row.id, spec),
        reason=row.reason,
        note=row.note,
        tags=tuple(tags_of(connection, [row.id])[row.id]),
        finding_names=tuple(sorted(set((row.finding_names or "").split(",")) - {""})),
    )


def _rate(row: Any) -> float | None:
    if row.started_ms is None or not row.recently_done:
        return None
    elapsed_ms = (row.finished_ms or row.now_ms) - row.started_ms
    return 1000.0 * int(row.recently_done) / max(int(elapsed_ms), 1)


def _best(connection: sa.Connection, sweep_id: int, spec: SweepSpec) -> BestTrial | None:
    """Return the best of the chunks' best trials."""
    row = connection.execute(
        sa.select(trial.c.number, *METRIC_COLUMNS.values())
        .join(chunk, sa.and_(chunk.c.sweep_id == trial.c.sweep_id, chunk.c.best_number == trial.c.number))
        .where(chunk.c.sweep_id == sweep_id)
        .order_by(*best_first(spec.objective))
        .limit(1)
    ).one_or_none()
    if row is None:
        return None
    return BestTrial(
        row.number, spec.params(row.number), {name: getattr(row, name) for name in METRIC_COLUMNS}
    )


def _cursor(sweep_id: int) -> str:
    return base64.urlsafe_b64encode(str(sweep_id).encode()).decode().rstrip("=")


def _before(cursor: str) -> int:
    try:
        return int(base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)[:20])
    except (binascii.Error, ValueError):
        raise InvalidInputError.of("cursor", f"{cursor[:80]!r} is not from this list") from None
