"""A trial in a real browser: curves, parts of the net, months, trades down to settlements, configuration."""

import json
from decimal import Decimal
from typing import Any

import httpx2
import pytest
from axe import violations
from browsing import Visit
from playwright.sync_api import Page, expect
from webservice import Hands, sweep_body

pytestmark = pytest.mark.e2e


@pytest.fixture
def trial(address: str, hands: Hands) -> str:
    """Return the address of the best of 20 trials."""
    response = httpx2.post(f"{address}/sweeps", json=sweep_body())
    sweep_id = int(response.raise_for_status().json()["id"])
    hands.work(sweep_id)
    number = httpx2.get(f"{address}/sweeps/{sweep_id}").json()["best_trial"]["number"]
    return f"{address}/dashboard/sweeps/{sweep_id}/trials/{number}"


def of_api(trial: str, part: str = "") -> Any:
    return httpx2.get(trial.replace("/dashboard", "") + part).json()


def drawn(page: Page) -> None:
    expect(page.locator("#equity[data-drawn]")).to_be_visible(timeout=20_000)
    expect(page.locator("#funding[data-drawn]")).to_be_visible(timeout=20_000)
    expect(page.locator('[data-place="fall"] svg').first).to_be_visible()
    expect(page.locator("button.opener").first).to_be_visible()


def exact(texts: list[str | None]) -> list[Decimal]:
    return [Decimal((text or "").partition(" ")[0].replace(",", "")) for text in texts]


def test_page_tells_where_the_net_came_from_to_the_last_digit(trial: str, visit: Visit) -> None:
    page = visit.page
    page.goto(trial)
    drawn(page)
    metrics = of_api(trial)["metrics"]
    cells = page.locator(".fall td.num")
    *parts, net = exact([cell.get_attribute("title") for cell in cells.all()])
    assert sum(parts) == net == Decimal(metrics["net_pnl"])
    assert parts[0] == Decimal(metrics["total_funding"])
    expect(cells.last).to_have_text(f"{net:,.2f}")
    assert exact([page.locator(".months tbody tr td strong").first.text_content()]) == [round(net, 2)]
    expect(page.locator('[data-place="data"]')).to_contain_text("perp 1 h")
    expect(page.locator("#switches")).to_have_text("Funding settled every 8 h throughout.")
    expect(page.locator("#badges .badge").first).to_be_visible()
    assert [url for url in visit.requests if not url.startswith((trial[:20], "data:", "blob:"))] == []
    assert visit.complaints == []


def test_trade_opens_down_to_its_settlements_by_keyboard(trial: str, visit: Visit) -> None:
    page = visit.page
    page.goto(trial)
    drawn(page)
    trade = of_api(trial, "/trades")["trades"][0]
    opener = page.locator("button.opener").first
    opener.focus()
    page.keyboard.press("Enter")
    story = page.locator(".story")
    expect(story.get_by_role("heading", name="What it saw when it entered")).to_be_visible()
    expect(opener).to_have_attribute("aria-expanded", "true")
    rows = story.locator(".settlements tbody tr")
    count = trade["funding_payments"]
    expect(rows).to_have_count(min(count, 100))
    if count > 100:
        story.get_by_role("button", name="Next page").click()
        expect(story.locator(".pager span")).to_contain_text("101 to")
    while story.get_by_role("button", name="Next page").is_enabled():
        before = story.locator(".pager span").text_content()
        story.get_by_role("button", name="Next page").click()
        expect(story.locator(".pager span")).not_to_have_text(before or "")
    assert exact([rows.last.locator("td").last.text_content()]) == [Decimal(trade["funding"])]
    opener.click()
    expect(story).to_have_count(0)
    assert visit.complaints == []


def test_zoom_of_one_chart_zooms_the_other_and_double_click_shows_all_again(trial: str, visit: Visit) -> None:
    page = visit.page
    page.goto(trial)
    drawn(page)
    everything = page.locator("#equity").get_attribute("data-drawn")
    box = page.locator("#equity .drawing").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] * 0.3, box["y"] + 40)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.6, box["y"] + 60, steps=5)
    page.mouse.up()
    expect(page.locator("#equity")).not_to_have_attribute("data-drawn", everything or "")
    shown = int(page.locator("#equity").get_attribute("data-drawn") or 0)
    assert shown < int(everything or 0) / 2
    expect(page.locator("#funding")).to_have_attribute("data-drawn", str(shown - 2))
    page.mouse.dblclick(box["x"] + box["width"] * 0.5, box["y"] + 50)
    expect(page.locator("#equity")).to_have_attribute("data-drawn", everything or "")
    assert visit.complaints == []


def test_first_paint_has_the_curve_and_paper_and_phones_have_room_for_all(trial: str, visit: Visit) -> None:
    page = visit.page
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(trial)
    drawn(page)
    # The stored curve travels with the page: nothing asks for it again, and no script of note is loaded.
    assert [url for url in visit.requests if "/curve?" in url] == []
    scripts = "performance.getEntriesByType('resource').filter(e => e.name.endsWith('.js'))"
    assert 0 < sum(page.evaluate(f"{scripts}.map(e => e.decodedBodySize)")) < 400_000
    expect(page.locator("table.years tbody tr")).to_have_count(1)
    made = of_api(trial)["metrics"]["annualized_return"]
    expect(page.locator("#verdict")).to_contain_text(f"Made {100 * made:,.2f} % a year")
    expect(page.locator('[data-place="wrong"]')).to_contain_text("The tightest short, BTC/USDT:USDT opened")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    chart = page.locator("#equity")
    chart.focus()
    page.keyboard.press("End")
    expect(chart.locator(".chart-reading")).to_contain_text("Equity")
    page.get_by_role("link", name="Trade on paper").click()
    expect(page.locator("#config-text")).to_be_visible()
    number = trial.rpartition("/")[2]
    promoted = f"carrygrid sweep promote {trial.split('/')[-3]} {number} --output run.json"
    line = page.locator(".copied-line")
    expect(line.locator("code")).to_have_text(f"{promoted} && carrygrid paper run.json")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    line.get_by_role("button", name="Copy").click()
    expect(line.get_by_role("button")).to_have_text("Copied")
    assert page.evaluate("navigator.clipboard.readText()") == f"{promoted} && carrygrid paper run.json"
    expect(page.locator("#paper")).to_contain_text("started from a shell: it is a separate process")

    page.set_viewport_size({"width": 703, "height": 1000})
    page.emulate_media(media="print")
    expect(page.locator(".topbar")).to_be_hidden()
    expect(page.locator(".badges .rule").first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 703
    assert page.pdf(format="A4").startswith(b"%PDF")
    assert visit.complaints == []


def test_configuration_is_downloaded_as_it_ran(trial: str, visit: Visit) -> None:
    page = visit.page
    page.goto(trial)
    config = {name: value for name, value in of_api(trial)["config"].items() if value is not None}
    with page.expect_download() as download:
        page.get_by_role("link", name="Download").click()
    assert json.loads(download.value.path().read_text()) == config
    page.get_by_text("As a file, and for paper trading").click()
    assert json.loads(page.locator("#config-text").text_content() or "") == config
    rerun = page.get_by_role("link", name="Rerun with changes")
    number = trial.rpartition("/")[2]
    sweep_id = trial.split("/")[-3]
    expect(rerun).to_have_attribute("href", f"/dashboard/backtest?sweep={sweep_id}&trial={number}")
    assert visit.complaints == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_page_keeps_the_rules_of_accessibility(trial: str, visit: Visit, theme: str) -> None:
    page = visit.page
    page.add_init_script(f"localStorage.setItem('theme', '{theme}')")
    page.goto(trial)
    drawn(page)
    page.locator("button.opener").first.click()
    expect(page.locator(".story")).to_be_visible()
    assert violations(page) == []


def test_evidence_is_asked_for_once_seen_and_drawn_with_its_figures(trial: str, visit: Visit) -> None:
    page = visit.page
    page.goto(trial)
    drawn(page)
    asked = [url for url in visit.requests if url.endswith(("/bands", "/random-entries", "/regimes"))]
    assert asked == []
    page.locator("#evidence").scroll_into_view_if_needed()
    expect(page.locator("#bands[data-drawn]")).to_be_visible(timeout=20_000)
    expect(page.locator("#random-entries[data-drawn]")).to_be_visible(timeout=20_000)
    bands, entries = of_api(trial, "/bands")["bands"], of_api(trial, "/random-entries")
    expect(page.locator("#bands-note")).to_contain_text(f"{Decimal(bands['equity']['95'][-1]):,.2f}")
    expect(page.locator("#random-entries-note")).to_contain_text(f"{100 * entries['p']:.2f} %")
    rows = page.locator("#regimes tr")
    assert [row.locator("td").first.text_content() for row in rows.all()] == [
        one["regime"] for one in of_api(trial, "/regimes")["regimes"]
    ]
    assert violations(page) == []
    assert visit.complaints == []
