"""Pages of sweeps with very few trials in a real browser: what they say is right for one as well."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from browsing import Visit
from playwright.sync_api import expect
from webservice import BASE, Hands, copy_of, serving, sweep_body

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


def test_ticks_of_an_axis_take_as_many_digits_as_tell_them_apart(
    served: tuple[str, Hands], visit: Visit
) -> None:
    page = visit.page
    page.goto(finished(served, grid={"min_funding_rate": ["0.0001"]}))
    texts = page.evaluate(
        """async (axes) => {
            const found = document.querySelector('link[rel="modulepreload"][href*="format.js"]');
            const { shortTicks } = await import(found.href);
            return axes.map(([ticks, kind]) => shortTicks(ticks, kind).map(({ text }) => text));
        }""",
        [
            [[0, 0.0005, 0.001, 0.0015], "share"],
            [[-0.01, 0, 0.01], "share"],
            [[1.001, 1.002], "ratio"],
            [[0, 0.5, 1], "count"],
            [[10_001, 10_002], "money"],
            [[5_000, 10_000], "money"],
        ],
    )
    assert texts == [
        ["0.00%", "0.05%", "0.10%", "0.15%"],
        ["-1.0%", "0.0%", "1.0%"],
        ["1.001", "1.002"],
        ["0.0", "0.5", "1.0"],
        ["10.001K", "10.002K"],
        ["5.00K", "10.0K"],
    ]


def test_cells_of_several_symbols_break_between_them(served: tuple[str, Hands], visit: Visit) -> None:
    page = visit.page
    symbols = [["BTC/USDT:USDT", "ETH/USDT:USDT"], ["BTC/USDT:USDT"]]
    base = {name: value for name, value in BASE.items() if name != "symbols"}
    page.goto(finished(served, base=base, grid={"symbols": symbols, "perp_leverage": [1, 2, 3]}))
    cell = page.locator("#trials td.wrap").first
    lines = cell.evaluate(
        """(cell) => {
            const lines = new Map();
            for (const node of cell.childNodes) {
                if (node.nodeType !== Node.TEXT_NODE) continue;
                for (let at = 0; at < node.length; at++) {
                    const range = document.createRange();
                    range.setStart(node, at);
                    range.setEnd(node, at + 1);
                    const top = Math.round(range.getBoundingClientRect().top);
                    lines.set(top, (lines.get(top) ?? "") + node.data[at]);
                }
            }
            return [...lines.values()];
        }"""
    )
    assert "".join(lines) == "BTC/USDT:USDT,ETH/USDT:USDT"
    assert set(lines) <= {"BTC/USDT:USDT,ETH/USDT:USDT", "BTC/USDT:USDT,", "ETH/USDT:USDT"}
