"""Strategies side by side in a real browser, and what stands beside a trial."""

from decimal import Decimal

import httpx2
import pytest
from axe import violations
from browsing import Visit
from playwright.sync_api import Locator, Page, expect
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
    expect(page.locator("#equity")).to_have_attribute("data-lines", "3", timeout=20_000)
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
    expect(page.locator("#equity")).to_have_attribute("data-lines", "3", timeout=20_000)
    assert net.all_text_contents() == shown
    assert visit.complaints == []


def test_form_asks_for_a_comparison_of_what_is_held(address: str, visit: Visit) -> None:
    page = visit.page
    page.goto(f"{address}/")
    page.get_by_role("link", name="Compare").click()
    page.locator("select[name=symbols]").select_option(["BTC/USDT:USDT"])
    page.locator("textarea").fill('{"min_volume_24h": "0", "min_funding_rate": "0.00005"}')
    page.get_by_role("button", name="Compare", exact=True).click()
    expect(page.locator("#equity")).to_have_attribute("data-lines", "3", timeout=20_000)
    assert "symbols=BTC%2FUSDT%3AUSDT" in page.url
    assert visit.complaints == []


def test_holding_and_assumptions_stand_beside_a_trial(address: str, visit: Visit, hands: Hands) -> None:
    page = visit.page
    sweep_id = completed(address, hands)
    trial = httpx2.get(f"{address}/sweeps/{sweep_id}/trials/0").json()
    page.goto(f"{address}/dashboard/sweeps/{sweep_id}/trials/0")
    expect(page.locator("#equity")).to_have_attribute("data-lines", "2", timeout=20_000)
    beside = page.locator("section", has=page.get_by_role("heading", name="Beside holding"))
    expect(beside).to_contain_text(f"{float(trial['metrics']['hold_net_pnl']):,.2f}")
    expect(page.locator('[data-place="data"]')).to_contain_text("perp 1 h")

    dashed = page.locator("#equity .drawing .dashed")
    assert dashed.count() > 0
    page.locator("#equity").get_by_role("button", name="Holding").click()
    expect(dashed).to_have_count(0)
    assert visit.complaints == []


def test_trial_without_trades_says_what_kept_it_out(address: str, visit: Visit, hands: Hands) -> None:
    page = visit.page
    sweep_id = completed(address, hands, grid={"min_funding_rate": ["0.5", "0.6"]})
    page.goto(f"{address}/dashboard/sweeps/{sweep_id}/trials/0")
    row = page.locator('[data-place="blocked"] tbody tr').first
    expect(row).to_contain_text("min_funding_rate")
    expect(row).to_contain_text("or below, the nearest one would have been let in")
    assert visit.complaints == []


def net_row(page: Page) -> Locator:
    return page.locator("#figures tr", has=page.get_by_text("Net P&L", exact=True)).locator("td")


def test_trials_are_picked_from_the_table_and_compared_where_they_part(
    address: str, visit: Visit, hands: Hands
) -> None:
    page = visit.page
    grid = {"min_funding_rate": ["0.00002", "0.0002"], "exit_funding_rate": ["0", "0.00005"]}
    sweep_id = completed(address, hands, grid=grid)
    page.goto(f"{address}/dashboard/sweeps/{sweep_id}")
    for number in (0, 2):
        page.get_by_role("checkbox", name=f"Pick trial {number} for a comparison").check()
    page.get_by_role("link", name="Compare 2 trials").click()
    expect(page.locator("#equity")).to_have_attribute("data-lines", "3", timeout=20_000)
    trials = [httpx2.get(f"{address}/sweeps/{sweep_id}/trials/{number}").json() for number in (0, 2)]
    nets = [Decimal(trial["metrics"]["net_pnl"]) for trial in trials]
    cells = net_row(page)
    expect(cells.nth(1)).to_have_text(f"{nets[0]:,.2f}")
    expect(cells.nth(2)).to_contain_text(f"{nets[1]:,.2f}")
    expect(cells.nth(2).locator(".away")).to_have_text(f"{nets[1] - nets[0]:+,.2f}")
    parameters = page.locator("#parameters tbody tr")
    expect(parameters).to_have_count(1)
    expect(parameters).to_contain_text("min_funding_rate")
    expect(parameters).to_contain_text("2 bp per 8 h, 21.9 % a year")
    assert page.locator(".caveat").count() == 0

    parting = page.locator("[data-parting]")
    expect(parting.get_by_role("heading")).to_have_text(f"Where {sweep_id}:0 and {sweep_id}:2 first part")
    first = parting.locator(".parted time").get_attribute("datetime")
    expect(parting.locator("tr.verdict")).to_contain_text("opened 0.1")
    expect(parting.locator("tr.verdict")).to_contain_text(
        "did not enter: min_funding_rate needs 0.0002 and was 0.0001"
    )
    parting.get_by_role("button", name="Later").click()
    expect(parting.get_by_role("heading")).to_have_text(f"Where {sweep_id}:0 and {sweep_id}:2 differ")
    assert (parting.locator(".parted time").get_attribute("datetime") or "") > (first or "")

    page.get_by_role("button", name="first", exact=True).click()
    page.wait_for_url(f"**/dashboard/compare?trials={sweep_id}:2,{sweep_id}:0")
    expect(net_row(page).nth(1)).to_have_text(f"{nets[1]:,.2f}")

    page.goto(f"{address}/dashboard/compare")
    page.get_by_role("searchbox", name="Search sweeps").fill("entry x exit")
    offered = page.locator("#pick-list li", has=page.locator(f"[data-source$='/pick/{sweep_id}']"))
    offered.get_by_text("Other trials").click()
    offered.get_by_role("checkbox", name="3", exact=True).check()
    page.get_by_role("link", name="Compare 3 trials").click()
    page.wait_for_url(f"**/dashboard/compare?trials={sweep_id}:2,{sweep_id}:0,{sweep_id}:3")
    expect(page.locator("#equity")).to_have_attribute("data-lines", "4", timeout=20_000)
    page.set_viewport_size({"width": 390, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert visit.complaints == []


def test_best_trials_of_two_sweeps_are_compared_with_what_differs_about_them(
    address: str, visit: Visit, hands: Hands
) -> None:
    page = visit.page
    body = sweep_body()["base"] | {"end": "2024-02-20"}
    ids = [completed(address, hands), completed(address, hands, base=body)]
    page.goto(f"{address}/dashboard/compare")
    page.get_by_text("Or by number").click()
    page.locator("input[name=sweeps]").fill(f"{ids[0]}, {ids[1]}")
    page.get_by_role("button", name="Compare their best trials").click()
    expect(page.locator("#equity")).to_have_attribute("data-lines", "2", timeout=20_000)
    expect(page.locator(".caveat")).to_contain_text("The windows differ (UTC)")
    # Without colours the second trial is known by the dash that the table shows for it, in every panel.
    expect(page.locator("#equity .drawing .line.look-line2")).to_have_count(2)
    expect(page.locator("#equity .drawing .line.look-line2.mixed")).to_have_count(2)
    expect(page.locator("#equity .chart-legend .line.mixed")).to_have_count(1)
    best = [httpx2.get(f"{address}/sweeps/{sweep_id}").json()["best_trial"]["number"] for sweep_id in ids]
    for sweep_id, number in zip(ids, best, strict=True):
        expect(page.locator("#who").get_by_role("link", name=f"{sweep_id}:{number}").first).to_be_visible()
    assert visit.complaints == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_comparisons_keep_the_rules_of_accessibility(
    address: str, visit: Visit, hands: Hands, theme: str
) -> None:
    page = visit.page
    page.add_init_script(f"localStorage.setItem('theme', '{theme}')")
    sweep_id = completed(address, hands)
    page.goto(f"{address}/dashboard/compare?trials={sweep_id}:0,{sweep_id}:2,{sweep_id}:5")
    expect(page.locator("#equity[data-drawn]")).to_be_visible(timeout=20_000)
    assert violations(page) == []
    page.goto(f"{address}/dashboard/compare?sweep={sweep_id}&trial=5")
    expect(page.locator("#equity[data-drawn]")).to_be_visible(timeout=20_000)
    assert violations(page) == []
