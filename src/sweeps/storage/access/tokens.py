"""Named tokens by which programs call the API: made once, shown once, kept as digests."""

import hashlib
import secrets
from dataclasses import dataclass

import sqlalchemy as sa

from bot.errors import InvalidInputError
from bot.market_store.database import database_now_ms
from bot.models import DAY_MS
from bot.notation import quoted
from sweeps.storage.access.scopes import Scope
from sweeps.storage.tables import api_token

MAX_NAME_LENGTH = 64
_PREFIX = "cg_"
_RANDOM_BYTES = 32


@dataclass(frozen=True, slots=True)
class Token:
    """A token as it is kept; it is random enough for a plain SHA-256. Times in ms UTC."""

    name: str
    scope: Scope
    digest: str
    created_ms: int
    expires_ms: int | None

    def holds(self, now_ms: int) -> bool:
        """Return whether it has not expired."""
        return self.expires_ms is None or now_ms < self.expires_ms


def create_token(connection: sa.Connection, name: str, scope: Scope, days: int | None = None) -> str:
    """Store a new token and return it; nobody can show it again.

    Raises: InvalidInputError for a name that is taken or cannot be used.
    """
    if not (name.strip() and name.isprintable() and len(name) <= MAX_NAME_LENGTH and "." not in name):
        raise InvalidInputError.of(
            "name", f"{quoted(name)} is no printable name without dots of up to {MAX_NAME_LENGTH} letters"
        )
    if connection.execute(sa.select(api_token.c.name).where(api_token.c.name == name)).first() is not None:
        raise InvalidInputError.of("name", f"there is a token {quoted(name)} already; revoke it first")
    text = _PREFIX + secrets.token_urlsafe(_RANDOM_BYTES)
    now = database_now_ms()
    connection.execute(
        api_token.insert().values(
            name=name,
            scope=scope,
            digest=digest_of(text),
            created_ms=now,
            expires_ms=None if days is None else now + days * DAY_MS,
        )
    )
    return text


def all_tokens(connection: sa.Connection) -> list[Token]:
    """Return every token by name, expired ones included."""
    rows = connection.execute(sa.select(api_token).order_by(api_token.c.name))
    return [Token(row.name, Scope(row.scope), row.digest, row.created_ms, row.expires_ms) for row in rows]


def revoke_token(connection: sa.Connection, name: str) -> None:
    """Delete a token; raises InvalidInputError if there is none of that name."""
    if connection.execute(api_token.delete().where(api_token.c.name == name)).rowcount != 1:
        raise InvalidInputError.of("name", f"there is no token {quoted(name)}")


def digest_of(text: str) -> str:
    """Return the hex digest under which a token is kept."""
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()
