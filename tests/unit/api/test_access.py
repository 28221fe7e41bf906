"""Access: by the token, by a session opened with it, and by nothing else; headers of every answer."""

import re
from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

import pytest
from fastapi.testclient import TestClient
from pydantic import SecretStr
from webservice import sweep_body

from api.dashboard.session import local_path

TOKEN = "a token of some length"
PAGE = {"Accept": "text/html"}
OWN_PAGE = {"Origin": "http://localhost"}


@pytest.fixture
def guarded(make_client: Callable[..., TestClient]) -> TestClient:
    """Return a client of an application that asks for a token."""
    return make_client(api_token=SecretStr(TOKEN))


@pytest.mark.parametrize(
    "path", ["/sweeps", "/readyz", "/openapi.json", "/docs", "/data/coverage", "/", "/nothing"]
)
@pytest.mark.parametrize(
    "authorization", [None, "Bearer", "Bearer wrong", f"Basic {TOKEN}", TOKEN, "Bearer \xe9"]
)
def test_without_the_token_nothing_is_answered(
    guarded: TestClient, path: str, authorization: str | None
) -> None:
    headers = {"Authorization": authorization.encode("latin-1")} if authorization else {}
    response = guarded.get(path, headers=headers)
    assert response.status_code == 401
    assert response.headers["www-authenticate"] == "Bearer"
    assert response.json()["type"].endswith("unauthenticated")
    assert TOKEN not in response.text


def test_token_in_the_query_is_not_taken(guarded: TestClient) -> None:
    assert guarded.get("/sweeps", params={"token": TOKEN, "CARRYGRID_API_TOKEN": TOKEN}).status_code == 401


def test_bearer_token_opens_every_route_and_liveness_needs_none(guarded: TestClient) -> None:
    assert guarded.get("/healthz").status_code == 200
    assert guarded.get("/sweeps", headers={"Authorization": f"Bearer {TOKEN}"}).status_code == 200


def test_person_without_a_session_is_led_to_the_login_and_back(guarded: TestClient) -> None:
    response = guarded.get("/dashboard/data", headers=PAGE, follow_redirects=False)
    assert (response.status_code, response.headers["location"]) == (
        303,
        "/dashboard/login?next=/dashboard/data",
    )
    assert 'name="token"' in guarded.get(response.headers["location"], headers=PAGE).text


def test_shared_address_survives_the_login_with_its_query(guarded: TestClient) -> None:
    shared = "/dashboard/compare?symbols=BTC%2FUSDT%3AUSDT&parameters=%7B%22perp_leverage%22%3A2%7D"
    led = guarded.get(shared, headers=PAGE, follow_redirects=False)
    form = parse_qs(urlsplit(led.headers["location"]).query)
    assert form["next"] == [shared]
    response = guarded.post("/dashboard/login", data={"next": shared, "token": TOKEN}, follow_redirects=False)
    assert response.headers["location"] == shared


def test_query_too_long_to_carry_is_left_behind_at_the_login(guarded: TestClient) -> None:
    led = guarded.get(f"/dashboard/compare?start={'x' * 9000}", headers=PAGE, follow_redirects=False)
    assert led.headers["location"] == "/dashboard/login?next=/dashboard/compare"


def test_right_token_buys_a_session_for_pages_and_their_requests(guarded: TestClient) -> None:
    form = {"token": TOKEN, "next": "/dashboard/data"}
    response = guarded.post("/dashboard/login", data=form, follow_redirects=False)
    cookie = response.headers["set-cookie"]
    assert (response.status_code, response.headers["location"]) == (303, "/dashboard/data")
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert TOKEN not in cookie
    assert guarded.get("/", headers=PAGE).status_code == 200
    assert guarded.get("/sweeps").status_code == 200
    guarded.post("/dashboard/logout", headers=OWN_PAGE)
    assert guarded.get("/sweeps").status_code == 401


@pytest.mark.parametrize(
    "body", [b"token=wrong", b"", b"token=", b"\xff\xfe=%ff", b"token=" + b"x" * 100_000]
)
def test_wrong_token_buys_nothing(guarded: TestClient, body: bytes) -> None:
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    response = guarded.post("/dashboard/login", content=body, headers=headers)
    assert response.status_code == 401
    assert "set-cookie" not in response.headers
    assert guarded.get("/sweeps").status_code == 401


@pytest.mark.parametrize(
    "target", ["https://elsewhere.example", "//elsewhere.example", "/\\elsewhere.example", "x", "/a\r\nb"]
)
def test_login_never_leads_to_another_site(target: str) -> None:
    assert local_path(target) == "/"


def test_page_of_another_site_cannot_change_anything(client: TestClient) -> None:
    sweep_id = client.post("/sweeps", json=sweep_body()).json()["id"]
    foreign = client.post(f"/sweeps/{sweep_id}/cancel", headers={"Origin": "https://elsewhere.example"})
    own = client.post(f"/sweeps/{sweep_id}/cancel", headers={"Origin": "http://localhost"})
    assert foreign.status_code == 403
    assert foreign.json()["type"].endswith("cross_site")
    assert own.json()["state"] == "cancelled"


@pytest.mark.parametrize(
    ("sender", "status"),
    [
        (OWN_PAGE, 202),
        ({"Sec-Fetch-Site": "same-origin"}, 202),
        ({}, 401),
        ({"Sec-Fetch-Site": "cross-site"}, 401),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://localhost.elsewhere.example"}, 403),
    ],
)
def test_session_vouches_for_writes_of_our_own_pages_only(
    guarded: TestClient, sender: dict[str, str], status: int
) -> None:
    guarded.post("/dashboard/login", data={"token": TOKEN})
    assert guarded.post("/sweeps", json=sweep_body(), headers=sender).status_code == status
    assert len(guarded.get("/sweeps").json()["sweeps"]) == (status == 202)


@pytest.mark.parametrize("path", ["/", "/sweeps", "/healthz", "/nothing", "/sweeps/x"])
def test_every_answer_carries_the_security_headers(client: TestClient, path: str) -> None:
    headers = client.get(path).headers
    policy = headers["content-security-policy"]
    assert re.search(r"script-src 'self' 'sha256-[A-Za-z0-9+/=]+';", policy)
    assert "frame-ancestors 'none'" in policy
    assert "default-src 'none'" in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
    assert "access-control-allow-origin" not in headers


def test_unexpected_error_is_answered_with_a_reference_only(client: TestClient) -> None:
    client.app.state.database = None  # type: ignore[attr-defined]
    response = client.get("/sweeps")
    assert response.status_code == 500
    assert response.headers["content-type"] == "application/problem+json"
    assert "content-security-policy" in response.headers
    assert "NoneType" not in response.text
    assert "logged as" in response.json()["detail"]
