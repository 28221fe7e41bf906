"""Reads about whole sweeps: how far they are, how fast, and what is best so far."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import sqlalchemy as sa
import structlog

from bot.errors import InvalidInputError
from bot.market_store.database import database_now_ms
from sweeps.analysis.sweep_order import SweepOrder, next_cursor, ordered
from sweeps.errors import UnknownSweepError, UnreadableSweepError
from sweeps.lifecycle.data_changes import PinnedSweep, changed_data
from sweeps.lifecycle.tags import tags_of
from sweeps.spec.metrics import METRICS, metrics_in
from sweeps.spec.spec import SweepSpec
from sweeps.storage.blocks import measured
from sweeps.storage.columns import distinct_texts
from sweeps.storage.objective_ranks import UNRANKED, objective_ranks
from sweeps.storage.row_cache import SweepKey, row_cache, sweep_key
from sweeps.storage.states import ACTIVE, ChunkState, SweepOutcome, SweepState, sweep_outcome
from sweeps.storage.stored_specs import params_of, stored_spec, stored_summary
from sweeps.storage.stored_trials import ALL_COLUMNS, StoredBlock, blocks_within
from sweeps.storage.sweep_summary import SweepSummary, stored_ranking
from sweeps.storage.tables import (
    chunk,
    compiled_sweep,
    is_shown,
    sweep,
    sweep_tag,
    sweep_window,
    trial_block,
)

log = structlog.get_logger()

MAX_PAGE = 1_000
MAX_SEARCH = 200
LARGEST_ID = 2**31 - 1

# Statements of every look at a sweep that is followed, put together once: that took as long as their answers.
_SPEC = sa.select(sweep.c.spec).where(sweep.c.id == sa.bindparam("of_sweep"), is_shown())
_FINDINGS = sa.select(distinct_texts(sweep_window.c.names)).where(sweep_window.c.sweep_id == sweep.c.id)
_SWEEPS = (
    sa.select(
        sweep,
        compiled_sweep.c.head,
        compiled_sweep.c.text_digest,
        _FINDINGS.scalar_subquery().label("finding_names"),
        database_now_ms().label("now_ms"),
    )
    .outerjoin(compiled_sweep, compiled_sweep.c.sweep_id == sweep.c.id)
    .where(is_shown(), sweep.c.id.in_(sa.bindparam("sweeps", expanding=True)))
)
_SINCE_START = sa.and_(chunk.c.state == ChunkState.DONE, chunk.c.finished_ms >= sweep.c.started_ms)
_COUNTS = (
    sa.select(
        chunk.c.sweep_id,
        sa.func.sum(chunk.c.trials_done),
        sa.func.sum(chunk.c.trials_failed),
        sa.func.sum(chunk.c.trials_reused),
        sa.func.sum(sa.case((_SINCE_START, chunk.c.trials_done), else_=0)),
    )
    .join(sweep, sweep.c.id == chunk.c.sweep_id)
    .where(chunk.c.sweep_id.in_(sa.bindparam("sweeps", expanding=True)))
    .group_by(chunk.c.sweep_id)
)
_RANKED = (
    sa.select(
        chunk.c.sweep_id,
        chunk.c.best_number,
        sa.func.row_number()
        .over(partition_by=chunk.c.sweep_id, order_by=(chunk.c.best_rank, chunk.c.best_number))
        .label("place"),
    )
    .where(chunk.c.sweep_id.in_(sa.bindparam("sweeps", expanding=True)), chunk.c.best_number.is_not(None))
    .subquery()
)
_BEST = sa.select(_RANKED.c.sweep_id, _RANKED.c.best_number).where(_RANKED.c.place == 1)
"""Each sweep's best trial among those of its chunks."""

_OF_BEST = _BEST.subquery()
_BLOCKS_OF_BEST = (
    sa.select(
        trial_block.c.sweep_id,
        _OF_BEST.c.best_number,
        trial_block.c.first,
        trial_block.c.name,
        trial_block.c.data,
    )
    .join(_OF_BEST, _OF_BEST.c.sweep_id == trial_block.c.sweep_id)
    .where(
        trial_block.c.name.in_(ALL_COLUMNS),
        trial_block.c.first <= _OF_BEST.c.best_number,
        trial_block.c.last >= _OF_BEST.c.best_number,
    )
)


@dataclass(frozen=True, slots=True)
class BestTrial:
    """The best eligible trial: its number, varied parameters as JSON values, and metrics."""

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
    summary: SweepSummary
    spec_text: str
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
        """Return its outcome, None before its end."""
        return sweep_outcome(self.state, self.trials_failed)


@dataclass(frozen=True, slots=True)
class SweepList:
    """One page of sweeps; `next_cursor` is None on the last page."""

    sweeps: list[SweepView]
    next_cursor: str | None


def get_sweep(connection: sa.Connection, sweep_id: int) -> SweepView:
    """Return one sweep; raises UnknownSweepError."""
    found = connection.execute(_SWEEPS, {"sweeps": [bounded_id(sweep_id)]}).all()
    if not found:
        raise UnknownSweepError(f"there is no sweep {sweep_id}")
    return _readable(connection, found, strict=True)[0]


def get_sweeps(connection: sa.Connection, sweep_ids: Collection[int]) -> dict[int, SweepView]:
    """Return those of the sweeps that there are and that this installation can read, by id."""
    rows = connection.execute(_SWEEPS, {"sweeps": [bounded_id(one) for one in sweep_ids]}).all()
    return {view.id: view for view in _readable(connection, rows)}


def get_spec(connection: sa.Connection, sweep_id: int) -> SweepSpec:
    """Return the specification of a sweep; raises UnknownSweepError, UnreadableSweepError."""
    text = connection.execute(_SPEC, {"of_sweep": bounded_id(sweep_id)}).scalar_one_or_none()
    if text is None:
        raise UnknownSweepError(f"there is no sweep {sweep_id}")
    return stored_spec(connection, sweep_id, text)


def open_sweeps(connection: sa.Connection, limit: int) -> list[int]:
    """Return the newest sweeps that are at work or wait for it, newest first."""
    query = sa.select(sweep.c.id).where(sweep.c.state.in_(ACTIVE)).order_by(sweep.c.id.desc()).limit(limit)
    return list(connection.execute(query).scalars())


def list_sweeps(
    connection: sa.Connection,
    *,
    state: SweepState | None = None,
    outcome: SweepOutcome | None = None,
    tag: str | None = None,
    search: str | None = None,
    order: SweepOrder = SweepOrder.NEWEST,
    limit: int = 50,
    cursor: str | None = None,
) -> SweepList:
    """Return sweeps (in one state, with one outcome, with one tag) in an order, from `cursor` on.

    `search` is part of a name, whatever its case, or a whole tag. Sweeps that this installation cannot read
    are left out, so that they do not hide the others.

    Raises: InvalidInputError for a cursor that is none.
    """
    limit = bounded_limit(limit)
    query = ordered(sa.select(sweep.c.id).where(is_shown()), order, cursor).limit(limit + 1)
    if state is not None:
        query = query.where(sweep.c.state == state)
    if outcome is not None:
        query = query.where(ended_as(outcome))
    if tag is not None:
        query = query.where(_has_tag(sweep_tag.c.tag == tag))
    if search is not None:
        tagged = _has_tag(sa.func.lower(sweep_tag.c.tag) == sa.func.lower(search))
        query = query.where(sa.or_(sweep.c.name.icontains(search, autoescape=True), tagged))
    # Found by number alone: sorting whole rows would read specs and findings of every sweep there is.
    numbers = list(connection.execute(query).scalars())
    shown = numbers[:limit]
    places = {number: place for place, number in enumerate(shown)}
    rows = connection.execute(_SWEEPS, {"sweeps": shown}).all()
    following = next_cursor(order, cursor, limit, shown[-1]) if len(numbers) > limit else None
    return SweepList(_readable(connection, sorted(rows, key=lambda row: places[row.id])), following)


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
    found = []
    for row in rows:
        try:
            found.append((row, stored_summary(connection, row)))
        except UnreadableSweepError as error:
            if strict:
                raise
            log.warning("sweep left out of a list", sweep=row.id, reason=error.message)
    return _views(connection, found)


def bounded_id(sweep_id: int) -> int:
    """Return an id that the database can compare, one that no sweep has for those too large."""
    return sweep_id if 0 < sweep_id <= LARGEST_ID else -1


def bounded_limit(limit: int) -> int:
    """Return the number of rows to give; raises InvalidInputError outside 1 to 1,000."""
    if not 1 <= limit <= MAX_PAGE:
        raise InvalidInputError.of("limit", f"{limit} is outside 1 to {MAX_PAGE}")
    return limit


@dataclass(frozen=True, slots=True)
class _Counts:
    """Finished trials of a sweep: all, failed, reused, and those since it was last started."""

    done: int = 0
    failed: int = 0
    reused: int = 0
    recent: int = 0


def _views(connection: sa.Connection, found: Sequence[tuple[Any, SweepSummary]]) -> list[SweepView]:
    """Return sweeps of which the row and the summary are known, by a few statements for all of them."""
    ids = [row.id for row, _ in found]
    if not ids:
        return []
    counts, tags = _counts(connection, ids), tags_of(connection, ids)
    ran = {one for one, count in counts.items() if count.done > count.failed}
    best = _best(connection, [(row, summary) for row, summary in found if row.id in ran])
    pinned = [PinnedSweep(row.id, summary, row.data_pin, row.data_change) for row, summary in found]
    changed = changed_data(connection, pinned)
    views = [
        _view(row, summary, counts.get(row.id, _Counts()), best.get(row.id), tags[row.id])
        for row, summary in found
    ]
    return [replace(view, data_changed=changed.get(view.id)) for view in views]


def _view(
    row: Any, summary: SweepSummary, counts: _Counts, best: BestTrial | None, tags: Sequence[str]
) -> SweepView:
    state = SweepState(row.state)
    rate = _rate(row, counts.recent)
    return SweepView(
        id=row.id,
        summary=summary.model_copy(update={"name": row.name}),  # it may have been renamed
        spec_text=row.spec,
        engine_version=row.engine_version,
        state=state,
        trials_total=row.trials_total,
        trials_done=counts.done,
        trials_failed=counts.failed,
        trials_reused=counts.reused,
        created_ms=row.created_ms,
        started_ms=row.started_ms,
        finished_ms=row.finished_ms,
        rate=rate,
        eta_s=float(row.trials_total - counts.done) / rate if rate and state in ACTIVE else None,
        best=best,
        reason=row.reason,
        note=row.note,
        tags=tuple(tags),
        finding_names=tuple(sorted(set((row.finding_names or "").split(",")) - {""})),
    )


def _counts(connection: sa.Connection, ids: Sequence[int]) -> dict[int, _Counts]:
    rows = connection.execute(_COUNTS, {"sweeps": ids})
    return {sweep_id: _Counts(*map(int, numbers)) for sweep_id, *numbers in rows}


def _rate(row: Any, recently_done: int) -> float | None:
    if row.started_ms is None or not recently_done:
        return None
    elapsed_ms = (row.finished_ms or row.now_ms) - row.started_ms
    return 1000.0 * recently_done / max(int(elapsed_ms), 1)


def _best(connection: sa.Connection, found: Sequence[tuple[Any, SweepSummary]]) -> dict[int, BestTrial]:
    """Return the best of the chunks' best trials of each sweep, those not known by one statement."""
    if not found:
        return {}
    texts = {row.id: row.spec for row, _ in found}
    keys = {row.id: sweep_key(connection, row.id, row.created_ms) for row, _ in found}
    best: dict[int, BestTrial] = {}
    for sweep_id, row in _best_rows(connection, keys).items():
        metrics, number = metrics_in(row), row["number"]
        try:
            if stored_ranking(texts[sweep_id]).guard.refusal(metrics) is not None:
                one = _guarded_best(connection, sweep_id, texts[sweep_id])
            else:
                params = params_of(connection, sweep_id, texts[sweep_id], number)
                one = BestTrial(number, params, metrics)
        except UnreadableSweepError:
            continue
        if one is not None:
            best[sweep_id] = one
    return best


def _best_rows(connection: sa.Connection, keys: Mapping[int, SweepKey]) -> dict[int, dict[str, Any]]:
    """Return the row of each sweep's best trial, by sweep."""
    numbers = {row.sweep_id: row.best_number for row in connection.execute(_BEST, {"sweeps": list(keys)})}
    found = {
        sweep_id: row
        for sweep_id, number in numbers.items()
        for row in row_cache.known(keys[sweep_id], [number]).values()
    }
    for sweep_id, number, block in _best_stored(connection, numbers.keys() - found.keys()):
        place = block.place(number)
        if place is not None:
            found[sweep_id] = block.row(place)
            row_cache.keep(keys[sweep_id], {number: found[sweep_id]})
    return found


def _guarded_best(connection: sa.Connection, sweep_id: int, text: str) -> BestTrial | None:
    """Return the best eligible trial of a sweep whose chunks were counted before there was a guard."""
    ranking = stored_ranking(text)
    done = measured(connection, sweep_id, [ranking.objective.metric], ranking.guard)
    ranks = objective_ranks(ranking.objective, done.values[ranking.objective.metric])
    ranks = np.where(done.eligible, ranks, UNRANKED)
    if ranks.min(initial=UNRANKED) == UNRANKED:
        return None
    number = int(done.numbers[int(ranks.argmin())])
    for block in blocks_within(connection, sweep_id, number, number + 1, tuple(METRICS)):
        place = block.place(number)
        if place is not None:
            params = params_of(connection, sweep_id, text, number)
            return BestTrial(number, params, block.metrics_of(place))
    return None


def _best_stored(connection: sa.Connection, ids: Collection[int]) -> Iterator[tuple[int, int, StoredBlock]]:
    """Yield sweep, number and block of each sweep's best trial, and other blocks that might have held it."""
    if not ids:
        return
    rows = connection.execute(_BLOCKS_OF_BEST, {"sweeps": list(ids)})
    blobs: dict[tuple[int, int, int], dict[str, bytes]] = {}
    for sweep_id, best_number, first, name, data in rows:
        blobs.setdefault((sweep_id, best_number, first), {})[name] = data
    for (sweep_id, best_number, _), columns in blobs.items():
        yield sweep_id, best_number, StoredBlock(sweep_id, columns)
