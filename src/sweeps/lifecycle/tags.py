"""Labels of a sweep: its name, tags to find it by, and a note."""

from collections.abc import Sequence

import sqlalchemy as sa

from bot.errors import InvalidInputError
from bot.notation import is_printable, quoted
from sweeps.lifecycle.repository import sweep_state
from sweeps.spec.spec_fields import SweepName
from sweeps.storage.tables import sweep, sweep_tag

MAX_TAGS = 32
MAX_TAG_LENGTH = 64
MAX_NOTE_LENGTH = 10_000

_TAGS = (
    sa.select(sweep_tag)
    .where(sweep_tag.c.sweep_id.in_(sa.bindparam("sweeps", expanding=True)))
    .order_by(sweep_tag.c.tag)
)


def label_sweep(
    connection: sa.Connection,
    sweep_id: int,
    *,
    name: SweepName | None = None,
    tags: Sequence[str] | None = None,
    note: str | None = None,
) -> None:
    """Replace a sweep's name, its tags, its note, or all of them; None leaves one as it is.

    Its spec keeps the name that it was submitted under.
    Raises: UnknownSweepError; InvalidInputError for tags or a note that cannot be stored.
    """
    sweep_state(connection, sweep_id)
    if name is not None:
        connection.execute(sweep.update().where(sweep.c.id == sweep_id).values(name=name))
    if note is not None:
        connection.execute(sweep.update().where(sweep.c.id == sweep_id).values(note=checked_note(note)))
    if tags is not None:
        tags = checked_tags(tags)
        connection.execute(sweep_tag.delete().where(sweep_tag.c.sweep_id == sweep_id))
        if tags:
            connection.execute(sweep_tag.insert(), [{"sweep_id": sweep_id, "tag": tag} for tag in tags])


def tags_of(connection: sa.Connection, sweep_ids: Sequence[int]) -> dict[int, list[str]]:
    """Return the tags of each sweep, sorted."""
    found: dict[int, list[str]] = {sweep_id: [] for sweep_id in sweep_ids}
    rows = connection.execute(_TAGS, {"sweeps": list(sweep_ids)})
    for row in rows:
        found[row.sweep_id].append(row.tag)
    return found


def checked_tags(tags: Sequence[str]) -> list[str]:
    """Return the tags without repetitions; raises InvalidInputError naming one that cannot be used."""
    if len(tags) > MAX_TAGS:
        raise InvalidInputError.of("tags", f"has {len(tags)} tags, at most {MAX_TAGS} are allowed")
    for index, tag in enumerate(tags):
        if not (tag.strip() and is_printable(tag) and len(tag) <= MAX_TAG_LENGTH):
            raise InvalidInputError.of(
                f"tags[{index}]",
                f"{quoted(tag[:80])} is no printable word of 1 to {MAX_TAG_LENGTH} characters",
            )
    return list(dict.fromkeys(tag.strip() for tag in tags))


def checked_note(note: str) -> str:
    """Return the note; raises InvalidInputError if it is too long or holds what a database refuses."""
    if len(note) > MAX_NOTE_LENGTH:
        raise InvalidInputError.of(
            "note", f"has {len(note)} characters, at most {MAX_NOTE_LENGTH} are allowed"
        )
    if any(character == "\x00" or "\ud800" <= character <= "\udfff" for character in note):
        raise InvalidInputError.of("note", "holds characters that cannot be stored")
    return note
