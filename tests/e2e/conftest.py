"""A real Chromium, and a served application with a market to replay."""

import os
import shutil
from collections.abc import Iterator

import pytest
from browsing import Visit
from interfaces import interfaces
from playwright.sync_api import Browser, expect, sync_playwright
from servers import skip_or_fail

_BROWSERS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
_FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Return Chromium: the one named in CARRYGRID_TEST_BROWSER, or else the one on PATH.

    Its build without windows shows the same pages with half the processor time, so that comes first.
    It ends with its module: while it runs, its event loop would be in the way of asynchronous tests.
    """
    named = os.environ.get("CARRYGRID_TEST_BROWSER")
    path = named or next(filter(None, map(shutil.which, _BROWSERS)), None)
    if path is None:
        skip_or_fail("no browser: install chromium, or name one in CARRYGRID_TEST_BROWSER")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(_FLAGS))
        yield browser
        browser.close()


@pytest.fixture(autouse=True)
def network() -> Iterator[None]:
    """Keep the network as it is while a page is looked at."""
    with interfaces(changing=False):
        yield


@pytest.fixture
def visit(browser: Browser) -> Iterator[Visit]:
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.set_default_timeout(30_000)
    # The machine may be busy with other tests: how long a page takes is measured elsewhere.
    expect.set_options(timeout=30_000)
    yield Visit(page)
    page.close()
