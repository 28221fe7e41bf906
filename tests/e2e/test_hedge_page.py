"""The page of a run of hedges in a real browser: wallets, margins, both legs, on a phone and in the dark."""

from decimal import Decimal
from typing import Any

import httpx2
import pytest
from axe import violations
from browsing import Visit
from playwright.sync_api import Page, expect
from sweeping import BASE
from webservice import Hands, sweep_body

from bot.market_store.store import HistoricalDataStore
from bot.market_store.synthetic.generator import generate
from bot.timestamps import parse_time_ms
from sweeps.jobs.job_runner import JobRunner

pytestmark = pytest.mark.e2e
SHORT_OF_MARGIN: dict[str, Any] = {
    **BASE,
    "symbols": ["BTC/USDT:USDT", "SOL/USDT:USDT"],
    "max_simultaneous_positions": 2,
    "perp_leverage": 8,
    "margin_model": "brackets",
    "margin_policy": "top_up",
    "margin_trigger": "0.1",
    "transfer_fee": "0.5",
    "min_funding_rate": "0.00005",
    "exit_funding_rate": "0.00001",
    "min_holding_periods": 1000,
}


@pytest.fixture
def result(address: str, hands: Hands) -> tuple[str, dict[str, Any]]:
    """Return the address of the page of a run that tops margins up, and its result document."""
    sent = httpx2.post(f"{address}/backtests", json=SHORT_OF_MARGIN).raise_for_status().json()
    JobRunner(hands.engine).run(sent["id"])
    found = httpx2.get(f"{address}/backtests/{sent['id']}").raise_for_status().json()
    return f"{address}/dashboard/backtests/{sent['id']}", found["result"]


def drawn(page: Page) -> None:
    for chart in ("equity", "accounts", "funding"):
        expect(page.locator(f"#{chart}[data-drawn]")).to_be_visible()
    expect(page.locator('[data-place="fall"] svg').first).to_be_visible()
    expect(page.locator("button.opener").first).to_be_visible()


def test_page_draws_wallets_and_margins_and_opens_both_legs(
    result: tuple[str, dict[str, Any]], visit: Visit
) -> None:
    page, (address, document) = visit.page, result
    metrics = document["metrics"]
    page.goto(address)
    drawn(page)
    chart = page.locator("#accounts")
    assert chart.get_attribute("data-panels") == "2"
    for name in ("synthetic, free cash", "short BTC/USDT:USDT@synthetic", "short SOL/USDT:USDT@synthetic"):
        expect(chart.get_by_role("button", name=name)).to_be_visible()
    chart.focus()
    page.keyboard.press("End")
    expect(chart.locator(".chart-reading")).to_contain_text(f"{Decimal(metrics['final_equity']):,.2f}")
    nearest = metrics["min_liquidation_distance"]
    expect(page.locator("#accounts-note")).to_contain_text(f"{abs(nearest) * 100:,.2f} %")
    transfers = page.locator('[data-place="transfers"]')
    expect(transfers.locator("tbody tr")).to_have_count(metrics["top_ups"])
    expect(transfers).to_contain_text("free cash synthetic")
    page.locator("button.opener").first.click()
    legs = page.locator(".story .legs tbody tr")
    expect(legs).to_have_count(4)
    coin = document["trades"][0]["symbol"].partition("/")[0]
    expect(legs.first).to_contain_text(f"long {coin}/USDT@synthetic")
    assert visit.complaints == []


def test_page_breaks_no_rule_and_fits_a_phone(result: tuple[str, dict[str, Any]], visit: Visit) -> None:
    page = visit.page
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(result[0])
    drawn(page)
    page.locator("button.opener").first.click()
    expect(page.locator(".story .legs")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        assert violations(page) == [], scheme


def test_pages_of_hedges_with_full_names_fit_a_phone(address: str, hands: Hands, visit: Visit) -> None:
    store = HistoricalDataStore(hands.engine)
    first_ms, last_ms = parse_time_ms("2024-01-01"), parse_time_ms("2024-02-01")
    generate(store, start_ms=first_ms, end_ms=last_ms, exchanges=["synthetic-2"])
    names = [f"{coin}/USDT:USDT@synthetic-2<>{coin}/USDT:USDT@synthetic" for coin in ("BTC", "SOL")]
    base = {**BASE, "structure": "perp_perp", "end": "2024-01-20", "min_funding_rate": "0"}
    del base["symbols"]
    grid = {"perp_leverage": [1, 2], "symbols": [[names[0]], names]}
    sent = httpx2.post(f"{address}/sweeps", json=sweep_body(base=base, grid=grid)).json()
    print(sent)
    hands.work(sent["id"])
    page = visit.page
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"{address}/dashboard/sweeps/{sent['id']}")
    expect(page.locator("#heatmap[data-settled]")).to_be_visible()
    expect(page.locator("#parallel[data-axes]")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    page.goto(f"{address}/dashboard/sweeps/{sent['id']}/trials/3")
    drawn(page)
    expect(page.locator("#funding-symbol option")).to_have_count(4)
    page.locator("button.opener").first.click()
    expect(page.locator(".story .legs")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") == 390
