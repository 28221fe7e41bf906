"""Who calls: the holder of the master token, or of a named one with its scope."""

import hmac
from dataclasses import dataclass

from api.dependencies import Database
from bot.clock import Clock
from sweeps.scope import Scope
from sweeps.tokens import Token, all_tokens, digest_of

SESSION_SECONDS = 7 * 24 * 3600
_MEMORY_MS = 2_000


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody who may call; the master token has no name."""

    name: str
    scope: Scope


MASTER = Caller("", Scope.FULL)


class Callers:
    """Recognizes tokens and sessions; those of a revoked token end within two seconds."""

    def __init__(self, master: str, clock: Clock) -> None:
        self._master = master
        self._clock = clock
        self._tokens: list[Token] = []
        self._known_ms = -_MEMORY_MS

    async def by_token(self, given: str, database: Database) -> Caller | None:
        """Return who holds a token, None if nobody does."""
        if same_text(given, self._master):
            return MASTER
        digest = digest_of(given)
        found = [token for token in await self._named(database) if same_text(token.digest, digest)]
        return Caller(found[0].name, found[0].scope) if found else None

    async def by_session(self, cookie: str, database: Database) -> Caller | None:
        """Return whose session a cookie is, None if it is nobody's, or over."""
        name, _, rest = cookie.partition(".")
        expires, _, signature = rest.partition(".")
        if not same_text(signature, self._signature(name, expires)):
            return None
        if not expires.isdecimal() or int(expires) * 1000 <= self._clock.now_ms():
            return None
        if not name:
            return MASTER
        found = [token for token in await self._named(database) if _in_cookies(token.name) == name]
        return Caller(found[0].name, found[0].scope) if found else None

    def session(self, caller: Caller) -> str:
        """Return the cookie of a session of `caller`, valid for a week."""
        name, expires = _in_cookies(caller.name), str(self._clock.now_ms() // 1000 + SESSION_SECONDS)
        return f"{name}.{expires}.{self._signature(name, expires)}"

    def _signature(self, name: str, expires: str) -> str:
        text = f"carrygrid session of {name} until {expires}".encode("utf-8", "replace")
        return hmac.digest(self._master.encode(), text, "sha256").hex()

    async def _named(self, database: Database) -> list[Token]:
        now_ms = self._clock.now_ms()
        if not 0 <= now_ms - self._known_ms < _MEMORY_MS:
            self._tokens = await database.read(all_tokens)
            self._known_ms = now_ms
        return [token for token in self._tokens if token.holds(now_ms)]


def _in_cookies(name: str) -> str:
    return name.encode().hex()


def same_text(given: str, expected: str) -> bool:
    """Return whether both are equal, in a time that does not depend on where they differ."""
    return hmac.compare_digest(given.encode("utf-8", "replace"), expected.encode("utf-8", "replace"))
