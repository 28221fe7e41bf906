"""Read-only links to one sweep each: shown once, kept as digests. The caller owns the transaction."""

import re
import secrets
from dataclasses import dataclass

import sqlalchemy as sa

from bot.errors import InvalidInputError
from bot.market_store.database import database_now_ms
from bot.models import DAY_MS
from bot.notation import is_printable, quoted
from sweeps.errors import UnknownSweepError
from sweeps.storage.access.tokens import digest_of
from sweeps.storage.tables import is_shown, sweep, sweep_share

MAX_NAME_LENGTH = 200
MAX_VIEW_LENGTH = 4000
MOST_DAYS = 36_500
_RANDOM_BYTES = 32
_QUERY = re.compile(r"[A-Za-z0-9\-._~!$&'()*+,;=:@/?%]*")
"""Characters of the query of an address, which is repeated in a header."""


@dataclass(frozen=True, slots=True)
class Share:
    """A link as it is kept: `view` is the query of the page that it opens. Times in ms UTC."""

    id: int
    sweep_id: int
    name: str
    view: str
    created_ms: int
    expires_ms: int | None

    def holds(self, now_ms: int) -> bool:
        """Return whether it has not expired."""
        return self.expires_ms is None or now_ms < self.expires_ms


def create_share(
    connection: sa.Connection, sweep_id: int, *, name: str = "", view: str = "", days: int | None = None
) -> tuple[Share, str]:
    """Store a new link to a sweep, and return it with its token, which nobody can show again.

    Raises: UnknownSweepError; InvalidInputError for a name or a view that cannot be kept.
    """
    _require_sweep(connection, sweep_id)
    token, now_ms = secrets.token_urlsafe(_RANDOM_BYTES), database_now_ms()
    added = sweep_share.insert().values(
        sweep_id=sweep_id,
        digest=digest_of(token),
        name=_checked_name(name),
        view=_checked_view(view),
        created_ms=now_ms,
        expires_ms=None if days is None else now_ms + days * DAY_MS,
    )
    share_id = connection.execute(added.returning(sweep_share.c.id)).scalar_one()
    made = connection.execute(_SHARES.where(sweep_share.c.id == share_id)).one()
    return Share(*made), token


def shares_of(connection: sa.Connection, sweep_id: int) -> list[Share]:
    """Return the links to a sweep, expired ones included, the newest first; raises UnknownSweepError."""
    _require_sweep(connection, sweep_id)
    query = _SHARES.where(sweep_share.c.sweep_id == sweep_id).order_by(sweep_share.c.id.desc())
    return [Share(*row) for row in connection.execute(query)]


def find_share(connection: sa.Connection, token: str) -> Share | None:
    """Return the link of a token; None if there is none, or none any more."""
    row = connection.execute(_SHARES.where(sweep_share.c.digest == digest_of(token))).one_or_none()
    return None if row is None else Share(*row)


def revoke_share(connection: sa.Connection, sweep_id: int, share_id: int) -> None:
    """Delete a link; raises UnknownSweepError if the sweep has none of that number."""
    mine = sa.and_(sweep_share.c.sweep_id == sweep_id, sweep_share.c.id == share_id)
    if connection.execute(sweep_share.delete().where(mine)).rowcount != 1:
        raise UnknownSweepError(f"sweep {sweep_id} has no link {share_id}")


_SHARES = sa.select(
    *(sweep_share.c[name] for name in ("id", "sweep_id", "name", "view", "created_ms", "expires_ms"))
)


def _require_sweep(connection: sa.Connection, sweep_id: int) -> None:
    found = sa.select(sweep.c.id).where(sweep.c.id == sweep_id, is_shown())
    if connection.execute(found).first() is None:
        raise UnknownSweepError(f"there is no sweep {sweep_id}")


def _checked_name(name: str) -> str:
    name = name.strip()
    if len(name) > MAX_NAME_LENGTH or not is_printable(name):
        raise InvalidInputError.of(
            "name", f"{quoted(name)} is no printable text of up to {MAX_NAME_LENGTH} characters"
        )
    return name


def _checked_view(view: str) -> str:
    """Return the query of an address without its question mark; raises InvalidInputError if it is none."""
    view = view.removeprefix("?")
    if len(view) > MAX_VIEW_LENGTH or not _QUERY.fullmatch(view):
        raise InvalidInputError.of(
            "view", f"{quoted(view)} is no query of an address of up to {MAX_VIEW_LENGTH} characters"
        )
    return view
