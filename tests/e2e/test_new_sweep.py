"""A sweep from the form to its end, in a real browser."""

import json
import re
from pathlib import Path
from typing import Any

import axe
import httpx2
import pytest
from browsing import Visit
from example_plugin import installed_example
from playwright.sync_api import Locator, Page, expect
from pydantic import SecretStr
from webservice import Hands, serving, sweep_body

pytestmark = pytest.mark.e2e
NEW = "/dashboard/sweeps/new"
HOSTILE = '<img src=x onerror="document.title=1"> & {{ 7 * 7 }}'
TOKEN = "a token of some length"
FIRST = 18
"""Trials of the grid that the generated market suggests."""


def opened(page: Page, address: str, query: str = "") -> None:
    page.goto(f"{address}{NEW}{query}")
    expect(page.locator("#plan[data-trials]")).to_be_visible()


def planned(page: Page, trials: int) -> None:
    expect(page.locator("#plan")).to_have_attribute("data-trials", str(trials))


def param(page: Page, name: str) -> Locator:
    return page.locator(f".param[data-param={name}]")


def part(page: Page, name: str) -> Locator:
    return param(page, name).locator("[data-part=value]:visible, [data-part=list]:visible")


def submitted(page: Page) -> int:
    page.wait_for_url(re.compile(r"/dashboard/sweeps/\d+$"))
    return int(page.url.rpartition("/")[2])


def spec_in(page: Page) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(page.locator("#spec").input_value())
    return document


def stored_spec(address: str, sweep_id: int) -> dict[str, Any]:
    spec: dict[str, Any] = httpx2.get(f"{address}/sweeps/{sweep_id}").json()["spec"]
    return spec


def test_sweep_is_built_by_keyboard_submitted_and_watched_to_its_end(
    address: str, visit: Visit, hands: Hands
) -> None:
    page = visit.page
    opened(page, address)
    planned(page, FIRST)
    page.get_by_label("Name", exact=True).fill(HOSTILE)
    page.get_by_label("Tags").fill("carry, first try")
    page.get_by_label("min_volume_24h", exact=True).select_option("one value")
    part(page, "min_volume_24h").fill("0")
    page.get_by_label("exit_funding_rate", exact=True).select_option("default")
    page.get_by_label("min_funding_rate", exact=True).select_option("vary: by step")
    entry = param(page, "min_funding_rate")
    for place, text in (("start", "0.00002"), ("stop", "0.0001"), ("step", "0.00002")):
        entry.locator(f"[data-part={place}]").fill(text)
    page.get_by_label("min_holding_periods", exact=True).select_option("vary: list")
    part(page, "min_holding_periods").fill("15, 60, 90")
    page.get_by_label("Constraints").fill("min_holding_periods < 90")
    planned(page, 10)
    expect(page.locator("#plan")).to_contain_text("5 left out by min_holding_periods < 90")
    page.keyboard.press("Control+Enter")

    sweep_id = submitted(page)
    expect(page.locator("h1")).to_have_text(HOSTILE)
    assert page.locator("main img").count() == 0
    assert page.locator("#progress .tag").all_text_contents() == ["carry", "first try"]
    spec = stored_spec(address, sweep_id)
    assert spec["grid"] == {
        "min_funding_rate": {"start": "0.00002", "stop": "0.0001", "step": "0.00002"},
        "min_holding_periods": [15, 60, 90],
    }
    assert spec["base"]["min_volume_24h"] == "0"
    assert spec["constraints"] == ["min_holding_periods < 90"]
    hands.work(sweep_id)
    expect(page.locator("#progress .state")).to_have_text("completed")
    expect(page.locator("#progress .facts")).to_contain_text("10 of 10")
    assert visit.complaints == []


def test_refusals_stand_at_their_fields_until_they_are_mended(address: str, visit: Visit) -> None:
    page = visit.page
    opened(page, address)
    page.locator("summary", has_text="Capital and sizing").click()
    page.get_by_label("allocation", exact=True).select_option("one value")
    part(page, "allocation").fill("1.5")
    expect(param(page, "allocation").locator(".field-error")).to_contain_text("less than or equal to 1")
    expect(part(page, "allocation")).to_have_attribute("aria-invalid", "true")
    page.get_by_label("Constraints").fill("min_funding_rate < nonsense")
    part(page, "allocation").fill("0.5")
    expect(param(page, "allocation").locator(".field-error")).to_have_count(0)
    expect(page.locator("[data-field=constraints] .field-error")).to_contain_text("nonsense")
    page.get_by_role("button", name="Submit sweep").click()
    expect(page.get_by_label("Constraints")).to_be_focused()
    page.get_by_label("Constraints").fill("")
    planned(page, FIRST)
    assert httpx2.get(f"{address}/sweeps").json()["sweeps"] == []


def test_suggested_grid_follows_the_window_until_somebody_sets_another(address: str, visit: Visit) -> None:
    page = visit.page
    opened(page, address)
    notes = page.locator("#suggestion")
    expect(notes).to_contain_text("80% of this window's settlements are below 1 bp per 8 h")
    before = spec_in(page)["grid"]
    page.get_by_label("Start, UTC").fill("2024-02-20")
    expect(page.get_by_label("min_funding_rate", exact=True)).to_be_visible()
    page.wait_for_function(
        "before => JSON.stringify(JSON.parse(document.getElementById('spec').value).grid) !== before",
        arg=json.dumps(before, separators=(",", ":")),
    )
    part(page, "exit_funding_rate").fill("0, 0.00001")
    changed = spec_in(page)["grid"]
    page.get_by_label("Start, UTC").fill("2024-03-20")
    page.wait_for_function(
        "before => JSON.stringify(JSON.parse(document.getElementById('spec').value).grid) !== before",
        arg=json.dumps(changed, separators=(",", ":")),
    )
    assert spec_in(page)["grid"]["exit_funding_rate"] == ["0", "0.00001"]
    expect(page.locator("#take-suggestion")).to_be_visible()
    page.locator("#take-suggestion").click()
    expect(page.locator("#take-suggestion")).to_be_hidden()
    assert spec_in(page)["grid"]["exit_funding_rate"] != ["0", "0.00001"]
    assert visit.complaints == []


def test_window_that_is_not_held_is_mended_with_one_click(address: str, visit: Visit) -> None:
    page = visit.page
    opened(page, address)
    page.get_by_label("Start, UTC").fill("2023-01-01")
    expect(page.locator("[data-field~='base.start'] .field-error")).to_contain_text(
        "outside all that is held"
    )
    page.locator("#common-window").click()
    expect(page.locator("#plan[data-trials]")).to_be_visible()
    assert spec_in(page)["base"]["start"] == "2024-01-02"


def test_form_follows_the_json_and_keeps_what_it_has_no_field_for(address: str, visit: Visit) -> None:
    page = visit.page
    opened(page, address)
    spec = spec_in(page)
    del spec["base"]["strategy_mode"]
    spec["base"] |= {"instrument": {"mmr": "0.01"}, "slippage_bps": "2.5"}
    spec["grid"] = {
        "strategy_mode": ["simple", "composite"],
        "min_funding_rate": ["0.0001", "0.0002"],
        "min_volume_24h": ["0", "1000"],
        "entry_threshold": {"values": ["0.4", "0.5"], "when": {"strategy_mode": ["composite"]}},
    }
    spec["linked"] = [["min_funding_rate", "min_volume_24h"]]
    page.locator("#spec").fill(json.dumps(spec))
    planned(page, 6)
    expect(param(page, "min_funding_rate").locator("[data-part=list]")).to_have_value("0.0001, 0.0002")
    expect(param(page, "entry_threshold").locator("[data-when]")).to_have_text(
        "only where strategy_mode is composite"
    )
    expect(page.get_by_role("checkbox", name="composite")).to_be_checked()

    part(page, "entry_threshold").fill("0.4, 0.5, 0.6")
    planned(page, 8)
    after = spec_in(page)
    assert after["grid"]["entry_threshold"] == {
        "values": ["0.4", "0.5", "0.6"],
        "when": {"strategy_mode": ["composite"]},
    }
    assert after["linked"] == spec["linked"]
    assert after["base"]["instrument"] == {"mmr": "0.01"}
    assert list(after["grid"]) == list(spec["grid"])

    page.locator("#spec").fill(
        '{"base": {"allocation": 0.12345678901234567890}, "grid": {"spot_taker": null}}'
    )
    page.get_by_label("Name", exact=True).fill("digits")
    assert spec_in(page)["base"] == {"allocation": "0.12345678901234567890"}
    page.locator("#spec").fill('{"base": ')
    expect(page.locator("#pane-problem")).to_contain_text("The form waits")
    expect(page.locator(".builder > .stack[inert]")).to_have_count(1)


def test_axes_of_one_strategy_of_several_apply_to_it_alone_and_repeat_no_run(
    address: str, visit: Visit
) -> None:
    page = visit.page
    opened(page, address)
    page.get_by_role("checkbox", name="composite").check()
    page.get_by_role("button", name="Vary what the strategy suggests").click()
    planned(page, FIRST + 180)
    param(page, "basis_cap").locator(".mode").select_option("list")
    part(page, "basis_cap").fill("0.01, 0.02")
    planned(page, FIRST + 2 * 180)
    expect(param(page, "basis_cap").locator("[data-when]")).to_have_text(
        "only where strategy_mode is composite"
    )
    expect(param(page, "min_funding_rate").locator("[data-when]")).to_have_text(
        "only where strategy_mode is simple"
    )
    page.get_by_role("checkbox", name="composite").uncheck()
    planned(page, FIRST)
    assert not [axis for axis in spec_in(page)["grid"].values() if "when" in axis]


def test_presets_strategies_and_symbols_are_written_as_the_service_takes_them(
    address: str, visit: Visit
) -> None:
    page = visit.page
    opened(page, address)
    page.get_by_role("checkbox", name="composite").check()
    page.get_by_role("checkbox", name="simple").uncheck()
    page.get_by_label("Preset").select_option("aggressive")
    expect(page.get_by_label("volume_decline_ratio", exact=True)).to_contain_text("aggressive 0.5")
    boxes = page.locator("#symbols input")
    page.get_by_role("button", name="select all").click()
    page.get_by_role("radio", name="each on its own").check()
    page.get_by_role("button", name="all held").click()
    spec = spec_in(page)
    assert spec["base"]["preset"] == "aggressive"
    assert spec["base"]["strategy_mode"] == "composite"
    assert (spec["base"]["start"], spec["base"]["end"]) == ("2024-01-01", "2024-04-01")
    assert len(spec["grid"]["symbols"]) == boxes.count() > 1
    assert not {"symbols", "min_funding_rate"} & (
        spec["base"].keys() | {"min_funding_rate"} & spec["grid"].keys()
    )
    planned(page, 180 * boxes.count())


def test_parameters_of_hedges_are_folded_and_written_as_objects_and_words(address: str, visit: Visit) -> None:
    page = visit.page
    opened(page, address)
    for title in ("Structure of hedges", "Margin", "Forced closings"):
        group = page.locator("details.params", has=page.get_by_role("heading", name=title, exact=True))
        expect(group).not_to_have_attribute("open", "")
        group.locator("summary").click()
    page.get_by_label("capital_shares", exact=True).select_option("one value")
    part(page, "capital_shares").fill('{"synthetic": "1"}')
    page.get_by_label("margin_policy", exact=True).select_option("one value")
    part(page, "margin_policy").select_option("none")
    page.get_by_label("stress", exact=True).select_option("vary: list")
    part(page, "stress").fill('[], [{"at": "2024-02-01", "adverse_bps": "12.5"}]')
    spec = spec_in(page)
    assert spec["base"]["capital_shares"] == {"synthetic": "1"}
    assert spec["base"]["margin_policy"] == "none"
    assert spec["grid"]["stress"] == [[], [{"at": "2024-02-01", "adverse_bps": "12.5"}]]
    page.get_by_label("margin_policy", exact=True).select_option("vary: list")
    part(page, "margin_policy").fill("none, top_up")
    assert spec_in(page)["grid"]["margin_policy"] == ["none", "top_up"]

    spec["base"]["stress"] = [{"at": "2024-02-01"}, {"at": "2024-02-02", "leg": "long"}]
    del spec["grid"]["stress"]
    page.locator("#spec").fill(json.dumps(spec))
    expect(part(page, "stress")).to_have_value('[{"at": "2024-02-01"}, {"at": "2024-02-02", "leg": "long"}]')
    expect(part(page, "capital_shares")).to_have_value('{"synthetic": "1"}')


def test_parameter_of_a_plugin_is_a_field_and_reaches_the_stored_spec(
    home: Path, visit: Visit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = visit.page
    (folder := tmp_path / "site").mkdir()
    with installed_example(folder, monkeypatch), serving(home) as address:
        opened(page, address)
        expect(param(page, "smoothed_entry")).to_be_hidden()
        page.get_by_role("checkbox", name="smoothed-rate").check()
        page.get_by_role("checkbox", name="simple").uncheck()
        row = param(page, "smoothing_settlements")
        expect(row).to_contain_text(
            "settlements that the average looks back on; whole number, 1 to 1,000,000"
        )
        expect(row.locator("select")).to_contain_text("default 9")
        page.get_by_label("smoothing_settlements", exact=True).select_option("vary: list")
        part(page, "smoothing_settlements").fill("3, 9, 27")
        page.get_by_label("smoothed_entry", exact=True).select_option("one value")
        part(page, "smoothed_entry").fill("0.00015")
        planned(page, 3)
        page.get_by_role("button", name="Submit sweep").click()
        spec = stored_spec(address, submitted(page))
    assert spec["grid"] == {"smoothing_settlements": [3, 9, 27]}
    assert spec["base"]["smoothed_entry"] == "0.00015"
    assert spec["base"]["strategy_mode"] == "smoothed-rate"


def test_clone_begins_with_the_old_sweep_and_an_upload_replaces_it(
    address: str, visit: Visit, hands: Hands, tmp_path: Path
) -> None:
    page = visit.page
    old = httpx2.post(f"{address}/sweeps", json=sweep_body(linked=[], reuse=True)).json()["id"]
    hands.work(old)
    opened(page, address, f"?clone={old}")
    assert spec_in(page)["base"] == {**sweep_body()["base"], "strategy_mode": "simple"}
    assert list(spec_in(page)["grid"]) == list(sweep_body()["grid"])
    page.get_by_role("button", name="Submit sweep").click()
    copy = httpx2.get(f"{address}/sweeps/{submitted(page)}").json()
    assert copy["spec"] == httpx2.get(f"{address}/sweeps/{old}").json()["spec"]
    assert copy["note"] == f"cloned from sweep {old}"

    written = tmp_path / "spec.json"
    written.write_text(json.dumps(sweep_body(name="from a file", grid={"perp_leverage": [1, 2]})))
    opened(page, address)
    page.locator("#upload").set_input_files(written)
    planned(page, 2)
    expect(page.get_by_label("Name", exact=True)).to_have_value("from a file")
    with page.expect_download() as download:
        page.get_by_role("button", name="Download").click()
    assert download.value.suggested_filename == "from-a-file.json"
    assert json.loads(Path(download.value.path()).read_text()) == json.loads(written.read_text())


def test_person_signs_in_by_token_and_submits(home: Path, visit: Visit) -> None:
    page = visit.page
    with serving(home, api_token=SecretStr(TOKEN)) as address:
        page.goto(f"{address}{NEW}")
        page.get_by_label("Token").fill(TOKEN)
        page.get_by_role("button", name="Sign in").click()
        planned(page, FIRST)
        expect(page.locator("#curl")).to_contain_text("Bearer $CARRYGRID_API_TOKEN")
        page.get_by_label("Name", exact=True).fill("signed in")
        page.get_by_label("Tags").fill("kept")
        page.context.clear_cookies()
        page.get_by_role("button", name="Submit sweep").click()
        page.get_by_label("Token").fill(TOKEN)
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_label("Name", exact=True)).to_have_value("signed in")
        page.get_by_role("button", name="Submit sweep").click()
        submitted(page)
        expect(page.locator("h1")).to_have_text("signed in")
        expect(page.locator("#progress .tag")).to_have_text("kept")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_form_meets_the_rules_of_accessibility(address: str, visit: Visit, scheme: Any) -> None:
    page = visit.page
    page.emulate_media(color_scheme=scheme)
    opened(page, address)
    for summary in page.locator("summary:visible").all()[1:]:
        summary.click()
    page.get_by_label("Start, UTC").fill("soon")
    expect(page.locator(".field-error")).to_be_visible()
    expect(page.locator("#plan[aria-busy]")).to_have_count(0)
    assert axe.violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.get_by_label("Start, UTC").fill("2024-01-10")
    expect(page.locator("#plan[data-trials]:not([aria-busy])")).to_be_visible()
    page.evaluate("document.getElementById('plan').setAttribute('aria-busy', 'true')")
    assert axe.violations(page) == []


def test_form_outlives_a_restart_of_the_server(home: Path, visit: Visit) -> None:
    page = visit.page
    with serving(home) as address:
        port = int(address.rpartition(":")[2])
        opened(page, address)
    page.get_by_label("Name", exact=True).fill("patient")
    expect(page.locator("[data-problems]")).to_contain_text("The server does not answer")
    with serving(home, port=port) as address:
        planned(page, FIRST)
        expect(page.locator("[data-problems]")).to_be_hidden()
        page.get_by_role("button", name="Submit sweep").click()
        assert stored_spec(address, submitted(page))["name"] == "patient"


def test_thresholds_stand_beside_the_rates_of_their_window(address: str, visit: Visit) -> None:
    page = visit.page
    opened(page, address)
    shown = param(page, "min_funding_rate").locator(".rates")
    expect(shown).to_have_text("0.25 to 1 bp per 8 h, 2.74 to 10.95 % a year")
    expect(shown.locator("line.value")).to_have_count(3)
    part(page, "min_funding_rate").fill("0.0001, 0.5, 0.6")
    expect(shown).to_contain_text("2 of 3 values never trade: the highest rate of this window is ")
    expect(shown.locator("line.beyond")).to_have_count(2)
    expect(param(page, "perp_leverage").locator(".rates")).to_have_count(0)
    assert visit.complaints == []
