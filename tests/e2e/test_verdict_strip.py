"""The verdict on a sweep in a real browser: said at first glance, and its buttons do what they say."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from axe import violations
from browsing import Visit
from playwright.sync_api import expect
from webservice import Hands, copy_of, serving, sweep_body

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

    counts = [f"{count:,}" for count in found["funnel"].values()]
    assert page.locator("#funnel strong").all_text_contents() == counts
    years = page.locator("#years tbody th").all_text_contents()
    assert years == [year["name"] for year in candidate["yearly"]["years"]]

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
