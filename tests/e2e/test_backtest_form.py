"""One run from its form to its page, in a real browser."""

import json
import re
from typing import Any

import axe
import httpx2
import pytest
from browsing import Visit
from playwright.sync_api import Page, expect
from webservice import Hands, sweep_body

from sweeps.jobs.job_runner import JobRunner

pytestmark = pytest.mark.e2e
FORM = "/dashboard/backtest"


def opened(page: Page, address: str, query: str = "") -> None:
    page.goto(f"{address}{FORM}{query}")
    expect(page.locator("#plan[data-trials]")).to_be_visible()


def run_in(page: Page) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(page.locator("#spec").input_value())
    return document


def accepted(page: Page) -> int:
    page.get_by_role("button", name="Run backtest").click()
    page.wait_for_url(re.compile(r"/dashboard/backtests/\d+$"))
    return int(page.url.rpartition("/")[2])


def test_run_is_asked_for_waited_for_and_shown_as_a_trial_is(
    address: str, visit: Visit, hands: Hands
) -> None:
    page = visit.page
    opened(page, address)
    page.get_by_label("min_volume_24h").fill("0")
    page.get_by_label("min_funding_rate").fill("0.00002")
    page.get_by_label("End, UTC").fill("2024-03-30")
    job_id = accepted(page)
    expect(page.locator("#backtest-state")).to_contain_text("Waiting for a worker")
    expect(page.locator("#backtest-state")).to_contain_text("No worker has reported")

    JobRunner(hands.engine).run(job_id)
    result = httpx2.get(f"{address}/backtests/{job_id}").json()["result"]
    assert result["metrics"]["total_trades"] > 0
    expect(page.locator("#equity[data-drawn]")).to_be_visible()
    expect(page.locator(".facts")).to_contain_text(f"{float(result['metrics']['net_pnl']):,.2f}")
    expect(page.locator("#trades tbody tr").first).to_be_visible()
    assert result["config"]["min_funding_rate"] == "0.00002"
    assert visit.complaints == []

    page.get_by_role("link", name="Rerun with changes").click()
    expect(page.get_by_label("min_funding_rate")).to_have_value("0.00002")
    expect(page.get_by_label("End, UTC")).to_have_value("2024-03-30")


def test_trial_of_a_sweep_fills_the_form_with_what_differs_from_the_defaults(
    address: str, visit: Visit, hands: Hands
) -> None:
    page = visit.page
    sweep_id = httpx2.post(f"{address}/sweeps", json=sweep_body()).json()["id"]
    hands.work(sweep_id)
    page.goto(f"{address}/dashboard/sweeps/{sweep_id}/trials/19")
    page.get_by_role("link", name="Rerun with changes").click()
    expect(page.locator("#plan[data-trials]")).to_be_visible()
    assert run_in(page) == {
        **sweep_body()["base"],
        "strategy_mode": "simple",
        "min_funding_rate": "0.0001",
        "exit_funding_rate": "0.00005",
        "perp_leverage": "5",
    }
    page.get_by_label("Preset").select_option("conservative")
    expect(page.get_by_label("min_funding_rate")).to_have_value("0.0005")
    assert "preset" not in run_in(page)


def test_run_that_fails_or_is_refused_says_why(address: str, visit: Visit, hands: Hands) -> None:
    page = visit.page
    opened(page, address)
    page.locator("summary", has_text="Margin").click()
    page.get_by_label("perp_leverage").fill("0")
    expect(page.locator(".param[data-param=perp_leverage] .field-error")).to_contain_text("greater than 0")
    page.get_by_label("perp_leverage").fill("")
    expect(page.locator("#plan[data-trials]")).to_be_visible()
    job_id = accepted(page)
    with hands.engine.connect() as connection:
        connection.execution_options(carrygrid_write=True)
        with connection.begin():
            connection.exec_driver_sql("DELETE FROM market_segment")
    JobRunner(hands.engine).run(job_id)
    expect(page.locator("#backtest-state .state")).to_have_text("failed")
    expect(page.locator("#backtest-state .note")).to_contain_text("There is no result.")


def test_form_meets_the_rules_of_accessibility(address: str, visit: Visit) -> None:
    page = visit.page
    opened(page, address)
    for summary in page.locator("summary:visible").all()[1:]:
        summary.click()
    assert axe.violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
