"""The verdict on a sweep in a real browser: said at first glance, and its buttons do what they say."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from axe import violations
from browsing import Visit
from playwright.sync_api import expect
from webservice import BASE, Hands, copy_of, serving, sweep_body

pytestmark = pytest.mark.e2e
GRID = {"min_funding_rate": ["0.00002", "0.00003"], "perp_leverage": [1, 2, 3]}


@pytest.fixture(scope="module")
def sweep(market_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, int]]:
    """Serve a finished sweep whose Sharpe ratio rises towards the border of an axis; return its address."""
    home = copy_of(market_template, tmp_path_factory.mktemp("verdict-strip"))
    hands = Hands(home)
    objective = {"metric": "net_pnl", "direction": "maximize"}
    with serving(home) as address:
        response = httpx2.post(f"{address}/sweeps", json=sweep_body(grid=GRID, objective=objective))
        sweep_id = int(response.raise_for_status().json()["id"])
        hands.work(sweep_id)
        yield address, sweep_id
    hands.close()


def test_strip_says_the_verdict_explains_badges_extends_the_grid_and_promotes(
    sweep: tuple[str, int], visit: Visit, tmp_path: Path
) -> None:
    address, sweep_id = sweep
    page = visit.page
    page.set_viewport_size({"width": 1280, "height": 800})
    found: dict[str, Any] = httpx2.get(f"{address}/sweeps/{sweep_id}/verdict").raise_for_status().json()
    candidate = found["candidate"]
    page.goto(f"{address}/dashboard/sweeps/{sweep_id}")
    strip = page.locator("#verdict")
    expect(strip.locator(".verdict-sentence")).to_have_text(found["sentence"])
    box = strip.bounding_box()
    assert box
    assert box["y"] + box["height"] <= 500
    expect(page.locator("#progress")).not_to_have_attribute("open", "")
    marks = page.locator("#heatmap-marks")
    expect(marks).to_contain_text("highest perp_leverage: better ones may lie beyond")
    expect(marks).not_to_contain_text(re.compile("(lowest|highest) min_funding_rate"))  # it has two values
    beside = page.locator("#inspector")
    expect(beside.locator("strong")).to_have_text(f"Candidate: trial {candidate['trial']['number']}")
    expect(beside.locator("dl")).to_contain_text(f"Sharpe{candidate['trial']['metrics']['sharpe']:.3f}")

    rising = httpx2.get(f"{address}/sweeps/{sweep_id}/verdict/positive-years").raise_for_status().json()
    counts = [f"{count:,}" for count in (*found["funnel"].values(), rising["count"])]
    expect(page.locator("#funnel strong")).to_have_text(counts)
    page.locator("#years").scroll_into_view_if_needed()
    names = [year["name"] for year in candidate["yearly"]["years"]]
    expect(page.locator("#years tbody th")).to_have_text([*names, "Years in profit", "Out of sample"])
    heading = f"Candidate, trial {candidate['trial']['number']}"
    expect(page.locator("#years thead th").last).to_have_text(heading)
    page.evaluate("scrollTo(0, 0)")

    badge = next(one for one in candidate["badges"] if one["name"] == "border")
    strip.get_by_role("button", name=badge["title"]).focus()
    expect(page.locator("#term-tip")).to_contain_text(badge["rule"])
    [border] = candidate["borders"]
    strip.get_by_role("button", name=f"Extend {border['name']} to {border['beyond']}").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_label(border["name"])).to_have_value(border["beyond"])
    expect(dialog.get_by_role("status")).to_contain_text("2 more trials")
    page.keyboard.press("Escape")

    with page.expect_download() as saved:
        strip.get_by_role("button", name="Promote to paper").click()
    saved.value.save_as(tmp_path / "run.json")
    run = json.loads((tmp_path / "run.json").read_text())
    assert run["perp_leverage"] == str(candidate["trial"]["params"]["perp_leverage"])
    for theme in ("light", "dark"):
        page.evaluate("theme => document.documentElement.dataset.theme = theme", theme)
        assert violations(page, "#verdict") == []
        assert violations(page, ".evidence") == []
    page.set_viewport_size({"width": 390, "height": 844})
    assert page.evaluate("document.querySelector('#verdict').scrollWidth") <= 390
    assert visit.complaints == []


def test_holdout_of_a_sealed_exchange_is_looked_at_once_and_only_when_confirmed(
    address: str, hands: Hands, visit: Visit
) -> None:
    page, base = visit.page, {**BASE, "start": "2024-01-05", "end": "2024-03-09"}
    body = sweep_body(base=base, grid=GRID)
    sweep_id = int(httpx2.post(f"{address}/sweeps", json=body).raise_for_status().json()["id"])
    hands.work(sweep_id)
    page.goto(f"{address}/dashboard/sweeps/{sweep_id}")
    expect(page.get_by_role("button", name="Promote to paper")).to_be_visible()
    button = page.get_by_role("button", name="Look at the holdout")
    expect(button).to_have_count(0)

    httpx2.post(f"{address}/seals", json={"exchange": "synthetic", "from": "2024-03-10"}).raise_for_status()
    page.reload()
    button.click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("synthetic is sealed from 2024-03-10 on")
    expect(dialog).to_contain_text("This is the first look at these days")
    assert violations(page, "#look-dialog") == []
    page.keyboard.press("Enter")  # "Not now" has the focus
    expect(dialog).to_have_count(0)
    assert httpx2.get(f"{address}/seals").json()["seals"][0]["looks"] == []

    button.click()
    dialog.get_by_role("button", name="Look", exact=True).click()
    told = page.locator("#look-result")
    expect(told).to_contain_text("Holdout, first: net ")
    [look] = httpx2.get(f"{address}/seals").json()["seals"][0]["looks"]
    expect(told).to_contain_text(f"net {look['net_pnl']} in {look['days']['later']} days from 2024-03-10 on")
    expect(button).to_have_count(0)
    assert visit.complaints == []


def test_map_that_draws_a_scenario_axis_says_that_it_does_not_rank_over_it(
    address: str, hands: Hands, visit: Visit
) -> None:
    grid = {"min_funding_rate": ["0.00002", "0.00003"], "slippage_bps": [0, 5]}
    sweep_id = int(
        httpx2.post(f"{address}/sweeps", json=sweep_body(grid=grid)).raise_for_status().json()["id"]
    )
    hands.work(sweep_id)
    visit.page.goto(f"{address}/dashboard/sweeps/{sweep_id}")
    marks = visit.page.locator("#heatmap-marks")
    expect(marks).to_contain_text("slippage_bps drawn here, and so not ranked over")
    assert visit.complaints == []


TOP = "document.getElementById('heatmap').getBoundingClientRect().top"


def test_map_under_the_pointer_stays_while_results_come_in_and_the_verdict_grows(
    market_template: Path, tmp_path: Path, visit: Visit
) -> None:
    page, home = visit.page, copy_of(market_template, tmp_path / "home")
    hands = Hands(home)
    with serving(home) as address:
        body = sweep_body(grid={**GRID, "exit_funding_rate": ["0", "0.00001"]})
        sweep_id = int(httpx2.post(f"{address}/sweeps", json=body).raise_for_status().json()["id"])
        hands.split(sweep_id, 4)
        page.goto(f"{address}/dashboard/sweeps/{sweep_id}")
        strip, done = page.locator("#verdict"), page.locator("#progress [data-done]")
        expect(strip.locator(".verdict-sentence")).to_be_visible()
        assert page.evaluate("scrollY") == 0
        page.locator("#view-form select").first.hover()
        top, high = page.evaluate(TOP), page.evaluate("document.getElementById('verdict').offsetHeight")
        hands.work(sweep_id, 1)
        expect(done).to_have_attribute("data-done", "4")
        expect(strip.locator(".candidate")).to_be_visible()
        page.evaluate("document.getElementById('verdict').style.paddingBottom = '400px'")
        page.wait_for_function(f"document.getElementById('verdict').offsetHeight > {high + 300}")
        hands.work(sweep_id)
        expect(done).to_have_attribute("data-done", "12")
        assert page.evaluate(TOP) == pytest.approx(top, abs=1)
        assert page.evaluate("scrollY") > 300
    hands.close()


def test_verdict_without_a_candidate_takes_less_place_once_the_pointer_has_left_the_map(
    market_template: Path, tmp_path: Path, visit: Visit
) -> None:
    page, home = visit.page, copy_of(market_template, tmp_path / "home")
    hands = Hands(home)
    with serving(home) as address:
        body = sweep_body(grid=GRID, validation={"min_trades": 10**6})
        sweep_id = int(httpx2.post(f"{address}/sweeps", json=body).raise_for_status().json()["id"])
        hands.work(sweep_id)
        page.route("**/verdict", lambda route: (page.wait_for_timeout(500), route.continue_()))
        page.goto(f"{address}/dashboard/sweeps/{sweep_id}")
        page.locator("#view-form select").first.hover()
        top = page.evaluate(TOP)
        expect(page.locator(".verdict-sentence")).to_be_visible()
        assert page.evaluate(TOP) == top
        page.locator("h1").hover()
        page.wait_for_function(f"{TOP} < {top - 100}")
    hands.close()


def test_border_of_the_map_is_that_of_its_numbers_alone(
    market_template: Path, tmp_path: Path, visit: Visit
) -> None:
    """The best cell is below all that have a threshold, and at the last of three names."""
    grid = {
        "order_style": ["maker", "maker_entry", "taker"],
        "strategy_mode": ["simple", "composite"],
        "entry_threshold": {"values": ["0.7", "0.8", "0.9"], "when": {"strategy_mode": "composite"}},
    }
    home = copy_of(market_template, tmp_path / "home")
    hands = Hands(home)
    body = sweep_body(grid=grid, base={**BASE, "min_funding_rate": "0.00002"})
    with serving(home) as address:
        sweep_id = int(httpx2.post(f"{address}/sweeps", json=body).raise_for_status().json()["id"])
        hands.work(sweep_id)
        page = visit.page
        page.goto(f"{address}/dashboard/sweeps/{sweep_id}?x=order_style&y=entry_threshold&metric=net_pnl")
        marks = page.locator("#heatmap-marks")
        expect(marks).to_contain_text("Framed: the best cell, order_style taker, entry_threshold n/a")
        expect(marks).not_to_contain_text("border")
    hands.close()
    assert visit.complaints == []
