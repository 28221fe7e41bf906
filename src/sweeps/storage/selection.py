"""Sums of trials and reports on selections in the database. The caller owns the transaction."""

import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any, overload

import numpy as np
import sqlalchemy as sa

from bot.market_store.database import database_now_ms, insert_or_skip
from bot.numbers.arrays import IntArray
from bot.numbers.deflate import deflated, inflated
from bot.selection.settings import ValidationSettings
from bot.selection.stored.packed_sums import SumsHead, head_of, sums_bytes, sums_of
from bot.selection.trial_sums import TrialSums
from sweeps.storage.states import ENDED
from sweeps.storage.tables import selection_report, selection_sums, sweep

_MOST_HELD_BYTES = 2**20
"""Packed sums up to so many bytes are kept unpacked while they are judged, more are read again and again."""

_PARTS_AT_ONCE = 500
"""Most parts that one statement deletes, which names each of them."""


# Put together once: that takes longer than to send them.
_OF_SWEEP_SUMS = selection_sums.c.sweep_id == sa.bindparam("of_sweep")
_OF_PANEL_SUMS = sa.and_(_OF_SWEEP_SUMS, selection_sums.c.panel == sa.bindparam("of_panel"))
_PANELS = sa.select(selection_sums.c.panel).where(_OF_SWEEP_SUMS).distinct()
_SIZES = (
    sa.select(selection_sums.c.first, sa.func.length(selection_sums.c.data))
    .where(_OF_PANEL_SUMS)
    .order_by(selection_sums.c.first)
)
_PART = sa.select(selection_sums.c.data).where(
    _OF_PANEL_SUMS, selection_sums.c.first == sa.bindparam("of_first")
)
_FORGETTING = selection_sums.delete().where(
    _OF_PANEL_SUMS, selection_sums.c.first.in_(sa.bindparam("firsts", expanding=True))
)
_OF_REPORT = sa.and_(
    selection_report.c.sweep_id == sa.bindparam("of_sweep"),
    selection_report.c.settings_digest == sa.bindparam("of_settings"),
)
_UNMADE = sa.select(selection_report).where(
    selection_report.c.sweep_id == sa.bindparam("of_sweep"), selection_report.c.report.is_(None)
)
_TO_MAKE = (
    sa.select(selection_report)
    .join(sweep, sweep.c.id == selection_report.c.sweep_id)
    .where(selection_report.c.report.is_(None), selection_report.c.job_id.is_(None))
    .where(sweep.c.state.in_(ENDED))
    .where(
        sa.func.coalesce(sweep.c.finished_ms, 0)
        <= database_now_ms() - sa.bindparam("age_ms", type_=sa.BigInteger)
    )
    .order_by(selection_report.c.sweep_id)
    .limit(sa.bindparam("most", type_=sa.Integer))
)
_TO_MAKE_OF_ONE = _TO_MAKE.where(sweep.c.id == sa.bindparam("of_sweep"))
_TO_GIVE, _TO_GIVE_OF_ONE = (
    query.with_for_update(of=selection_report, skip_locked=True) for query in (_TO_MAKE, _TO_MAKE_OF_ONE)
)
_GIVING = selection_report.update().where(_OF_REPORT).values(job_id=sa.bindparam("to_job"))
_KEEPING = (
    selection_report.update()
    .where(_OF_REPORT, selection_report.c.job_id == sa.bindparam("of_job"))
    .values(report=sa.bindparam("text"))
)


@dataclass(frozen=True, slots=True)
class PackedSums:
    """Sums of some trials of a panel, by its digest, as they are stored; `first` is the lowest number.

    `by_kernel` if the compiled kernel replayed all of these, so that their sums need not stay.
    """

    panel: str
    first: int
    data: bytes
    by_kernel: bool

    @classmethod
    def of(cls, panel: str, numbers: IntArray, sums: TrialSums, *, by_kernel: bool = False) -> "PackedSums":
        """Return the sums of the trials `numbers`, at least one."""
        data = sums_bytes(np.sort(numbers), sums, by_kernel=by_kernel)
        return cls(panel, int(numbers.min()), data, by_kernel)


def keep_sums(connection: sa.Connection, sweep_id: int, parts: Sequence[PackedSums]) -> None:
    """Store sums; those of trials that are there already stay as they are."""
    rows = [{"sweep_id": sweep_id, "panel": one.panel, "first": one.first, "data": one.data} for one in parts]
    if rows:
        connection.execute(insert_or_skip(connection, selection_sums), rows)


def forget_sums(connection: sa.Connection, sweep_id: int, panels: Collection[str]) -> None:
    """Delete the sums of some panels of a sweep."""
    of_panels = selection_sums.c.panel.in_(panels)
    connection.execute(selection_sums.delete().where(selection_sums.c.sweep_id == sweep_id, of_panels))


def forget_parts(connection: sa.Connection, sweep_id: int, parts: Mapping[str, Sequence[int]]) -> None:
    """Delete sums of a sweep: of each panel, by its digest, the parts that begin with these trials."""
    for panel, firsts in parts.items():
        for at in range(0, len(firsts), _PARTS_AT_ONCE):
            some = firsts[at : at + _PARTS_AT_ONCE]
            connection.execute(_FORGETTING, {"of_sweep": sweep_id, "of_panel": panel, "firsts": some})


def held_panels(connection: sa.Connection, sweep_id: int) -> set[str]:
    """Return the panels, by their digest, of which sums of trials are held."""
    return set(connection.execute(_PANELS, {"of_sweep": sweep_id}).scalars())


class HeldSums(Sequence[TrialSums]):
    """Sums held of one panel, part by part; large ones are read whenever they are gone through."""

    def __init__(self, connection: sa.Connection, sweep_id: int, panel: str) -> None:
        mine = {"of_sweep": sweep_id, "of_panel": panel}
        rows = connection.execute(_SIZES, mine).all()
        self._firsts = [row[0] for row in rows]
        self.size = sum(row[1] for row in rows)
        most = len(rows) if self.size <= _MOST_HELD_BYTES else 1
        self._packed = partial(_packed_part, connection, mine)
        # No method of this object, which would hold itself, and its sums until cycles are looked for.
        self._read = lru_cache(maxsize=max(1, most))(partial(_read_part, self._packed))

    def __len__(self) -> int:
        return len(self._firsts)

    @overload
    def __getitem__(self, place: int) -> TrialSums: ...

    @overload
    def __getitem__(self, place: slice) -> Sequence[TrialSums]: ...

    def __getitem__(self, place: int | slice) -> TrialSums | Sequence[TrialSums]:
        """Return one part, or several."""
        if isinstance(place, slice):
            return [self[one] for one in range(*place.indices(len(self)))]
        return self._read(self._firsts[place])

    def heads(self) -> Iterator[tuple[int, SumsHead]]:
        """Yield of each part where it begins, and its head, reading nothing else of it."""
        for first in self._firsts:
            yield first, head_of(self._packed(first))


def _packed_part(connection: sa.Connection, mine: Mapping[str, Any], first: int) -> bytes:
    found: bytes = connection.execute(_PART, {**mine, "of_first": first}).scalar_one()
    return found


def _read_part(packed: Callable[[int], bytes], first: int) -> TrialSums:
    return sums_of(packed(first))


@dataclass(frozen=True, slots=True)
class ReportRow:
    """Report on the selection of a sweep: its settings, the job that makes it, and its text once made."""

    sweep_id: int
    settings: ValidationSettings
    job_id: int | None
    text: str | None


def ask_for_report(connection: sa.Connection, sweep_id: int, settings: ValidationSettings) -> None:
    """Note that a report is to be made, unless it is there or asked for already."""
    row = {
        "sweep_id": sweep_id,
        "settings_digest": settings.digest,
        "settings": json.dumps(settings.document(), separators=(",", ":")),
    }
    connection.execute(insert_or_skip(connection, selection_report), row)


def report_row(connection: sa.Connection, sweep_id: int, settings: ValidationSettings) -> ReportRow | None:
    """Return what there is of a report, None if nobody has asked for it."""
    row = connection.execute(sa.select(selection_report).where(_is_of(sweep_id, settings))).one_or_none()
    return None if row is None else _row(row)


def settings_of(connection: sa.Connection, sweep_id: int, digest: str) -> ValidationSettings | None:
    """Return the settings with a digest by which somebody asked for a report, None if nobody did."""
    mine = sa.and_(selection_report.c.sweep_id == sweep_id, selection_report.c.settings_digest == digest)
    text = connection.execute(sa.select(selection_report.c.settings).where(mine)).scalar_one_or_none()
    return None if text is None else ValidationSettings.model_validate_json(text)


def reports_to_make(
    connection: sa.Connection,
    limit: int,
    *,
    age_ms: int = 0,
    sweep_id: int | None = None,
    giving: bool = False,
) -> list[ReportRow]:
    """Return reports of ended sweeps that were asked for and that no job makes, oldest sweeps first.

    Sweeps have to have ended `age_ms` ago; with `sweep_id` only that one is looked at. Those that another
    transaction is `giving` to a job at this moment are left out by one that does so itself.
    """
    which = {"most": max(limit, 0), "age_ms": age_ms, "of_sweep": sweep_id}
    query = _TO_MAKE if sweep_id is None else _TO_MAKE_OF_ONE
    if giving:
        query = _TO_GIVE if sweep_id is None else _TO_GIVE_OF_ONE
    return [_row(row) for row in connection.execute(query, which)]


def open_reports(connection: sa.Connection, sweep_id: int) -> list[ReportRow]:
    """Return the reports on a sweep that were asked for and are not made."""
    return [_row(row) for row in connection.execute(_UNMADE, {"of_sweep": sweep_id})]


def give_to_job(connection: sa.Connection, found: ReportRow, job_id: int | None) -> None:
    """Note the job that makes a report, None for one that is to be given to a new job."""
    which = {"of_sweep": found.sweep_id, "of_settings": found.settings.digest}
    connection.execute(_GIVING, {**which, "to_job": job_id})


def keep_report(
    connection: sa.Connection, sweep_id: int, settings: ValidationSettings, job_id: int, text: str
) -> bool:
    """Store a report, unless its sweep went on meanwhile and it is no longer this job's to make.

    Return whether it was stored.
    """
    which = {"of_sweep": sweep_id, "of_settings": settings.digest, "of_job": job_id}
    return connection.execute(_KEEPING, {**which, "text": deflated(text.encode())}).rowcount > 0


def forget_reports(connection: sa.Connection, sweep_id: int) -> None:
    """Delete the reports on a sweep that goes on."""
    connection.execute(selection_report.delete().where(selection_report.c.sweep_id == sweep_id))


def _is_of(sweep_id: int, settings: ValidationSettings) -> sa.ColumnElement[bool]:
    digest = selection_report.c.settings_digest == settings.digest
    return sa.and_(selection_report.c.sweep_id == sweep_id, digest)


def _row(row: Any) -> ReportRow:
    text = None if row.report is None else inflated(row.report).decode()
    return ReportRow(row.sweep_id, ValidationSettings.model_validate_json(row.settings), row.job_id, text)
