"""Looks: every run whose result could be seen, by market and days, kept beyond the deletion of sweeps.

Looks of a sweep that is there follow from its trials, so that nothing is written while they run; they are
written down when it is deleted. Single runs are written down as their results are stored.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import sqlalchemy as sa

from bot.errors import InvalidInputError
from bot.models import DAY_MS
from bot.selection.looks import Lifetime, Look
from bot.timestamps import parse_time_ms
from sweeps.errors import UnreadableSweepError
from sweeps.lifecycle.run_looks import LookKind, by_exchange, insert_look, look_values, note_look
from sweeps.spec.panels import PanelWindow
from sweeps.spec.read_pairs import MARKETS, ReadPairs
from sweeps.storage.blocks import measured
from sweeps.storage.states import ACTIVE
from sweeps.storage.stored_specs import stored_spec, stored_summary
from sweeps.storage.stored_trials import REUSED_SWEEP
from sweeps.storage.tables import chunk, compiled_sweep, is_shown, look, sweep

_WINDOW = ("exchange", "start", "end")


@dataclass(frozen=True, slots=True)
class LookView:
    """A look with its name, by which it is told apart, and when it was first taken."""

    name: str
    kind: LookKind
    seen: Look
    created_ms: int


def all_looks(connection: sa.Connection, exchange: str | None = None) -> list[LookView]:
    """Return every look, of one exchange or all, oldest first."""
    stored = {view.name: view for view in _stored(connection)}
    for view in _of_sweeps(connection):
        known = stored.get(view.name)
        if known is not None:
            view = replace(view, seen=replace(view.seen, independent=known.seen.independent))  # noqa: PLW2901
        stored[view.name] = view
    found = (view for view in stored.values() if exchange in {None, view.seen.exchange} and view.seen.runs)
    return sorted(found, key=lambda view: (view.created_ms, view.name))


def lifetime_of(
    connection: sa.Connection, sweep_id: int, window: PanelWindow, days: tuple[int, int]
) -> Lifetime:
    """Return the lifetime of a panel among all other looks at its `days` (first and last, since 1970).

    They are those of its settlements, which can be fewer than those of its window.
    Raises: KeyError if the sweep has no such panel with a completed trial.
    """
    looks = {view.name: view.seen for view in all_looks(connection, window.exchange)}
    own = looks.pop(window.look(sweep_id))
    return Lifetime.of(replace(own, first=days[0], last=days[1]), list(looks.values()))


def read_until(connection: sa.Connection, exchange: str) -> int | None:
    """Return the last day (since 1970) of an exchange that any look has read, None if none has.

    Sweeps that have not ended count with all that they are to read.
    """
    days = [view.seen.last for view in all_looks(connection, exchange)]
    for row in _sweeps(connection):
        if row.state in ACTIVE:
            summary = stored_summary(connection, row)
            if exchange in summary.exchanges():
                days.append(summary.window()[1] // DAY_MS)
    return max(days, default=None)


def note_validation(connection: sa.Connection, sweep_id: int, window: PanelWindow, settings: str) -> None:
    """Write down that a panel was judged with other settings than its sweep's, named by their digest."""
    for row in _sweeps(connection, sweep_id):
        for panel, seen in _panels(connection, row):
            if panel.look(sweep_id) == window.look(sweep_id):
                once = replace(seen, runs=1, new=1)
                note_look(connection, f"{window.look(sweep_id)} {settings}", LookKind.VALIDATION, once)


def note_independent(connection: sa.Connection, sweep_id: int, window: PanelWindow, trials: float) -> None:
    """Write down how many independent trials a panel is worth, as its report says.

    That holds on every exchange that its trials read, where these are the only ones of the sweep to do so.
    """
    for row in _sweeps(connection, sweep_id):
        varied = "exchange" in _axes(connection, row)
        for panel, seen in _panels(connection, row):
            alike = panel if varied else replace(panel, exchange=window.exchange)
            if alike.look(sweep_id) == window.look(sweep_id):
                own = LookView(panel.look(sweep_id), LookKind.SWEEP, seen, row.created_ms)
                _keep(connection, replace(own, seen=replace(seen, independent=trials)))


def keep_looks(connection: sa.Connection, sweep_id: int) -> None:
    """Write down the looks of a sweep that is about to be deleted, in the transaction that deletes it."""
    kept = {view.name: view.seen.independent for view in _stored(connection)}
    for view in _of_sweep(connection, _sweeps(connection, sweep_id)):
        if view.seen.runs:
            seen = replace(view.seen, independent=kept.get(view.name))
            _keep(connection, replace(view, seen=seen))


def _stored(connection: sa.Connection) -> Iterator[LookView]:
    for row in connection.execute(sa.select(look)):
        symbols = frozenset(json.loads(row.symbols))
        days = row.first_day, row.last_day
        seen = Look(row.exchange, symbols, *days, row.runs, row.new, row.independent)
        yield LookView(row.name, LookKind(row.kind), seen, row.created_ms)


def _keep(connection: sa.Connection, view: LookView) -> None:
    values = look_values(view.name, view.kind, view.seen, view.created_ms)
    if not insert_look(connection, values):
        connection.execute(look.update().where(look.c.name == view.name).values(values))


def _of_sweeps(connection: sa.Connection) -> Iterator[LookView]:
    """Yield the looks of all sweeps that are there."""
    for row in _sweeps(connection):
        yield from _of_sweep(connection, [row])


def _sweeps(connection: sa.Connection, sweep_id: int | None = None) -> Sequence[Any]:
    """Return sweeps with what their trials came to: `completed` ones, and `reused` among them."""
    if sweep_id is None:
        return connection.execute(_EVERY_SWEEP).all()
    return connection.execute(_ONE_SWEEP, {"of_sweep": sweep_id}).all()


def _counted(*which: sa.ColumnElement[bool]) -> sa.Select[Any]:
    """Return the query for sweeps with the trials of their chunks, of all or of those `which`."""
    counted = (
        sa.select(
            chunk.c.sweep_id,
            sa.func.sum(chunk.c.trials_done - chunk.c.trials_failed).label("completed"),
            sa.func.sum(chunk.c.trials_reused).label("reused"),
        )
        .where(*which)
        .group_by(chunk.c.sweep_id)
        .subquery()
    )
    return (
        sa.select(
            sweep.c.id,
            sweep.c.spec,
            sweep.c.state,
            sweep.c.created_ms,
            compiled_sweep.c.head,
            compiled_sweep.c.text_digest,
            counted.c.completed,
            counted.c.reused,
        )
        .join(counted, counted.c.sweep_id == sweep.c.id)
        .outerjoin(compiled_sweep, compiled_sweep.c.sweep_id == sweep.c.id)
        .where(is_shown())
    )


_EVERY_SWEEP = _counted()
_ONE_SWEEP = _counted(chunk.c.sweep_id == sa.bindparam("of_sweep"))


def _of_sweep(connection: sa.Connection, rows: Sequence[Any]) -> Iterator[LookView]:
    """Yield the looks of sweeps: one a panel, and one for each other exchange that its trials read."""
    for row in rows:
        for window, seen in _panels(connection, row):
            yield LookView(window.look(row.id), LookKind.SWEEP, seen, row.created_ms)


def _panels(connection: sa.Connection, row: Any) -> Iterator[tuple[PanelWindow, Look]]:
    runs, new = int(row.completed or 0), int((row.completed or 0) - (row.reused or 0))
    try:
        summary = stored_summary(connection, row)
        if not set(_WINDOW) & set(summary.axes):
            for exchange, symbols in by_exchange(str(summary.exchanges()[0]), summary.pairs()).items():
                window = PanelWindow(exchange, *summary.window())
                yield window, Look(exchange, symbols, *window.days, runs, new)
            return
        yield from _several(connection, row)
    except UnreadableSweepError:  # one whose strategy is not installed: its whole extent
        window = _extent(row.spec)
        yield window, Look(str(window.exchange), window.symbols, *window.days, runs, new)


def _several(connection: sa.Connection, row: Any) -> Iterator[tuple[PanelWindow, Look]]:
    """Yield the looks of a sweep whose trials differ in exchange or window, by their completed trials."""
    spec = stored_spec(connection, row.id, row.spec)
    trials = measured(connection, row.id, [REUSED_SWEEP])
    numbers, reused = trials.numbers, trials.defined(REUSED_SWEEP)
    groups = spec.groups(numbers, (*_WINDOW, *MARKETS)) if len(numbers) else []
    found: dict[PanelWindow, Look] = {}
    for group in groups:
        shared = group.parameters.shared
        old = int(reused[np.isin(numbers, group.numbers)].sum())
        for exchange, symbols in by_exchange(str(shared.exchange), ReadPairs.of([shared]).pairs).items():
            window = PanelWindow(exchange, shared.start, shared.end)
            before = found.get(window, Look(exchange, frozenset(), *window.days, 0, 0))
            found[window] = replace(
                before,
                symbols=before.symbols | symbols,
                runs=before.runs + len(group.numbers),
                new=before.new + len(group.numbers) - old,
            )
    yield from found.items()


def _axes(connection: sa.Connection, row: Any) -> tuple[str, ...]:
    """Return the names of the axes of a sweep, none where it cannot be read here."""
    try:
        return stored_summary(connection, row).axes
    except UnreadableSweepError:
        return ()


def _extent(text: str) -> PanelWindow:
    """Return the extent of a sweep that cannot be read here, from its document."""
    document = json.loads(text)
    values = {
        name: [document["base"].get(name), *_listed(document["grid"].get(name))]
        for name in (*_WINDOW, "symbols")
    }
    moments = {name: [_moment(one) for one in values[name] if one is not None] for name in ("start", "end")}
    exchange = next((one for one in values["exchange"] if one is not None), "")
    symbols = frozenset(symbol for group in values["symbols"] if group for symbol in group)
    return PanelWindow(str(exchange), min(moments["start"]), max(moments["end"]), symbols)


def _listed(axis: Any) -> list[Any]:
    values = axis.get("values", []) if isinstance(axis, dict) else axis
    return values if isinstance(values, list) else []


def _moment(value: Any) -> int:
    try:
        return parse_time_ms(value)
    except ValueError as error:
        raise InvalidInputError.of("spec", str(error)) from None
