"""Pages of sweeps with very few trials in a real browser: what they say is right for one as well."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from browsing import Visit
from playwright.sync_api import expect
from webservice import Hands, copy_of, serving, sweep_body

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def served(market_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Hands]]:
    """Return an address, and hands to replay what is submitted there."""
    home = copy_of(market_template, tmp_path_factory.mktemp("small-sweeps"))
    hands = Hands(home)
    with serving(home) as address:
        yield address, hands
    hands.close()


def finished(served: tuple[str, Hands], **changes: Any) -> str:
    """Return the address of the page of a finished sweep."""
    address, hands = served
    response = httpx2.post(f"{address}/sweeps", json=sweep_body(**changes)).raise_for_status()
    sweep_id = int(response.json()["id"])
    hands.work(sweep_id)
    return f"{address}/dashboard/sweeps/{sweep_id}"


def test_page_of_one_trial_without_trades_counts_it_in_the_singular(
    served: tuple[str, Hands], visit: Visit
) -> None:
    page = visit.page
    page.goto(f"{finished(served, grid={'min_funding_rate': ['0.9']})}?metric=win_rate")
    expect(page.locator("#distribution-text")).to_have_text(
        "No selected trial has a value. 1 selected trial has none."
    )
    expect(page.locator("#selected")).to_have_text("1 finished trial")
    assert visit.complaints == []


def test_times_stand_beside_parallel_axes_as_days_and_minutes(
    served: tuple[str, Hands], visit: Visit
) -> None:
    page = visit.page
    page.goto(finished(served, grid={"min_funding_rate": ["0.0001", "0.9"]}))
    texts = ["2024-01-31T00:00:00Z", "2024-01-31T16:00:00Z", "0.0001", "BTC/USDT:USDT,ETH/USDT:USDT"]
    labels = page.evaluate(
        """async (texts) => {
            const found = document.querySelector('link[rel="modulepreload"][href*="parallel.js"]');
            const { clipped } = await import(found.href);
            return texts.map(clipped);
        }""",
        texts,
    )
    assert labels == ["2024-01-31", "2024-01-31 16:00", "0.0001", "BTC/USDT:USDT,E…"]
    assert visit.complaints == []
