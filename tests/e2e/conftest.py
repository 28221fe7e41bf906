"""A real Chromium, and a served application with a market to replay."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Request, sync_playwright
from servers import skip_or_fail
from webservice import Hands, copy_of, make_template, serving

_FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Return Chromium: the one named in CARRYGRID_TEST_BROWSER, or else the one on PATH."""
    named = os.environ.get("CARRYGRID_TEST_BROWSER")
    path = (
        named or shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    )
    if path is None:
        skip_or_fail("no browser: install chromium, or name one in CARRYGRID_TEST_BROWSER")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(_FLAGS))
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def market_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_template(tmp_path_factory.mktemp("market"))


@pytest.fixture
def home(market_template: Path, tmp_path: Path) -> Path:
    return copy_of(market_template, tmp_path / "home")


@pytest.fixture
def hands(home: Path) -> Iterator[Hands]:
    hands = Hands(home)
    yield hands
    hands.close()


@pytest.fixture
def address(home: Path) -> Iterator[str]:
    """Return where the application is served."""
    with serving(home) as address:
        yield address


class Visit:
    """A page with what it asked for and what it complained about."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.requests: list[str] = []
        self.complaints: list[str] = []
        page.on("request", self._note_request)
        page.on("console", lambda message: self._note_complaint(message.type, message.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _note_request(self, request: Request) -> None:
        self.requests.append(request.url)

    def _note_complaint(self, kind: str, text: str) -> None:
        if kind in {"error", "warning"}:
            self.complaints.append(text)


@pytest.fixture
def visit(browser: Browser) -> Iterator[Visit]:
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.set_default_timeout(30_000)
    yield Visit(page)
    page.close()
