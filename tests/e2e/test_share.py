"""A read-only link in a real browser: made on the page, opened by somebody without a token, revoked."""

from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from axe import violations
from browsing import Visit
from playwright.sync_api import Browser, expect
from pydantic import SecretStr
from webservice import Hands, copy_of, serving, sweep_body

pytestmark = pytest.mark.e2e
TOKEN = "a token of some length"


@pytest.fixture(scope="module")
def address(market_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Return where a service that asks for a token has a finished sweep of 20 trials."""
    home = copy_of(market_template, tmp_path_factory.mktemp("shared"))
    hands = Hands(home)
    with serving(home, api_token=SecretStr(TOKEN)) as served:
        headers = {"Authorization": f"Bearer {TOKEN}"}
        httpx2.post(f"{served}/sweeps", json=sweep_body(), headers=headers).raise_for_status()
        hands.work(1)
        yield served
    hands.close()


def test_link_made_on_the_page_shows_its_view_read_only_until_it_is_revoked(
    visit: Visit, browser: Browser, address: str
) -> None:
    owner = visit.page
    owner.goto(f"{address}/dashboard/login?next=/dashboard/sweeps/1%3Fmetric=net_pnl%26perp_leverage=1")
    owner.get_by_label("Token").fill(TOKEN)
    owner.get_by_role("button", name="Sign in").click()
    owner.wait_for_url("**/dashboard/sweeps/1?*")  # loaded: the button is answered from then on
    owner.get_by_role("button", name="Share").click()
    owner.locator("#share-form [name=days]").fill("many")
    owner.get_by_role("button", name="Make a link").click()
    expect(owner.locator("#share-dialog .field-error")).to_contain_text("many")
    owner.locator("#share-form [name=days]").fill("30")
    owner.locator("#share-form [name=name]").fill("desk")
    owner.get_by_role("button", name="Make a link").click()
    expect(owner.locator("#share-list tr")).to_have_count(1)
    link = owner.locator("#share-address").input_value()
    assert link.startswith(f"{address}/shared/")

    guest = browser.new_page(viewport={"width": 1280, "height": 900})
    refused: list[str] = []
    guest.on("response", lambda answer: refused.append(answer.url) if answer.status >= 400 else None)
    guest.goto(link)
    assert guest.url == f"{link}/dashboard/sweeps/1?metric=net_pnl&perp_leverage=1"
    expect(guest.get_by_text("Read-only link: nothing can be changed here")).to_be_visible()
    expect(guest.locator("#selected")).to_contain_text("10 of 20")
    expect(guest.locator(".verdict-sentence")).to_be_visible()
    expect(guest.locator("#verdict [data-promotes], button[data-opens], button[data-mark]")).to_have_count(0)
    guest.locator("#heatmap").focus()
    guest.keyboard.press("ArrowRight")
    guest.keyboard.press("Space")
    expect(guest.locator("#pins li")).to_have_count(1)
    assert violations(guest) == []
    guest.locator("#trials tbody a").first.click()
    guest.wait_for_url(f"{link}/dashboard/sweeps/1/trials/*")
    expect(guest.locator("#equity svg").first).to_be_visible()
    expect(guest.locator("#trades tbody tr").first).to_be_visible()
    expect(guest.get_by_role("link", name="Rerun with changes")).to_have_count(0)
    guest.locator(".crumbs a").click()
    guest.wait_for_url(f"{link}/dashboard/sweeps/1")
    assert refused == []

    marks = httpx2.get(f"{link}/sweeps/1/marks").json()
    assert marks == {"marks": []}, "a guest pins in the own address alone"
    owner.get_by_role("button", name="Revoke link 1 desk").click()
    expect(owner.locator("#share-list tr")).to_have_count(0)
    guest.reload()
    expect(guest.get_by_role("heading", name="Not found")).to_be_visible()
    guest.close()
