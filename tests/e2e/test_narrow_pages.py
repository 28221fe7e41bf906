"""Pages at 320 px, where a reader at a desk zooms to 400 %: none has to be scrolled sideways to be read."""

from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from browsing import Visit
from playwright.sync_api import expect
from webservice import Hands, copy_of, serving, sweep_body

pytestmark = pytest.mark.e2e
WIDTH = 320
PAGES = {
    "/": "#sweep-list",
    "/dashboard/sweeps/1": "#funnel li",
    "/dashboard/sweeps/1/trials/3": "dl.pairs.wide",
    "/dashboard/sweeps/new": "main form",
    "/dashboard/backtest": ".param.single",
    "/dashboard/compare": "main form",
    "/dashboard/compare?trials=1:3,1:4": "table",
    "/dashboard/data": ".data-form",
    "/dashboard/data/pairs": "table",
    "/dashboard/data/pair?exchange=synthetic&symbol=BTC/USDT:USDT": "dl.pairs.wide",
    "/dashboard/glossary": "dl",
}


@pytest.fixture(scope="module")
def address(market_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Serve a finished sweep."""
    home = copy_of(market_template, tmp_path_factory.mktemp("narrow"))
    hands = Hands(home)
    with serving(home) as address:
        httpx2.post(f"{address}/sweeps", json=sweep_body()).raise_for_status()
        hands.work(1)
        yield address
    hands.close()


@pytest.mark.parametrize(("path", "part"), PAGES.items())
def test_page_is_no_wider_than_a_narrow_window(address: str, visit: Visit, path: str, part: str) -> None:
    page = visit.page
    page.set_viewport_size({"width": WIDTH, "height": 700})
    page.goto(f"{address}{path}")
    expect(page.locator(part).first).to_be_attached()
    page.wait_for_load_state("networkidle")
    assert page.evaluate("document.documentElement.scrollWidth") == WIDTH
