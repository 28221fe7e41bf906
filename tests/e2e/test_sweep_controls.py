"""The buttons of a sweep, and the list that finds it again, in a real browser."""

import axe
import httpx2
import pytest
from browsing import Visit
from playwright.sync_api import Page, Route, expect
from sweeping import partly_failing
from webservice import Hands, sweep_body

pytestmark = pytest.mark.e2e
HOSTILE = "<b onclick=alert(1)>x</b>"


def submit(address: str, **changes: object) -> int:
    response = httpx2.post(f"{address}/sweeps", json=sweep_body(**changes))
    return int(response.raise_for_status().json()["id"])


def opened(page: Page, address: str, **changes: object) -> int:
    sweep_id = submit(address, **changes)
    page.goto(f"{address}/dashboard/sweeps/{sweep_id}")
    return sweep_id


def test_sweep_is_paused_resumed_cancelled_and_each_step_says_so(
    address: str, visit: Visit, hands: Hands
) -> None:
    page = visit.page
    sweep_id = opened(page, address)
    state, outcome = page.locator("#progress .state"), page.locator("#outcome")
    page.get_by_role("button", name="Pause").press("Enter")
    expect(state).to_have_text("paused")
    expect(outcome).to_contain_text("Paused.")
    page.get_by_role("button", name="Resume").click()
    expect(state).to_have_text("queued")
    hands.work(sweep_id)
    expect(state).to_have_text("completed")
    expect(page.locator("#progress [data-action]")).to_have_count(0)

    other = opened(page, address)

    def cancelled_meanwhile(route: Route) -> None:
        httpx2.post(f"{address}/sweeps/{other}/cancel").raise_for_status()
        route.continue_()

    page.route(f"**/sweeps/{other}/pause", cancelled_meanwhile)
    expect(page.get_by_role("button", name="Cancel")).to_be_visible()
    page.get_by_role("button", name="Pause").click()
    expect(outcome).to_contain_text(f"sweep {other} is cancelled and cannot be paused")
    expect(state).to_have_text("cancelled")
    assert [text for text in visit.complaints if "409" not in text] == []


def test_sweep_is_extended_and_only_the_new_trials_run(address: str, visit: Visit, hands: Hands) -> None:
    page = visit.page
    sweep_id = opened(page, address)
    hands.work(sweep_id)
    page.get_by_role("button", name="Extend").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("perp_leverage").fill("zero")
    dialog.get_by_role("button", name="Extend").click()
    expect(dialog.locator("[data-field='add_values.perp_leverage'] .field-error")).to_contain_text("zero")
    dialog.get_by_label("perp_leverage").fill("3")
    dialog.get_by_label("Vary another parameter").select_option("slippage_bps")
    dialog.get_by_label("beside the value it has").fill("10")
    expect(dialog.get_by_role("status")).to_contain_text("40 more trials")
    assert axe.violations(page, "#extend-dialog") == []
    dialog.get_by_label("beside the value it has").fill("")
    dialog.get_by_label("perp_leverage").fill("3, 10")
    expect(dialog.get_by_role("status")).to_contain_text("20 more trials")
    dialog.get_by_role("button", name="Extend").press("Enter")
    expect(page.locator("#outcome")).to_have_text("20 trials added.")
    expect(page.locator("#progress .facts")).to_contain_text("20 of 40")
    hands.work(sweep_id)
    expect(page.locator("#progress .facts")).to_contain_text("40 of 40")


def test_failed_trials_are_retried_alone(address: str, visit: Visit, hands: Hands) -> None:
    page = visit.page
    sweep_id = opened(page, address, **partly_failing())
    hands.work(sweep_id)
    page.get_by_role("button", name="Retry failed trials").click()
    expect(page.locator("#outcome")).to_contain_text("queued again")
    expect(page.locator("#progress .facts")).to_contain_text("1 of 2")


def test_tags_and_note_are_text_and_find_the_sweep_again(address: str, visit: Visit) -> None:
    page = visit.page
    submit(address, name="another")
    sweep_id = opened(page, address)
    page.get_by_role("button", name="Name, tags and note").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name").fill(f"{HOSTILE} 2")
    dialog.get_by_label("Tags").fill(f"carry, {HOSTILE}")
    dialog.get_by_label("Note").fill(f"{HOSTILE}\nsecond line")
    dialog.get_by_role("button", name="Save").click()
    expect(page.locator("#outcome")).to_have_text("Name, tags and note saved.")
    expect(page.locator("h1")).to_have_text(f"{HOSTILE} 2")
    expect(page.locator("#progress .note-text")).to_have_text(f"{HOSTILE}\nsecond line")
    assert page.locator("#progress b").count() == 0
    page.locator("#progress .tag", has_text=HOSTILE).click()
    expect(page.locator("#sweep-list tbody tr")).to_have_count(1)
    expect(page.get_by_label("Name or tag")).to_have_value(HOSTILE)

    page.get_by_label("Name or tag").fill("ANOTHER")
    expect(page.locator("#sweep-list tbody a").first).to_have_text("another")
    expect(page.locator("#sweep-list tbody tr")).to_have_count(1)
    page.reload()
    expect(page.locator("#sweep-list tbody tr")).to_have_count(1)
    page.get_by_label("Name or tag").fill("")
    page.get_by_label("State").select_option("completed")
    expect(page.locator("#sweep-list")).to_contain_text("No sweep matches")
    assert axe.violations(page) == []
    page.get_by_role("link", name="Show all sweeps").click()
    expect(page.locator("#sweep-list tbody tr")).to_have_count(2)
    compare = page.get_by_role("button", name="Compare")
    page.get_by_label("Compare sweep 1").check()
    expect(compare).to_be_disabled()
    page.get_by_role("button", name="Rename").click()
    renaming = page.get_by_role("dialog")
    expect(renaming.get_by_label("Name")).to_have_value("another")
    renaming.get_by_label("Name").fill("\t")
    renaming.get_by_role("button", name="Save").click()
    expect(renaming.locator("[data-field=name] .field-error")).to_be_visible()
    renaming.get_by_label("Name").fill("calm one")
    assert axe.violations(page) == []
    renaming.get_by_role("button", name="Save").click()
    expect(page.locator('[data-keep="sweep-1"]')).to_have_text("calm one")
    expect(page.get_by_label("Compare sweep 1")).to_be_checked()
    page.get_by_label("Compare sweep 2").check()
    expect(page.get_by_role("button", name="Rename")).to_be_hidden()
    expect(page.locator("#compare-sweeps")).to_contain_text("the best trials of sweeps 1, 2")
    assert axe.violations(page) == []
    compare.click()
    page.wait_for_url("**/dashboard/compare?sweeps=1,2")
    assert httpx2.get(f"{address}/sweeps?q=carry").json()["sweeps"][0]["id"] == sweep_id


def test_sweep_is_deleted_only_when_that_is_confirmed(address: str, visit: Visit) -> None:
    page = visit.page
    sweep_id = opened(page, address)
    page.get_by_role("button", name="Delete").press("Enter")
    expect(page.get_by_role("button", name="Keep it")).to_be_focused()
    assert axe.violations(page, "#delete-dialog") == []
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.get_by_role("button", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(page.locator("#sweep-list")).to_contain_text("No sweeps yet")
    assert httpx2.get(f"{address}/sweeps/{sweep_id}").status_code == 404
