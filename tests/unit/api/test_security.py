"""Sessions: signed by the master token, for a week, for nobody else."""

import asyncio
from typing import Any, cast

import pytest

from api.callers import MASTER, SESSION_SECONDS, Caller, Callers, same_text
from bot.clock import SimulatedClock
from sweeps.scope import Scope
from sweeps.tokens import Token, digest_of

NOW_MS = 1_700_000_000_000
READER = Token("reader", Scope.READ, digest_of("read me"), NOW_MS, None)


class Database:
    """Holds tokens, and counts how often it is asked for them."""

    def __init__(self, *tokens: Token) -> None:
        self.tokens = list(tokens)
        self.asked = 0

    async def read(self, _query: object) -> list[Token]:
        self.asked += 1
        return list(self.tokens)


class Door:
    """Callers with a clock and a database of tokens, asked synchronously."""

    def __init__(self, *tokens: Token, master: str = "secret") -> None:
        self.clock = SimulatedClock(NOW_MS)
        self.database = Database(*tokens)
        self.callers = Callers(master, self.clock)

    def by_token(self, given: str) -> Caller | None:
        return asyncio.run(self.callers.by_token(given, cast("Any", self.database)))

    def by_session(self, cookie: str) -> Caller | None:
        return asyncio.run(self.callers.by_session(cookie, cast("Any", self.database)))


def test_session_holds_for_its_token_until_it_expires() -> None:
    door = Door()
    cookie = door.callers.session(MASTER)
    assert door.by_session(cookie) == MASTER
    door.clock.advance_to(NOW_MS + SESSION_SECONDS * 1000 - 1)
    assert door.by_session(cookie) == MASTER
    door.clock.advance_to(NOW_MS + SESSION_SECONDS * 1000)
    assert door.by_session(cookie) is None


@pytest.mark.parametrize("cookie", ["", ".", "..", "1.2", ".1.2", "abc", "9" * 400, "².x.y", "é.é.é"])
def test_a_made_up_session_is_refused(cookie: str) -> None:
    assert Door(READER).by_session(cookie) is None


def test_a_session_of_another_master_with_another_end_or_name_is_refused() -> None:
    cookie = Door(READER).callers.session(Caller("reader", Scope.READ))
    name, expires, signature = cookie.split(".")
    assert Door(READER).by_session(cookie) == Caller("reader", Scope.READ)
    assert Door(READER, master="other").by_session(cookie) is None
    for changed in (f"{name}.{int(expires) + 1}.{signature}", f".{expires}.{signature}"):
        assert Door(READER).by_session(changed) is None


def test_a_named_token_is_known_by_its_digest_and_asked_for_once_in_a_while() -> None:
    door = Door(READER)
    assert door.by_token("read me") == Caller("reader", Scope.READ)
    assert door.by_token(READER.digest) is None
    assert door.by_token("secret") == MASTER
    assert door.database.asked == 1


def test_a_revoked_token_and_its_sessions_end_within_two_seconds() -> None:
    door = Door(READER)
    cookie = door.callers.session(Caller("reader", Scope.READ))
    assert door.by_session(cookie) is not None
    door.database.tokens.clear()
    door.clock.advance_to(NOW_MS + 2_000)
    assert door.by_session(cookie) is None
    assert door.by_token("read me") is None


def test_an_expired_token_is_nobodys() -> None:
    door = Door(Token("old", Scope.FULL, digest_of("old"), NOW_MS - 10, NOW_MS + 500))
    assert door.by_token("old") == Caller("old", Scope.FULL)
    door.clock.advance_to(NOW_MS + 500)
    assert door.by_token("old") is None


def test_any_text_can_be_compared() -> None:
    assert same_text("é", "é")
    assert not same_text("\udcff", "é")
