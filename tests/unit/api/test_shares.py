"""Read-only links: what they open, what they refuse, how they end, and that no page leads out of them."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient
from pydantic import SecretStr
from webservice import DATABASE, Hands, Reader, copy_of, sweep_body

from api.application import create_app
from api.settings import Settings
from bot.market_store.database import write_transaction
from carrygrid import Client
from sweeps.storage.tables import sweep_share

TOKEN = "a token of some length"
OWNER = {"Authorization": f"Bearer {TOKEN}"}
PAGE = {"Accept": "text/html"}
ADDRESSES = re.compile(r'(?:href|action|src|data-[a-z-]+)="(/[^"]*)"')


@pytest.fixture(scope="module")
def hands(market_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hands]:
    working = Hands(copy_of(market_template, tmp_path_factory.mktemp("shares")))
    yield working
    working.close()


@pytest.fixture(scope="module")
def guarded(hands: Hands) -> Iterator[TestClient]:
    """Return a client of an application that asks for a token."""
    home = Path(hands.engine.url.database or "").parent
    settings = Settings(
        home=home, database_url=f"sqlite:///{home / DATABASE}", api_token=SecretStr(TOKEN), rate_limit=0
    )
    with TestClient(create_app(settings), "http://localhost", raise_server_exceptions=False) as client:
        yield client


@pytest.fixture(scope="module")
def owned(guarded: TestClient, hands: Hands) -> int:
    """Return the id of a sweep of 20 trials that has completed, beside one more."""
    ids = [guarded.post("/sweeps", json=sweep_body(name=name), headers=OWNER).json()["id"] for name in "ab"]
    hands.work(ids[0])
    return int(ids[0])


def made(client: TestClient, sweep_id: int, **asked: Any) -> dict[str, Any]:
    answer = client.post(f"/sweeps/{sweep_id}/shares", json=asked, headers=OWNER)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_link_leads_without_a_token_to_the_page_with_the_view_it_was_made_for(
    guarded: TestClient, owned: int
) -> None:
    share = made(guarded, owned, view="?metric=net_pnl&perp_leverage=1..2&pins=3,7")
    entered = guarded.get(share["address"], headers=PAGE, follow_redirects=False)
    page = f"{share['address']}/dashboard/sweeps/{owned}"
    wanted = f"{page}?metric=net_pnl&perp_leverage=1..2&pins=3,7"
    assert (entered.status_code, entered.headers["location"]) == (303, wanted)
    assert guarded.get(wanted, headers=PAGE).status_code == 200
    for below in ("/trials/0", "/trials/0/glance", "/verdict", "/progress", "/pins?trials=0&metric=sharpe"):
        assert guarded.get(page + below, headers=PAGE).status_code == 200, below
    api = f"{share['address']}/sweeps/{owned}"
    for below in ("", "/trials", "/overview", "/export?format=csv", "/trials/0/years", "/marks"):
        assert guarded.get(api + below).status_code == 200, below


def test_pages_below_a_link_lead_nowhere_else_and_offer_no_change(guarded: TestClient, owned: int) -> None:
    address = made(guarded, owned)["address"]
    guarded.patch(f"/sweeps/{owned}", json={"tags": ["btc"]}, headers=OWNER)
    pages = [
        f"/dashboard/sweeps/{owned}{rest}"
        for rest in (
            "",
            "/progress",
            "/verdict",
            "/trials",
            "/trials/0",
            "/trials/0/report",
            "/trials/0/trades",
            "/pins?trials=0,1&metric=sharpe",
            "/years?trials=0",
            "/selection",
        )
    ]
    for page in (*pages, "/dashboard/glossary"):
        text = guarded.get(f"{address}{page}", headers=PAGE).text
        assert text
        led = {one for one in ADDRESSES.findall(text) if not one.startswith("/dashboard/static/")}
        assert {one for one in led if not one.startswith(f"{address}/")} == set(), page
        answers = {one: guarded.get(one.replace("&amp;", "&").split("#")[0]).status_code for one in led}
        assert {one: status for one, status in answers.items() if status not in {200, 409, 422}} == {}, page
        for word in ("data-action", "data-opens", "data-mark=", "data-promotes", "data-pick", "Sign out"):
            assert word not in text, (page, word)


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize(
    "rest", ["", "/sweeps/{}", "/sweeps/{}/cancel", "/sweeps/{}/trials/0", "/sweeps/{}/shares", "/sweeps"]
)
def test_every_change_below_a_link_is_refused(
    guarded: TestClient, owned: int, method: str, rest: str
) -> None:
    address = made(guarded, owned)["address"]
    answer = guarded.request(method, address + rest.format(owned), json={"name": "changed"}, headers=OWNER)
    assert (answer.status_code, answer.headers["content-type"]) == (403, "application/problem+json")
    assert answer.json()["detail"] == "this link only shows its sweep; nothing can be changed by it"
    assert guarded.get(f"/sweeps/{owned}", headers=OWNER).json()["name"] == "a"


@pytest.mark.parametrize(
    "rest",
    [
        "/sweeps",
        "/sweeps/{other}",
        "/sweeps/{other}/trials",
        "/dashboard/sweeps/{other}",
        "/sweeps/{own}0",
        "/sweeps/{own}/../{other}",
        "/sweeps/{own}/%2e%2e/{other}",
        "/sweeps/{own}/shares",
        "/sweeps/{own}/notification",
        "/dashboard/sweeps/new",
        "/dashboard/compare?trials={own}:0,{other}:0",
        "/dashboard/data",
        "/data/coverage",
        "/looks",
        "/metrics",
        "/openapi.json",
        "//sweeps/{own}",
        "/shared",
    ],
)
def test_nothing_but_its_sweep_is_reached_below_a_link(guarded: TestClient, owned: int, rest: str) -> None:
    address = made(guarded, owned)["address"]
    answer = guarded.get(address + rest.format(own=owned, other=owned + 1))
    assert answer.status_code == 404
    assert address not in answer.text
    assert '"name"' not in answer.text


def test_link_ends_when_it_is_revoked_when_its_days_are_over_and_with_its_sweep(
    guarded: TestClient, hands: Hands
) -> None:
    owned = int(guarded.post("/sweeps", json=sweep_body(name="c"), headers=OWNER).json()["id"])
    revoked, ended = made(guarded, owned, name="desk"), made(guarded, owned, days=1)
    kept = made(guarded, owned)
    listed = guarded.get(f"/sweeps/{owned}/shares", headers=OWNER).json()["shares"]
    assert [(one["id"], one["name"]) for one in listed] == [
        (kept["id"], ""),
        (ended["id"], ""),
        (revoked["id"], "desk"),
    ]
    assert all("address" not in one for one in listed)
    page = f"/dashboard/sweeps/{owned}"
    path = f"/sweeps/{owned}/shares/{revoked['id']}"
    assert guarded.delete(path, headers=OWNER).status_code == 204
    assert guarded.delete(path, headers=OWNER).status_code == 404
    with write_transaction(hands.engine) as connection:
        connection.execute(sweep_share.update().where(sweep_share.c.id == ended["id"]).values(expires_ms=1))
    for share in (revoked, ended):
        refused = guarded.get(share["address"] + page, headers=PAGE)
        assert refused.status_code == 404
        assert "this link is unknown, has ended, or does not lead there" in refused.text
        assert 'href="/"' not in refused.text
    assert guarded.get(kept["address"] + page).status_code == 200
    guarded.delete(f"/sweeps/{owned}", headers=OWNER)
    assert guarded.get(kept["address"] + page).status_code == 404
    with hands.engine.connect() as connection:
        gone = sa.select(sweep_share).where(sweep_share.c.sweep_id == owned)
        assert connection.execute(gone).all() == []


def test_of_a_link_only_a_digest_is_kept_and_no_guess_opens_anything(
    guarded: TestClient, owned: int, hands: Hands
) -> None:
    token = made(guarded, owned)["address"].removeprefix("/shared/")
    with hands.engine.connect() as connection:
        assert token not in str(connection.execute(sa.select(sweep_share)).all())
    assert len(token) == 43
    for guess in ("", "x", token[:-1], token + "x", token.swapcase(), "x" * 65, "%00", "a/../b"):
        assert guarded.get(f"/shared/{guess}/sweeps/{owned}").status_code == 404, guess


def test_owner_alone_makes_lists_and_revokes_links(guarded: TestClient, owned: int) -> None:
    path = f"/sweeps/{owned}/shares"
    assert guarded.post(path, json={}).status_code == 401
    assert guarded.get(path).status_code == 401
    assert guarded.post("/sweeps/99/shares", json={}, headers=OWNER).status_code == 404
    assert guarded.get("/sweeps/99/shares", headers=OWNER).status_code == 404


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"view": "metric=a b"}, "view"),
        ({"view": "metric=a\r\nSet-Cookie: x"}, "view"),
        ({"view": "x" * 4001}, "view"),
        ({"name": "a\x07"}, "name"),
        ({"name": "x" * 201}, "name"),
        ({"days": 0}, "days"),
        ({"days": "many"}, "days"),
        ({"token": "mine"}, "token"),
    ],
)
def test_refused_link_names_its_field(
    guarded: TestClient, owned: int, body: dict[str, Any], field: str
) -> None:
    answer = guarded.post(f"/sweeps/{owned}/shares", json=body, headers=OWNER)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == field


def test_service_without_a_token_shows_below_a_link_what_others_do(reader: Reader) -> None:
    client, finished = reader.client, reader.sweep_id
    address = made(client, finished)["address"]
    assert "Read-only link" in client.get(address, headers=PAGE).text
    assert client.post(f"{address}/sweeps/{finished}/cancel").status_code == 403
    assert "Read-only link" not in client.get(f"/dashboard/sweeps/{finished}", headers=PAGE).text


def test_client_makes_lists_and_revokes_links(address: str) -> None:
    with Client(address) as client:
        sweep = client.submit(sweep_body())
        share = sweep.share(name="desk", view="metric=net_pnl", days=3)
        assert share.address is not None
        assert share.address.startswith(f"{address}/shared/")
        assert [(one.name, one.view, one.address) for one in sweep.shares()] == [
            ("desk", "metric=net_pnl", None)
        ]
        sweep.revoke_share(share.id)
        assert sweep.shares() == []
