"""Strategies side by side in a real browser, and what stands beside a trial."""

import httpx2
import pytest
from browsing import Visit
from playwright.sync_api import expect
from webservice import Hands, sweep_body

pytestmark = pytest.mark.e2e


def completed(address: str, hands: Hands, **changes: object) -> int:
    response = httpx2.post(f"{address}/sweeps", json=sweep_body(**changes))
    sweep_id = int(response.raise_for_status().json()["id"])
    hands.work(sweep_id)
    return sweep_id


def test_trial_leads_to_a_comparison_whose_address_can_be_shared(
    address: str, visit: Visit, hands: Hands
) -> None:
    page = visit.page
    sweep_id = completed(address, hands)
    trial = httpx2.get(f"{address}/sweeps/{sweep_id}/trials/5").json()
    page.goto(f"{address}/dashboard/sweeps/{sweep_id}/trials/5")
    page.get_by_role("link", name="Compare strategies on this window").click()
    expect(page.locator("#equity")).to_have_attribute("data-lines", "3")
    assert (
        f'"min_funding_rate": "{trial["params"]["min_funding_rate"]}"'
        in page.locator("textarea").input_value()
    )
    net = page.locator("#figures tr", has=page.get_by_text("Net P&L", exact=True)).locator("td")
    expect(net.nth(1)).to_have_text(f"{float(trial['metrics']['net_pnl']):,.2f}")
    expect(page.get_by_role("heading", name="Only simple v1.0 took")).to_be_visible()
    expect(page.get_by_role("heading", name="Only composite v1.1 took")).to_be_visible()
    expect(page.get_by_text("Synthetic data.")).to_be_visible()

    shared = page.url
    shown = net.all_text_contents()
    page.goto(f"{address}/")
    page.goto(shared)
    expect(page.locator("#equity")).to_have_attribute("data-lines", "3")
    assert net.all_text_contents() == shown
    assert visit.complaints == []


def test_form_asks_for_a_comparison_of_what_is_held(address: str, visit: Visit) -> None:
    page = visit.page
    page.goto(f"{address}/")
    page.get_by_role("link", name="Compare").click()
    page.locator("select[name=symbols]").select_option(["BTC/USDT:USDT"])
    page.locator("textarea").fill('{"min_volume_24h": "0", "min_funding_rate": "0.00005"}')
    page.get_by_role("button", name="Compare").click()
    expect(page.locator("#equity")).to_have_attribute("data-lines", "3")
    assert "symbols=BTC%2FUSDT%3AUSDT" in page.url
    assert visit.complaints == []


def test_holding_and_assumptions_stand_beside_a_trial(address: str, visit: Visit, hands: Hands) -> None:
    page = visit.page
    sweep_id = completed(address, hands)
    trial = httpx2.get(f"{address}/sweeps/{sweep_id}/trials/0").json()
    page.goto(f"{address}/dashboard/sweeps/{sweep_id}/trials/0")
    expect(page.locator("#equity")).to_have_attribute("data-lines", "2")
    beside = page.locator("section", has=page.get_by_role("heading", name="Beside holding"))
    expect(beside).to_contain_text(f"{float(trial['metrics']['hold_net_pnl']):,.2f}")
    expect(page.locator("#beside")).to_contain_text("perp 1 h")

    lines = page.locator("#equity .legendtoggle")
    dashed = page.locator('#equity .js-line[style*="dash"]')
    drawn = dashed.count()
    lines.nth(1).click()
    expect(dashed).to_have_count(drawn - 1)
    assert visit.complaints == []


def test_trial_without_trades_says_what_kept_it_out(address: str, visit: Visit, hands: Hands) -> None:
    page = visit.page
    sweep_id = completed(address, hands, grid={"min_funding_rate": ["0.5", "0.6"]})
    page.goto(f"{address}/dashboard/sweeps/{sweep_id}/trials/0")
    row = page.locator("#trades tbody tr").first
    expect(row).to_contain_text("min_funding_rate")
    expect(row).to_contain_text("or below, the nearest one would have been let in")
    assert visit.complaints == []
