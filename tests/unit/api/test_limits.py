"""Limits of a principal: scope, name of the server, rate of requests, and free space."""

import shutil
from collections import namedtuple
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from pydantic import SecretStr
from webservice import DATABASE, sweep_body

from api.middleware.throttle import BURST_SECONDS, LOGINS_PER_MINUTE, Buckets
from bot.market_store.database import open_engine, write_transaction
from carrygrid.cli import main
from sweeps.storage.access.scopes import Scope
from sweeps.storage.access.tokens import create_token

MASTER = "a token of some length"
Disk = namedtuple("Disk", "total used free")
MakeClient = Callable[..., TestClient]


@pytest.fixture
def named(home: Path) -> Iterator[Callable[[str, Scope], dict[str, str]]]:
    """Return a function that makes a token and gives the header that presents it."""
    engine = open_engine(f"sqlite:///{home / DATABASE}")

    def make(name: str, scope: Scope) -> dict[str, str]:
        with write_transaction(engine) as connection:
            return {"Authorization": f"Bearer {create_token(connection, name, scope)}"}

    yield make
    engine.dispose()


def test_a_reading_token_sees_everything_and_changes_nothing(
    make_client: MakeClient, named: Callable[[str, Scope], dict[str, str]]
) -> None:
    reader, writer = named("grafana", Scope.READ), named("ci", Scope.FULL)
    client = make_client(api_token=SecretStr(MASTER))
    assert client.get("/sweeps", headers=reader).status_code == 200
    assert client.post("/sweeps/validate", json=sweep_body(), headers=reader).status_code == 200
    run = sweep_body()["base"]
    assert client.post("/backtests/validate", json=run, headers=reader).status_code == 200
    refused = client.post("/sweeps", json=sweep_body(), headers=reader)
    assert (refused.status_code, refused.json()["detail"]) == (403, 'the token "grafana" may only read')
    assert client.post("/sweeps", json=sweep_body(), headers=writer).status_code == 202
    for method, path in (("DELETE", "/sweeps/1"), ("PATCH", "/sweeps/1"), ("POST", "/backtests")):
        assert client.request(method, path, headers=reader).status_code == 403


def test_a_session_has_the_scope_of_the_token_it_was_bought_with(
    make_client: MakeClient, named: Callable[[str, Scope], dict[str, str]]
) -> None:
    token = named("guest", Scope.READ)["Authorization"].removeprefix("Bearer ")
    client = make_client(api_token=SecretStr(MASTER))
    client.post("/dashboard/login", data={"token": token})
    assert client.get("/", headers={"Accept": "text/html"}).status_code == 200
    own = {"Origin": "http://localhost"}
    assert client.post("/sweeps", json=sweep_body(), headers=own).status_code == 403
    assert client.post("/dashboard/logout", headers=own, follow_redirects=False).status_code == 303


def test_tokens_are_made_listed_and_revoked_in_a_shell_and_kept_as_digests(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CARRYGRID_DATABASE_URL", f"sqlite:///{home / DATABASE}")
    assert status("token", "list") == 0
    assert "no tokens yet" in capsys.readouterr().out
    assert status("token", "create", "grafana", "--days", "30") == 0
    token = capsys.readouterr().out.strip()
    assert token.startswith("cg_")
    assert status("token", "create", "grafana") == 2
    assert 'there is a token "grafana" already' in capsys.readouterr().err
    assert status("token", "list", "--json") == 0
    listed = capsys.readouterr().out
    assert '"name": "grafana", "scope": "read"' in listed
    kept = b"".join(path.read_bytes() for path in home.iterdir() if path.is_file())
    assert token not in listed
    assert token.encode() not in kept
    assert status("token", "revoke", "grafana") == 0
    assert status("token", "revoke", "grafana") == 2


def status(*arguments: str) -> int:
    with pytest.raises(SystemExit) as left:
        main(arguments)
    assert isinstance(left.value.code, int)
    return left.value.code


@pytest.mark.parametrize(
    ("host", "answer"),
    [
        ("localhost", 200),
        ("LOCALHOST:8000", 200),
        ("127.0.0.1:8000", 200),
        ("[::1]:8000", 200),
        ("carry.example", 421),
        ("localhost.carry.example", 421),
        ("127.0.0.1.carry.example:80", 421),
        ("[::1", 421),
        ("", 421),
    ],
)
def test_without_a_token_only_names_of_this_machine_are_answered(
    client: TestClient, host: str, answer: int
) -> None:
    assert client.get("/sweeps", headers={"Host": host}).status_code == answer


def test_names_can_be_listed_and_a_token_allows_any(make_client: MakeClient) -> None:
    listed = make_client(allowed_hosts="carry.example, Grid.Example")
    assert listed.get("/sweeps", headers={"Host": "grid.example:80"}).status_code == 200
    assert listed.get("/sweeps", headers={"Host": "localhost"}).status_code == 421
    guarded = make_client(api_token=SecretStr(MASTER))
    bearer = {"Authorization": f"Bearer {MASTER}", "Host": "any.example"}
    assert guarded.get("/sweeps", headers=bearer).status_code == 200


def test_who_asks_too_often_is_put_off_and_told_for_how_long(make_client: MakeClient) -> None:
    client = make_client(rate_limit=1)
    answers = [client.get("/strategies") for _ in range(BURST_SECONDS + 3)]
    put_off = [answer for answer in answers if answer.status_code == 429]
    assert len(put_off) >= 2
    assert {answer.headers["retry-after"] for answer in put_off} == {"1"}
    assert put_off[0].json()["type"].endswith("too_many_requests")
    assert client.get("/healthz").status_code == 200


def test_guessing_tokens_at_the_login_is_slowed_down(make_client: MakeClient) -> None:
    client = make_client(api_token=SecretStr(MASTER))
    guesses = [client.post("/dashboard/login", data={"token": "x"}) for _ in range(LOGINS_PER_MINUTE + 1)]
    assert [guess.status_code for guess in guesses] == [401] * LOGINS_PER_MINUTE + [429]


def test_a_bucket_fills_again_at_its_rate_for_each_client_by_itself() -> None:
    buckets = Buckets(per_second=2, most=3)
    assert [buckets.wait_s("a", 0) for _ in range(4)] == [0, 0, 0, 0.5]
    assert buckets.wait_s("b", 0) == 0
    assert buckets.wait_s("a", 499) > 0
    assert [buckets.wait_s("a", 1_000), buckets.wait_s("a", 1_000)] == [0, 0.0 + buckets.wait_s("c", 1_000)]
    assert [buckets.wait_s("a", 60_000) for _ in range(4)][:3] == [0, 0, 0]


def test_a_sweep_that_does_not_fit_on_the_disk_is_refused_before_it_is_stored(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: Disk(10**9, 10**9 - 10**7, 10**7))
    refused = client.post("/sweeps", json=sweep_body())
    assert refused.status_code == 507
    assert "10,000,000 are free" in refused.json()["detail"]
    assert client.get("/sweeps").json()["sweeps"] == []


def test_sweeps_beyond_what_may_wait_are_put_off_and_leave_nothing(make_client: MakeClient) -> None:
    client = make_client(max_open_trials=30)
    assert client.post("/sweeps", json=sweep_body()).status_code == 202
    refused = client.post("/sweeps", json=sweep_body(name="second"))
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "10")
    assert "would hold 40 trials, at most 30 may wait" in refused.json()["detail"]
    assert client.post("/sweeps/1/clone", json={}).status_code == 429
    assert [sweep["id"] for sweep in client.get("/sweeps").json()["sweeps"]] == [1]
    client.post("/sweeps/1/cancel")
    assert client.post("/sweeps", json=sweep_body(name="second")).status_code == 202
