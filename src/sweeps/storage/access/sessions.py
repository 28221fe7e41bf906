"""Sessions of the dashboard: each belongs to one token, and ends with it, on expiry or on signing out."""

from dataclasses import dataclass

import sqlalchemy as sa

from sweeps.storage.access.scopes import Scope
from sweeps.storage.access.tokens import Token
from sweeps.storage.tables import api_session, api_token


@dataclass(frozen=True, slots=True)
class Session:
    """A session that has not been left; `token` None is the master token. Times in ms UTC."""

    token: Token | None
    expires_ms: int

    def holds(self, now_ms: int) -> bool:
        """Return whether neither it nor its token has expired."""
        return now_ms < self.expires_ms and (self.token is None or self.token.holds(now_ms))


def store_session(
    connection: sa.Connection, digest: str, token_digest: str | None, *, now_ms: int, expires_ms: int
) -> None:
    """Keep a session under the digest of its cookie; those that have expired by now are forgotten."""
    connection.execute(api_session.delete().where(api_session.c.expires_ms <= now_ms))
    connection.execute(
        api_session.insert().values(digest=digest, token_digest=token_digest, expires_ms=expires_ms)
    )


def find_session(connection: sa.Connection, digest: str) -> Session | None:
    """Return the session of a cookie; None if there is none, or none any more."""
    row = connection.execute(
        sa.select(
            api_session.c.token_digest,
            api_session.c.expires_ms.label("until_ms"),
            *api_token.c,
        )
        .select_from(api_session.outerjoin(api_token, api_token.c.digest == api_session.c.token_digest))
        .where(api_session.c.digest == digest)
    ).one_or_none()
    if row is None or (row.token_digest is not None and row.name is None):
        return None
    if row.token_digest is None:
        return Session(None, row.until_ms)
    token = Token(row.name, Scope(row.scope), row.digest, row.created_ms, row.expires_ms)
    return Session(token, row.until_ms)


def end_session(connection: sa.Connection, digest: str) -> None:
    """Forget a session, if there is one."""
    connection.execute(api_session.delete().where(api_session.c.digest == digest))
