"""The dashboard in a real browser, over real rows."""

from pathlib import Path

import httpx2
import pytest
from browsing import Visit
from playwright.sync_api import expect
from webservice import Hands, serving, sweep_body

pytestmark = pytest.mark.e2e
HOSTILE = '<img src=x onerror="document.title=1"> & {{ 7 * 7 }}'


def submit(address: str, **changes: object) -> int:
    response = httpx2.post(f"{address}/sweeps", json=sweep_body(**changes))
    return int(response.raise_for_status().json()["id"])


def test_sweep_is_watched_to_its_end_and_a_cell_leads_to_its_trial(
    address: str, visit: Visit, hands: Hands
) -> None:
    page = visit.page
    sweep_id = submit(address)
    hands.split(sweep_id, 5)
    hands.work(sweep_id, chunks=1)

    page.goto(f"{address}/")
    page.get_by_role("link", name="entry x exit x leverage").click()
    expect(page.locator("#progress .facts")).to_contain_text("5 of 20")
    expect(page.locator("#progress .state")).to_have_text("running")

    hands.work(sweep_id)
    expect(page.locator("#progress .state")).to_have_text("completed")
    expect(page.locator("#progress .facts")).to_contain_text("20 of 20")
    rows = httpx2.get(f"{address}/sweeps/{sweep_id}/trials", params={"distinct": "1"}).json()["trials"]
    expect(page.locator("#trials tbody tr")).to_have_count(len(rows))

    verdict = httpx2.get(f"{address}/sweeps/{sweep_id}/verdict").raise_for_status().json()
    expect(page.locator("#verdict .verdict-sentence")).to_have_text(verdict["sentence"])  # it moves the map
    expect(page.locator("#heatmap[data-settled]")).to_be_visible()
    sides = {side: page.locator(f"select[name={side}]").input_value() for side in ("x", "y")}
    cells = httpx2.get(f"{address}/sweeps/{sweep_id}/heatmap", params=sides).json()
    page.locator("#heatmap canvas").dblclick()
    page.wait_for_url("**/trials/*")
    number = int(page.url.rpartition("/")[2])
    assert number in {trial for row in cells["trials"] for trial in row}

    equity = httpx2.get(f"{address}/sweeps/{sweep_id}/trials/{number}/equity").json()["equity"]
    expect(page.locator("#equity[data-drawn]")).to_have_attribute(
        "data-drawn", str(len(equity)), timeout=20_000
    )
    expect(page.locator("#trades")).to_contain_text("1 to 1 of 1 trade, in the order they ended")
    expect(page.get_by_text("Synthetic data.")).to_be_visible()

    assert [url for url in visit.requests if not url.startswith((address, "data:", "blob:"))] == []
    assert visit.complaints == []


def test_axes_metric_and_order_are_chosen_and_kept_in_the_address(
    address: str, visit: Visit, hands: Hands
) -> None:
    page = visit.page
    sweep_id = submit(address)
    hands.work(sweep_id)
    page.goto(f"{address}/dashboard/sweeps/{sweep_id}")
    expect(page.locator("#heatmap[data-drawn]")).to_be_visible()
    page.locator("select[name=x]").select_option("perp_leverage")
    page.locator("select[name=y]").select_option("exit_funding_rate")
    page.locator("select[name=metric]").select_option("net_pnl")
    page.locator("select[name=agg]").select_option("worst")
    expect(page.locator("#heatmap")).to_have_attribute(
        "data-drawn", "perp_leverage exit_funding_rate net_pnl worst"
    )
    page.get_by_role("button", name="Net P&L", exact=True).click()
    expect(page.locator('#trials th[aria-sort="descending"]')).to_have_text("Net P&L")

    page.reload()
    expect(page.locator("#heatmap")).to_have_attribute(
        "data-drawn", "perp_leverage exit_funding_rate net_pnl worst"
    )
    expect(page.locator('#trials th[aria-sort="descending"]')).to_have_text("Net P&L")
    assert visit.complaints == []


def test_map_is_asked_for_once_with_the_page_and_by_its_scripts_where_the_address_chooses(
    address: str, visit: Visit, hands: Hands
) -> None:
    page, sweep_id = visit.page, submit(address)
    hands.work(sweep_id)
    for choice, asked_by in (("", "link"), ("?metric=net_pnl", "fetch")):
        page.goto(f"{address}/dashboard/sweeps/{sweep_id}{choice}")
        expect(page.locator("#heatmap[data-settled]")).to_be_visible()
        maps = page.evaluate(
            """performance.getEntriesByType("resource").filter(({ name }) => name.includes("/map?"))
               .map(({ initiatorType }) => initiatorType)"""
        )
        assert maps == [asked_by]
    assert visit.complaints == []


def test_button_above_the_list_keeps_off_its_filter_on_a_phone(address: str, visit: Visit) -> None:
    page = visit.page
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"{address}/")
    button = page.locator(".title-line .button").bounding_box()
    field = page.get_by_label("Name or tag").bounding_box()
    assert button is not None
    assert field is not None
    assert field["y"] - (button["y"] + button["height"]) >= 8


def test_hostile_name_is_text(address: str, visit: Visit, hands: Hands) -> None:
    page = visit.page
    sweep_id = submit(address, name=HOSTILE)
    hands.work(sweep_id)
    for path in ("/", f"/dashboard/sweeps/{sweep_id}", f"/dashboard/sweeps/{sweep_id}/trials/0"):
        page.goto(address + path)
        expect(page.locator("main").get_by_text(HOSTILE).first).to_be_visible()
        assert page.locator("main img").count() == 0
    assert visit.complaints == []


def test_page_finds_its_sweep_again_after_the_server_restarted(
    home: Path, visit: Visit, hands: Hands
) -> None:
    page = visit.page
    with serving(home) as address:
        port = int(address.rpartition(":")[2])
        sweep_id = submit(address)
        page.goto(f"{address}/dashboard/sweeps/{sweep_id}")
        expect(page.locator("#progress .state")).to_have_text("queued")
    with serving(home, port=port):
        hands.work(sweep_id)
        expect(page.locator("#progress .state")).to_have_text("completed")


def test_colours_follow_the_choice_of_the_reader(address: str, visit: Visit) -> None:
    page = visit.page
    page.goto(address)
    root = page.locator("html")
    expect(root).to_have_attribute("data-theme", "light")
    page.get_by_role("button", name="Light / dark").click()
    expect(root).to_have_attribute("data-theme", "dark")
    page.reload()
    expect(root).to_have_attribute("data-theme", "dark")


def test_api_documentation_works_without_the_internet(address: str, visit: Visit) -> None:
    visit.page.goto(f"{address}/docs")
    expect(visit.page.get_by_text("Submit a sweep")).to_be_visible()
    assert [url for url in visit.requests if not url.startswith((address, "data:"))] == []
    assert visit.complaints == []


def test_a_sweep_that_ends_is_told_of_on_whatever_page_somebody_is(
    address: str, visit: Visit, hands: Hands
) -> None:
    page = visit.page
    page.clock.install()
    # A browser without windows has refused notifications before anybody is asked.
    page.add_init_script("Object.defineProperty(Notification, 'permission', { value: 'default' })")
    done, cancelled = submit(address, name=HOSTILE), submit(address, reuse=False)
    page.goto(f"{address}/dashboard/glossary")
    expect(page.get_by_role("button", name="Notify me")).to_be_visible()
    hands.work(done)
    httpx2.post(f"{address}/sweeps/{cancelled}/cancel").raise_for_status()
    page.clock.run_for(5_000)
    told = page.locator(".toast")
    expect(told).to_have_count(2)
    expect(told.filter(has_text="is done")).to_contain_text(HOSTILE)
    expect(told.filter(has_text="was cancelled")).to_contain_text("entry x exit x leverage")
    told.filter(has_text="was cancelled").get_by_label("Close this message").click()
    told.get_by_role("link").click()
    page.wait_for_url(f"**/dashboard/sweeps/{done}")
    expect(page.locator(".toast")).to_have_count(0)
    assert visit.complaints == []
