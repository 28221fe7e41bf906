"""Marks that a reader leaves on trials: a name, a note, a pin. The caller owns the transaction."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import sqlalchemy as sa

from bot.errors import InvalidInputError
from bot.notation import is_printable, quoted
from sweeps.errors import UnknownSweepError
from sweeps.lifecycle.tags import checked_note
from sweeps.storage.tables import is_shown, sweep, trial_mark

MOST_PINNED = 5
"""Most trials of a sweep that are pinned at a time, as many as the map numbers."""
MAX_NAME_LENGTH = 200


@dataclass(frozen=True, slots=True)
class TrialMark:
    """Marks on one trial; name and note are empty where nobody gave any."""

    number: int
    name: str = ""
    note: str = ""
    pinned: bool = False

    def document(self) -> dict[str, Any]:
        """Return the marks as JSON values."""
        return asdict(self)


def mark_trial(
    connection: sa.Connection,
    sweep_id: int,
    number: int,
    *,
    name: str | None = None,
    note: str | None = None,
    pinned: bool | None = None,
) -> TrialMark:
    """Replace name, note or pin of a trial, or all of them; None leaves one as it is.

    Raises: UnknownSweepError; InvalidInputError for what cannot be stored, and for one pin too many.
    """
    # The row of the sweep is held: of two that pin a last trial at once, one waits, and is refused.
    held = sa.select(sweep.c.trials_total).where(sweep.c.id == sweep_id, is_shown()).with_for_update()
    total = connection.execute(held).scalar_one_or_none()
    if total is None:
        raise UnknownSweepError(f"there is no sweep {sweep_id}")
    if not 0 <= number < total:
        raise UnknownSweepError(f"sweep {sweep_id} has no trial {number}; it has {total}")
    before = marks_of(connection, sweep_id, [number]).get(number, TrialMark(number))
    after = replace(
        before,
        name=before.name if name is None else checked_name(name),
        note=before.note if note is None else checked_note(note),
        pinned=before.pinned if pinned is None else pinned,
    )
    if after.pinned and not before.pinned:
        _refuse_one_too_many(connection, sweep_id)
    mine = sa.and_(trial_mark.c.sweep_id == sweep_id, trial_mark.c.number == number)
    connection.execute(trial_mark.delete().where(mine))
    if after != TrialMark(number):
        connection.execute(trial_mark.insert().values(sweep_id=sweep_id, **after.document()))
    return after


def marks_of(
    connection: sa.Connection, sweep_id: int, numbers: Sequence[int] | None = None
) -> dict[int, TrialMark]:
    """Return the marks on trials of a sweep that have any, of all or of some, by ascending number."""
    columns = [trial_mark.c[name] for name in ("number", "name", "note", "pinned")]
    query = sa.select(*columns).where(trial_mark.c.sweep_id == sweep_id).order_by(trial_mark.c.number)
    if numbers is not None:
        query = query.where(trial_mark.c.number.in_(list(numbers)))
    return {row.number: TrialMark(*row) for row in connection.execute(query)}


def pinned_trials(connection: sa.Connection, sweep_id: int) -> list[int]:
    """Return the trials of a sweep that are pinned, ascending."""
    return [mark.number for mark in marks_of(connection, sweep_id).values() if mark.pinned]


def checked_name(name: str) -> str:
    """Return a name of a trial without blanks around it; raises InvalidInputError if it cannot be used."""
    name = name.strip()
    if len(name) > MAX_NAME_LENGTH or not is_printable(name):
        raise InvalidInputError.of(
            "name", f"{quoted(name[:80])} is no printable text of up to {MAX_NAME_LENGTH} characters"
        )
    return name


def _refuse_one_too_many(connection: sa.Connection, sweep_id: int) -> None:
    pinned = pinned_trials(connection, sweep_id)
    if len(pinned) >= MOST_PINNED:
        named = ", ".join(map(str, pinned))
        raise InvalidInputError.of("pinned", f"trials {named} are pinned, the most there can be: unpin one")
