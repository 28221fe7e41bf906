"""The API describes itself unless it is told not to."""

from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from webservice import DATABASE

from api.application import create_app
from api.settings import Settings

PATHS = ("/docs", "/openapi.json", "/docs/oauth2-redirect", "/static-offline-docs/swagger-ui.css")


@pytest.mark.parametrize("path", PATHS)
def test_description_that_is_switched_off_is_not_found_and_no_page_leads_to_it(home: Path, path: str) -> None:
    url = f"sqlite:///{home / DATABASE}"
    settings = Settings(home=home, database_url=url, docs=False, allowed_hosts="testserver")
    with TestClient(create_app(settings)) as client:
        assert client.get(path).status_code == 404
        assert client.put("/sweeps").headers["allow"] == "GET, POST"
        page = client.get("/", headers={"Accept": "text/html"}).text
    assert "All times UTC" in page
    assert 'href="/docs"' not in page


@pytest.mark.parametrize(("text", "described"), [("off", False), ("on", True), ("", True)])
def test_environment_says_whether_it_is_described(
    text: str, described: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CARRYGRID_DOCS", text)
    assert Settings().docs is described
