"""Principals of the API: the holder of the master token, or of a named one with its scope."""

import hmac
import secrets
from collections import OrderedDict
from dataclasses import dataclass

from api.work.database_threads import Database
from bot.clock import Clock
from sweeps.storage.access.scopes import Scope
from sweeps.storage.access.sessions import Session, end_session, find_session, store_session
from sweeps.storage.access.tokens import Token, all_tokens, digest_of

SESSION_SECONDS = 7 * 24 * 3600
_MEMORY_MS = 2_000
_MOST_SESSIONS = 1_000
_COOKIE_BYTES = 32
_LONGEST_COOKIE = 64


@dataclass(frozen=True, slots=True)
class Principal:
    """Holder of a token; `token` is the digest of a named one, the master has neither name nor digest.

    A name may be given again once its token is revoked; a digest never is.
    """

    name: str
    scope: Scope
    token: str | None = None


MASTER = Principal("", Scope.FULL)


class Principals:
    """Recognizes tokens and sessions; those of a revoked token end within two seconds.

    A session that is left ends at once in this process, within two seconds in others.
    """

    def __init__(self, master: str, clock: Clock) -> None:
        self._master = master
        self._clock = clock
        self._tokens: list[Token] = []
        self._known_ms = -_MEMORY_MS
        self._sessions: OrderedDict[str, tuple[int, Session]] = OrderedDict()

    async def by_token(self, given: str, database: Database) -> Principal | None:
        """Return the holder of a token, None if nobody holds it."""
        if same_text(given, self._master):
            return MASTER
        digest = digest_of(given)
        found = [token for token in await self._named(database) if same_text(token.digest, digest)]
        return _holder(found[0]) if found else None

    async def by_session(self, cookie: str, database: Database) -> Principal | None:
        """Return the principal of a session cookie, None if it is unknown or over."""
        if not 0 < len(cookie) <= _LONGEST_COOKIE:
            return None
        session = await self._session(self._digest(cookie), database)
        if session is None or not session.holds(self._clock.now_ms()):
            return None
        return MASTER if session.token is None else _holder(session.token)

    async def open_session(self, principal: Principal, database: Database) -> str:
        """Return the cookie of a new session of `principal`, valid for a week."""
        cookie, now_ms = secrets.token_urlsafe(_COOKIE_BYTES), self._clock.now_ms()
        await database.write(
            store_session,
            self._digest(cookie),
            principal.token,
            now_ms=now_ms,
            expires_ms=now_ms + SESSION_SECONDS * 1000,
        )
        return cookie

    async def end_session(self, cookie: str, database: Database) -> None:
        """Let a cookie be nobody's from now on."""
        digest = self._digest(cookie)
        await database.write(end_session, digest)
        self._sessions.pop(digest, None)

    def _digest(self, cookie: str) -> str:
        # Keyed, so that another master token ends every session.
        return hmac.digest(self._master.encode(), cookie.encode("utf-8", "replace"), "sha256").hex()

    async def _session(self, digest: str, database: Database) -> Session | None:
        now_ms = self._clock.now_ms()
        known_ms, session = self._sessions.get(digest, (now_ms - _MEMORY_MS, None))
        if 0 <= now_ms - known_ms < _MEMORY_MS:
            return session
        session = await database.read(find_session, digest)
        self._sessions.pop(digest, None)
        if session is not None:
            self._sessions[digest] = (now_ms, session)
            if len(self._sessions) > _MOST_SESSIONS:
                self._sessions.popitem(last=False)
        return session

    async def _named(self, database: Database) -> list[Token]:
        now_ms = self._clock.now_ms()
        if not 0 <= now_ms - self._known_ms < _MEMORY_MS:
            self._tokens = await database.read(all_tokens)
            self._known_ms = now_ms
        return [token for token in self._tokens if token.holds(now_ms)]


def _holder(token: Token) -> Principal:
    return Principal(token.name, token.scope, token.digest)


def same_text(given: str, expected: str) -> bool:
    """Return whether both are equal, in a time that does not depend on where they differ."""
    return hmac.compare_digest(given.encode("utf-8", "replace"), expected.encode("utf-8", "replace"))
