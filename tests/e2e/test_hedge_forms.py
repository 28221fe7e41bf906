"""Hedges of several legs, exchanges and structures, picked in the forms in a real browser."""

import json
import re
from pathlib import Path
from typing import Any

import axe
import httpx2
import pytest
from browsing import Visit
from playwright.sync_api import Locator, Page, Route, expect
from webservice import Hands, with_second_exchange

from bot.market_store.deleting import Selection
from bot.market_store.store import HistoricalDataStore

pytestmark = pytest.mark.e2e
TWO_WAYS = "ETH/USDT:USDT<>ETH/USDC:USDC"


@pytest.fixture(scope="module")
def market_template(market_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the markets with a month of a second exchange beside three of the first."""
    return with_second_exchange(market_template, tmp_path_factory.mktemp("exchanges"))


@pytest.fixture
def store(hands: Hands) -> HistoricalDataStore:
    return HistoricalDataStore(hands.engine)


def opened(page: Page, address: str, path: str) -> None:
    page.goto(f"{address}{path}")
    expect(page.locator("#plan[data-trials]")).to_be_visible()


def written(page: Page) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(page.locator("#spec").input_value())
    return document


def choose(page: Page, field: str, value: str) -> None:
    page.locator(f"#{field}").select_option(value)


def choose_perps(page: Page, address: str) -> None:
    """Open the form for backtests with both legs on perps: a hedge that can be replayed is checked."""
    opened(page, address, "/dashboard/backtest")
    choose(page, "structure", "perp_perp")
    expect(page.get_by_label(TWO_WAYS)).to_be_checked()


def add_hedge(page: Page, long_leg: str, short_leg: str) -> str:
    """Add a hedge by its legs in one direction, and return its name, which is checked."""
    page.locator("#other-hedge summary").click()
    choose(page, "long-leg", long_leg)
    choose(page, "short-leg", short_leg)
    page.locator("#add-hedge").click()
    name = f"{long_leg}>{short_leg}"
    expect(page.get_by_label(name)).to_be_checked()
    return name


def legs(page: Page) -> Locator:
    return page.locator("#legs tbody tr")


def test_perps_of_two_exchanges_are_picked_run_and_told_with_what_is_held_of_both(
    address: str, visit: Visit, store: HistoricalDataStore
) -> None:
    page = visit.page
    opened(page, address, "/dashboard/backtest")
    expect(page.locator("#legs")).to_be_hidden()
    choose(page, "structure", "perp_perp")
    expect(page.get_by_label(TWO_WAYS)).to_be_checked()
    choose(page, "short-exchange", "synthetic-2")
    expect(page.get_by_label("BTC/USDT:USDT", exact=True)).to_be_checked()
    expect(page.locator("#symbols")).not_to_contain_text("ETH/USDT:USDT<>ETH/USDC:USDC")
    expect(legs(page)).to_contain_text(
        [
            re.compile("long BTC/USDT:USDT on synthetic.*2024-01-01 to 2024-04-01.*brackets, fees, life"),
            re.compile("short BTC/USDT:USDT on synthetic-2.*2024-01-01 to 2024-02-01"),
        ]
    )
    expect(page.locator("#held")).to_have_text("held: 2024-01-01 to 2024-02-01")
    # What is asked for beyond the days of the second exchange is said before anything is submitted.
    expect(page.locator("#plan")).to_contain_text("Refused")
    page.get_by_role("button", name="all held").click()
    expect(page.locator("#plan[data-trials]")).to_be_visible()
    run = written(page)
    assert {
        name: run[name] for name in ("exchange", "structure", "short_exchange", "symbols", "start", "end")
    } == {
        "exchange": "synthetic",
        "structure": "perp_perp",
        "short_exchange": "synthetic-2",
        "symbols": ["BTC/USDT:USDT"],
        "start": "2024-01-01",
        "end": "2024-02-01",
    }
    assert "end_dead_markets" not in run
    page.get_by_role("button", name="Use preset perp_perp").click()
    expect(page.get_by_role("button", name="Use preset perp_perp")).to_be_hidden()
    assert written(page)["wallet_trigger"] == "0.2"
    assert axe.violations(page) == []
    page.get_by_role("button", name="Run backtest").click()
    page.wait_for_url(re.compile(r"/dashboard/backtests/\d+$"))
    config = httpx2.get(f"{address}/backtests/{page.url.rpartition('/')[2]}").json()["request"]["config"]
    assert (config["structure"], config["short_exchange"]) == ("perp_perp", "synthetic-2")


def test_another_hedge_is_made_of_two_legs_by_keyboard_alone(
    address: str, visit: Visit, store: HistoricalDataStore
) -> None:
    page = visit.page
    opened(page, address, "/dashboard/backtest")
    page.locator("#structure").focus()
    page.keyboard.type("long perp, short perp")
    page.keyboard.press("Tab")
    details = page.locator("#other-hedge")
    expect(page.locator("#long-leg option")).not_to_have_count(
        0
    )  # they come with the answer about the structure
    details.locator("summary").focus()
    page.keyboard.press("Enter")
    page.locator("#long-leg").focus()
    page.keyboard.type("BTC/USDT:USDT on synthetic-2")
    page.keyboard.press("Tab")
    page.keyboard.press("Home")
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    name = "BTC/USDT:USDT@synthetic-2<>BTC/USDT:USDT@synthetic"
    expect(page.get_by_label(name)).to_be_checked()
    expect(legs(page).filter(has_text="on synthetic-2")).to_contain_text("2024-01-01 to 2024-02-01")
    assert name in written(page)["symbols"]


def test_what_is_not_held_is_said_before_a_run_is_submitted(
    address: str, visit: Visit, store: HistoricalDataStore
) -> None:
    store.remove(Selection.parse(exchange="synthetic", symbol="BTC/USDT:USDT", series="spot"))
    store.remove(Selection.parse(exchange="synthetic", series="borrow"))
    page = visit.page
    opened(page, address, "/dashboard/backtest")
    choose(page, "structure", "reverse")
    missing = "BTC/USDT:USDT (no spot candles of BTC/USDT are held for synthetic)"
    expect(page.get_by_label(missing)).to_be_visible()
    expect(page.locator("#spec")).to_have_value(re.compile('"structure": "reverse"'))
    error = page.locator("[data-field*='borrow_rate_hourly'] .field-error")
    expect(error).to_contain_text("no borrow rate is recorded in the range asked")
    page.get_by_label("borrow_rate_hourly").fill("0.000004")
    expect(page.locator("#plan[data-trials]")).to_be_visible()
    choose(page, "structure", "inverse")
    expect(page.get_by_label("ETH/USD:ETH", exact=True)).to_be_checked()
    choose(page, "structure", "spot_perp")
    expect(page.locator("#legs")).to_be_hidden()
    assert "structure" not in written(page)
    assert written(page)["end_dead_markets"] is True


def test_sweep_of_two_exchanges_is_planned_from_the_form(
    address: str, visit: Visit, store: HistoricalDataStore
) -> None:
    page = visit.page
    opened(page, address, "/dashboard/sweeps/new")
    choose(page, "structure", "perp_perp")
    choose(page, "short-exchange", "synthetic-2")
    expect(page.get_by_label("BTC/USDT:USDT", exact=True)).to_be_checked()
    page.locator("#preset").select_option("perp_perp")
    page.get_by_role("button", name="all held").click()
    expect(page.locator("#plan[data-trials]")).to_be_visible()
    spec = written(page)
    assert (spec["base"]["preset"], spec["base"]["short_exchange"]) == ("perp_perp", "synthetic-2")
    page.get_by_label("each on its own: an axis of the sweep").check()
    page.get_by_label("ETH/USDT:USDT", exact=True).check()
    expect(legs(page)).to_have_count(4)
    assert written(page)["grid"]["symbols"] == ["BTC/USDT:USDT", "ETH/USDT:USDT"]
    expect(page.locator("#plan")).to_contain_text("symbols")


def test_axis_that_some_values_of_another_read_is_tied_to_them_and_let_go_again(
    address: str, visit: Visit, store: HistoricalDataStore
) -> None:
    page = visit.page
    opened(page, address, "/dashboard/sweeps/new")

    def vary(name: str, values: str) -> None:
        row = page.locator(f".param[data-param={name}]")
        row.locator("select.mode").select_option("list")
        row.locator("[data-part=list]").fill(values)

    group = page.locator("details.params").filter(has=page.locator("[data-param=order_style]"))
    expect(group).not_to_have_attribute("open", "")
    group.locator("summary").click()
    vary("spot_maker", "0.001, 0.0005")
    assert written(page)["grid"]["spot_maker"] == ["0.001", "0.0005"]
    vary("order_style", "taker, maker")
    tied = {"values": ["0.001", "0.0005"], "when": {"order_style": ["maker"]}}
    assert written(page)["grid"]["spot_maker"] == tied
    expect(page.locator("[data-param=spot_maker] [data-when]")).to_have_text(
        "only where order_style is maker"
    )
    page.locator("[data-param=order_style] select.mode").select_option("default")
    assert written(page)["grid"]["spot_maker"] == ["0.001", "0.0005"]


@pytest.mark.parametrize("path", ["/dashboard/backtest", "/dashboard/sweeps/new"])
def test_what_ends_stale_markets_is_left_out_with_one_click_where_a_parameter_makes_hedges_of_a_run(
    address: str, visit: Visit, path: str
) -> None:
    page = visit.page
    opened(page, address, path)
    row = page.locator(".param[data-param=impact_bps]")
    page.locator("details.params").filter(has=row).locator("summary").click()
    if path.endswith("new"):
        row.locator("select.mode").select_option("list")
        row.locator("[data-part=list]").fill("0, 5")
    else:
        row.locator("[data-part=value]").fill("5")
    page.locator("#leave-out").click()
    expect(page.locator("#plan[data-trials]")).to_be_visible()
    base = written(page).get("base", written(page))
    assert "end_dead_markets" not in base


def test_nothing_is_asked_that_is_refused_while_hedges_are_looked_for(
    address: str, visit: Visit, store: HistoricalDataStore
) -> None:
    page = visit.page
    opened(page, address, "/dashboard/backtest")
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route(re.compile("/data/hedges"), hold)
    page.clock.install()
    asked = len(visit.requests)
    choose(page, "structure", "perp_perp")
    page.clock.run_for(2_000)
    assert len(held) == 1
    assert [url for url in visit.requests[asked:] if url.endswith("/validate")] == []
    with page.expect_response(re.compile("/validate$")) as checked:
        page.unroute(re.compile("/data/hedges"))  # which lets go of what was held
        page.clock.resume()
    assert checked.value.ok
    expect(page.get_by_label(TWO_WAYS)).to_be_checked()
    assert visit.complaints == []


def test_select_all_takes_no_symbol_of_another_structure_while_an_answer_is_awaited(
    address: str, visit: Visit, store: HistoricalDataStore
) -> None:
    page = visit.page
    choose_perps(page, address)
    page.route("**/data/hedges?*", lambda _route: None)
    added = add_hedge(page, "BTC/USDT:USDT@synthetic-2", "BTC/USDT:USDT@synthetic")
    page.get_by_role("button", name="select all").click()
    assert written(page)["symbols"] == [TWO_WAYS, added]


def test_select_all_leaves_out_a_hedge_that_its_two_way_form_stands_for(
    address: str, visit: Visit, store: HistoricalDataStore
) -> None:
    page = visit.page
    choose_perps(page, address)
    page.get_by_label(TWO_WAYS).uncheck()
    one = add_hedge(page, "ETH/USDT:USDT@synthetic", "ETH/USDC:USDC@synthetic")
    page.get_by_role("button", name="select all").click()
    expect(page.get_by_label(TWO_WAYS)).to_be_checked()
    expect(page.get_by_label(one)).not_to_be_checked()
    assert one not in written(page)["symbols"]
    expect(page.locator("#plan[data-trials]")).to_be_visible()
