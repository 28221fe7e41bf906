"""Tokens and sessions: each session of one token, for a week at most, ended by whoever may end it."""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import pytest
from fastapi.testclient import TestClient
from pydantic import SecretStr
from webservice import DATABASE

from api.middleware.principals import MASTER, SESSION_SECONDS, Principal, Principals, same_text
from bot.clock import SimulatedClock
from bot.market_store.database import open_engine, write_transaction
from sweeps.storage.access.scopes import Scope
from sweeps.storage.access.tokens import create_token, digest_of, revoke_token
from sweeps.storage.tables import api_session

NOW_MS = 1_700_000_000_000
MASTER_TOKEN = "a token of some length"
OWN_PAGE = {"Origin": "http://localhost"}


class Door:
    """Principals with a clock and the database of `home`, asked synchronously; counts what is read."""

    def __init__(self, home: Path, master: str = "secret") -> None:
        self.clock = SimulatedClock(NOW_MS)
        self.engine = open_engine(f"sqlite:///{home / DATABASE}")
        self.principals = Principals(master, self.clock)
        self.reads = 0

    async def read(self, query: Callable[..., Any], *args: Any) -> Any:
        self.reads += 1
        with self.engine.connect() as connection:
            return query(connection, *args)

    async def write(self, command: Callable[..., Any], *args: Any, **values: Any) -> Any:
        with write_transaction(self.engine) as connection:
            return command(connection, *args, **values)

    def by_token(self, given: str) -> Principal | None:
        return asyncio.run(self.principals.by_token(given, cast("Any", self)))

    def by_session(self, cookie: str) -> Principal | None:
        return asyncio.run(self.principals.by_session(cookie, cast("Any", self)))

    def sign_in(self, given: str) -> str:
        principal = self.by_token(given)
        assert principal is not None
        return asyncio.run(self.principals.open_session(principal, cast("Any", self)))

    def sign_out(self, cookie: str) -> None:
        asyncio.run(self.principals.end_session(cookie, cast("Any", self)))

    def new_token(self, name: str, scope: Scope = Scope.READ, days: int | None = None) -> str:
        with write_transaction(self.engine) as connection:
            return create_token(connection, name, scope, days)

    def revoke(self, name: str) -> None:
        with write_transaction(self.engine) as connection:
            revoke_token(connection, name)

    def pass_s(self, seconds: float) -> None:
        self.clock.advance_to(self.clock.now_ms() + int(seconds * 1000))

    def sessions(self) -> int:
        with self.engine.connect() as connection:
            return len(connection.execute(api_session.select()).all())


@pytest.fixture
def make_door(home: Path) -> Iterator[Callable[..., Door]]:
    doors: list[Door] = []

    def make(**options: Any) -> Door:
        doors.append(Door(home, **options))
        return doors[-1]

    yield make
    for each in doors:
        each.engine.dispose()


@pytest.fixture
def door(make_door: Callable[..., Door]) -> Door:
    return make_door()


def test_session_holds_for_its_token_until_it_expires(door: Door) -> None:
    cookie = door.sign_in("secret")
    assert door.by_session(cookie) == MASTER
    door.pass_s(SESSION_SECONDS - 0.001)
    assert door.by_session(cookie) == MASTER
    door.pass_s(0.001)
    assert door.by_session(cookie) is None


@pytest.mark.parametrize(
    "cookie", ["", ".", "..", "1.2", ".1.2", "abc", "9" * 400, "².x.y", "é.é.é", "\udcff"]
)
def test_a_made_up_session_is_refused(door: Door, cookie: str) -> None:
    door.sign_in("secret")
    assert door.by_session(cookie) is None


def test_a_session_of_another_master_token_is_refused(make_door: Callable[..., Door]) -> None:
    cookie = make_door().sign_in("secret")
    assert make_door().by_session(cookie) == MASTER
    assert make_door(master="other").by_session(cookie) is None


def test_what_is_stored_of_a_session_opens_nothing(door: Door) -> None:
    cookie = door.sign_in("secret")
    with door.engine.connect() as connection:
        (row,) = connection.execute(api_session.select()).all()
    assert cookie not in row
    assert door.by_session(row.digest) is None


def test_a_session_that_is_left_is_over_for_a_kept_cookie(make_door: Callable[..., Door]) -> None:
    here, elsewhere = make_door(), make_door()
    kept, other = here.sign_in("secret"), here.sign_in("secret")
    assert (here.by_session(kept), elsewhere.by_session(kept)) == (MASTER, MASTER)
    here.sign_out(kept)
    assert here.by_session(kept) is None
    elsewhere.pass_s(2)
    assert elsewhere.by_session(kept) is None
    assert here.by_session(other) == MASTER


def test_expired_sessions_are_forgotten_at_the_next_login(door: Door) -> None:
    for _ in range(3):
        door.sign_in("secret")
    door.pass_s(SESSION_SECONDS)
    door.sign_in("secret")
    assert door.sessions() == 1


def test_a_named_token_is_known_by_its_digest_and_asked_for_once_in_a_while(door: Door) -> None:
    text = door.new_token("reader")
    expected = Principal("reader", Scope.READ, digest_of(text))
    assert door.by_token(text) == expected
    assert door.by_token(digest_of(text)) is None
    assert door.by_token("secret") == MASTER
    assert door.reads == 1


def test_a_session_is_read_once_in_a_while(door: Door) -> None:
    cookie = door.sign_in("secret")
    for _ in range(5):
        assert door.by_session(cookie) == MASTER
    assert door.reads == 1
    door.pass_s(2)
    assert door.by_session(cookie) == MASTER
    assert door.reads == 2


def test_a_revoked_token_and_its_sessions_end_within_two_seconds(door: Door) -> None:
    text = door.new_token("reader")
    cookie = door.sign_in(text)
    assert door.by_session(cookie) is not None
    door.revoke("reader")
    door.pass_s(2)
    assert (door.by_session(cookie), door.by_token(text), door.sessions()) == (None, None, 0)


def test_a_new_token_of_the_same_name_does_not_bring_sessions_back(door: Door) -> None:
    cookie = door.sign_in(door.new_token("someone", Scope.READ))
    door.revoke("someone")
    text = door.new_token("someone", Scope.FULL)
    door.pass_s(2)
    assert door.by_session(cookie) is None
    assert door.by_token(text) == Principal("someone", Scope.FULL, digest_of(text))


def test_an_expired_token_is_nobodys_and_its_session_over(door: Door) -> None:
    text = door.new_token("old", days=1)
    cookie = door.sign_in(text)
    door.clock.advance_to(NOW_MS + 10**12)
    assert (door.by_token(text), door.by_session(cookie)) == (None, None)


def test_kept_cookie_does_not_read_after_signing_out(make_client: Callable[..., TestClient]) -> None:
    client = make_client(api_token=SecretStr(MASTER_TOKEN))
    client.post("/dashboard/login", data={"token": MASTER_TOKEN})
    (kept,) = client.cookies.jar
    assert client.get("/sweeps").status_code == 200
    client.post("/dashboard/logout", headers=OWN_PAGE)
    client.cookies.clear()
    stolen = {"Cookie": f"{kept.name}={kept.value}"}
    assert client.get("/sweeps", headers=stolen).status_code == 401


def test_any_text_can_be_compared() -> None:
    assert same_text("é", "é")
    assert not same_text("\udcff", "é")
