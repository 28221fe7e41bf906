"""The walk-forward on a sweep's page in a real browser: replayed once its figures are opened."""

from decimal import Decimal

import httpx2
import pytest
from axe import violations
from browsing import Visit
from playwright.sync_api import expect
from selecting import do_jobs
from webservice import Hands, sweep_body

pytestmark = pytest.mark.e2e
SHORT = {"min_trades": 1, "min_settlements": 1, "walk_forward": {"train_days": 45, "test_days": 15}}


def test_curve_with_its_seams_is_drawn_once_the_figures_are_opened(
    address: str, hands: Hands, visit: Visit
) -> None:
    body = sweep_body(base={**sweep_body()["base"], "start": "2024-01-02"}, validation=SHORT)
    sweep_id = int(httpx2.post(f"{address}/sweeps", json=body).raise_for_status().json()["id"])
    hands.work(sweep_id)
    do_jobs(hands.engine)
    found = httpx2.get(f"{address}/sweeps/{sweep_id}/selection/walk-forward").raise_for_status().json()
    page = visit.page
    page.goto(f"{address}/dashboard/sweeps/{sweep_id}")
    summary = page.locator("#selection details.figures summary").first
    expect(summary).to_be_visible(timeout=20_000)
    assert not [url for url in visit.requests if "/walk-forward/equity" in url]
    summary.click()
    expect(page.locator("#walk-forward[data-drawn]")).to_be_visible(timeout=30_000)
    assert page.locator("#walk-forward").get_attribute("data-drawn") == str(found["changes"] + 1)
    nets = [Decimal(fold["net_pnl"]) for fold in found["folds"]]
    assert sum(nets) == Decimal(found["metrics"]["net_pnl"])
    cells = page.locator("#selection table").last.locator("tbody td:last-child")
    assert cells.all_text_contents() == [f"{net:,.2f}" for net in nets]
    assert violations(page) == []
    assert visit.complaints == []
