"""Every route of the application against what docs/security.md promises of it."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from pydantic import SecretStr
from starlette.routing import BaseRoute, Mount, Route

SECURITY = Path(__file__).parents[3] / "docs" / "security.md"
PAGE = {"Accept": "text/html"}


def promised() -> list[str]:
    """Return the paths that the page on security lists as open."""
    found = re.search(r"Open without either: ([^.]+)\.", SECURITY.read_text())
    assert found is not None
    return re.findall(r"`([^`]+)`", found[1])


def asked(routes: list[BaseRoute]) -> Iterator[tuple[str, str]]:
    """Yield method and address of every route; of mounted files, one that there is."""
    for route in routes:
        if isinstance(route, Mount):
            names = {"/dashboard/static": "dashboard.css", "/static-offline-docs": "swagger-ui.css"}
            yield "GET", f"{route.path}/{names.get(route.path, '')}"
        else:
            assert isinstance(route, Route), f"{route!r} is no route over HTTP"
            path = re.sub(r"\{[^}]*\}", "1", route.path)
            yield from ((method, path) for method in sorted(route.methods or ()))


@pytest.fixture
def guarded(make_client: Callable[..., TestClient]) -> TestClient:
    return make_client(api_token=SecretStr("a token of some length"), rate_limit=0)


def flattened(routes: list[BaseRoute]) -> Iterator[BaseRoute]:
    for route in routes:
        inner = getattr(route, "original_router", None)
        yield from flattened(inner.routes) if inner is not None else [route]


def test_all_routes_but_the_promised_ones_ask_for_credentials(guarded: TestClient) -> None:
    routes = list(asked(list(flattened(guarded.app.routes))))  # type: ignore[attr-defined]
    assert len(routes) > 50
    open_paths = set()
    for method, path in routes:
        plain = guarded.request(method, path)
        page = guarded.request(method, path, headers=PAGE, follow_redirects=False)
        if plain.status_code == 401 and (
            page.status_code in {401, 403} or "/login?next=" in str(page.headers)
        ):
            continue
        open_paths.add(path)
    assert {"/metrics", "/docs", "/openapi.json", "/readyz", "/sweeps/1/events", "/data/imports"} <= {
        path for _, path in routes
    } - open_paths
    expected = promised()
    assert {path for path in open_paths if not path.startswith(tuple(expected))} == set()
    assert {one for one in expected if not any(path.startswith(one) for path in open_paths)} == set()


@pytest.mark.parametrize(
    "path",
    [
        "/dashboard/static/../../sweeps",
        "/dashboard/static/%2e%2e/%2e%2e/sweeps",
        "/dashboard/static/..%2f..%2fsettings.py",
        "/healthz/",
        "/healthz/../sweeps",
        "//healthz",
        "/dashboard/login/",
        "/dashboard/login/../data",
    ],
)
def test_no_spelling_of_an_open_path_leads_elsewhere(guarded: TestClient, path: str) -> None:
    answer = guarded.request("GET", path, follow_redirects=False)
    assert answer.status_code in {307, 401, 404}
    assert "sweeps" not in answer.text or answer.json()["status"] in {401, 404}
