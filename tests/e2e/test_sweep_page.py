"""The views of a sweep in a real browser: known values, brushes that hold everywhere, shared addresses."""

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlparse

import httpx2
import pytest
from axe import violations
from browsing import Visit
from playwright.sync_api import Browser, Locator, Page, expect
from webservice import Hands, copy_of, serving, sweep_body

pytestmark = pytest.mark.e2e
SIDES = {"x": "min_funding_rate", "y": "exit_funding_rate"}


class Shown:
    """A served sweep: its page, and what the API says of it."""

    def __init__(self, address: str, sweep_id: int) -> None:
        self.api = f"{address}/sweeps/{sweep_id}"
        self.page = f"{address}/dashboard/sweeps/{sweep_id}"

    def ask(self, path: str, **query: Any) -> Any:
        return httpx2.get(f"{self.api}/{path}", params=query).raise_for_status().json()


def submitted(address: str, **changes: Any) -> Shown:
    response = httpx2.post(f"{address}/sweeps", json=sweep_body(**changes)).raise_for_status()
    return Shown(address, int(response.json()["id"]))


@pytest.fixture(scope="module")
def shown(market_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shown]:
    """Return a finished sweep of 20 trials over three parameters, for tests that only look."""
    home = copy_of(market_template, tmp_path_factory.mktemp("sweep-page"))
    hands = Hands(home)
    with serving(home) as address:
        sweep = submitted(address)
        hands.work(1)
        yield sweep
    hands.close()


@pytest.fixture(autouse=True)
def without_pins(request: pytest.FixtureRequest) -> Iterator[None]:
    """Let go afterwards of what a test pinned in the sweep that all of them look at."""
    yield
    if "shown" in request.fixturenames:
        sweep: Shown = request.getfixturevalue("shown")
        for mark in sweep.ask("marks")["marks"]:
            httpx2.patch(f"{sweep.api}/trials/{mark['number']}", json={"pinned": False}).raise_for_status()


def opened(visit: Visit, sweep: Shown, query: str = "") -> Page:
    """Open the page of a sweep over the two axes of `SIDES`, unless the query names others."""
    sides = {} if "x=" in query else SIDES
    visit.page.goto(f"{sweep.page}?{'&'.join([*map('='.join, sides.items()), query.removeprefix('?')])}")
    drawn(visit.page)
    return visit.page


def drawn(page: Page) -> None:
    expect(page.locator("#heatmap[data-settled]")).to_be_visible()
    expect(page.locator("#parallel[data-axes]")).to_be_visible()


def drag(box: Locator, start: tuple[float, float], end: tuple[float, float]) -> None:
    """Drag between two places, each a share of the width and of the height of the box."""
    box.scroll_into_view_if_needed()
    area = box.bounding_box()
    assert area
    places = [(area["x"] + x * area["width"], area["y"] + y * area["height"]) for x, y in (start, end)]
    mouse = box.page.mouse
    mouse.move(*places[0])
    mouse.down()
    mouse.move(*places[1], steps=4)
    mouse.up()


def address_of(page: Page) -> dict[str, str]:
    """Return what the address holds besides the axes of the heatmap."""
    held = parse_qs(urlparse(page.url).query)
    return {name: values[0] for name, values in held.items() if name not in SIDES}


def numbers_in_table(page: Page) -> list[int]:
    return [int(text) for text in page.locator("#trials tbody tr td:first-child").all_text_contents()]


def distinct(sweep: Shown, **query: str) -> int:
    """Return the number of different results of a selection, a row of the table each."""
    return len(sweep.ask("trials", distinct="1", **query)["trials"])


def is_answered_as_the_api_does(page: Page, sweep: Shown, query: dict[str, str]) -> list[int]:
    """Wait until count and table are those of the selection in `query`, and return its trials, best first."""
    trials = [row["number"] for row in sweep.ask("trials", **query)["trials"]]
    rows = [row["number"] for row in sweep.ask("trials", **query, distinct="1")["trials"]]
    count = sweep.ask("overview", **query)["selected"]
    assert count == len(trials) < 20
    expect(page.locator("#selected")).to_have_text(f"{count} of 20 finished trials selected")
    expect(page.locator("#trials tbody tr")).to_have_count(len(rows))
    assert numbers_in_table(page) == rows
    return trials


def test_keyboard_reads_the_best_cell_and_its_neighbour_and_opens_the_trial(
    shown: Shown, visit: Visit
) -> None:
    page = opened(visit, shown)
    matrix = shown.ask("heatmap", **SIDES)
    row, column = matrix["best"]
    told = page.locator("#heatmap-cell")
    page.locator("#heatmap").focus()
    page.keyboard.press("ArrowLeft")
    expect(told).to_contain_text(f"Sharpe {matrix['cells'][row][column]:.3f}")
    expect(told).to_contain_text(f"min_funding_rate {matrix['x']['values'][column]}")
    expect(told).to_contain_text("best of 2 trials")
    step = "ArrowRight" if column == 0 else "ArrowLeft"
    column += 1 if column == 0 else -1
    page.keyboard.press(step)
    expect(told).to_contain_text(f"Sharpe {matrix['cells'][row][column]:.3f}")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/trials/{matrix['trials'][row][column]}")
    assert visit.complaints == []


def test_pointer_fills_the_place_beside_the_map_and_pins_up_to_five_trials(
    shown: Shown, visit: Visit
) -> None:
    page = opened(visit, shown, "?metric=net_pnl")
    page.locator("#heatmap").focus()
    page.keyboard.press("ArrowLeft")
    best = shown.ask("trials", sort="-net_pnl", limit=1)["trials"][0]
    expect(page.locator("#heatmap-cell")).to_contain_text(f"shown below is trial {best['number']}")
    beside = page.locator("#inspector")
    value = f"{float(best['metrics']['net_pnl']):,.2f}"
    expect(beside.locator("strong")).to_have_text(f"Net P&L {value} USDT")
    expect(beside.locator("dl dd")).to_have_count(8)
    expect(beside.locator("dl")).to_contain_text(f"Sharpe{best['metrics']['sharpe']:.3f}")
    expect(beside.locator("[data-parameter=perp_leverage]")).to_have_text(
        f"perp_leverage {best['params']['perp_leverage']}"
    )
    cells = shown.ask("heatmap", metric="net_pnl", most=50_000, **SIDES)
    row, column = cells["best"]
    around = [
        float(cells["cells"][y][x])
        for y in range(max(row - 1, 0), row + 2)
        for x in range(max(column - 1, 0), column + 2)
        if (y, x) != (row, column) and y < len(cells["cells"]) and x < len(cells["cells"][0])
    ]
    expect(beside).to_contain_text(f"{len(around)} neighbours: {min(around):,.2f} … {max(around):,.2f}")
    expect(beside).to_have_attribute("data-drawn", str(best["number"]))
    expect(beside).to_contain_text("Equity, and dashed that of holding.")
    area = page.locator("#heatmap canvas").bounding_box()
    assert area
    numbers = {number for line in cells["trials"] for number in line}
    page.mouse.click(area["x"] + area["width"] / 2, area["y"] + area["height"] / 3)
    expect(page.locator("#pins li")).to_have_count(1)
    assert int(address_of(page)["pins"]) in numbers
    for _ in range(6):
        page.keyboard.press(" ")
        page.keyboard.press("ArrowUp")
    expect(page.locator("#pins [data-pins=said]")).not_to_be_empty()
    pinned = [int(number) for number in address_of(page)["pins"].split(",")]
    assert 1 <= len(pinned) <= 5
    expect(page.locator("#pins li")).to_have_count(len(pinned))
    page.reload()
    drawn(page)
    expect(page.locator("#heatmap")).to_have_attribute(
        "data-drawn", "min_funding_rate exit_funding_rate net_pnl best"
    )
    expect(page.locator("#pins li a").first).to_have_text(f"trial {pinned[0]}")
    page.mouse.dblclick(area["x"] + area["width"] / 2, area["y"] + area["height"] / 3)
    page.wait_for_url("**/trials/*")
    assert int(page.url.rpartition("/")[2]) in numbers
    assert visit.complaints == []


def test_back_undoes_a_selection_before_it_leaves(shown: Shown, visit: Visit) -> None:
    visit.page.goto(shown.page.rpartition("/dashboard")[0])
    page = opened(visit, shown)
    page.get_by_label("Select where").select_option("perp_leverage")
    page.get_by_label("from", exact=True).fill("5")
    page.get_by_role("button", name="Select", exact=True).click()
    expect(page.locator("#chips button")).to_have_count(1)
    page.go_back()
    expect(page.locator("#chips button")).to_have_count(0)
    expect(page.locator("#selected")).to_have_text("All 20 finished trials")
    assert address_of(page) == {}
    page.go_forward()
    expect(page.locator("#chips button")).to_have_count(1)
    assert address_of(page) == {"perp_leverage": "5"}


def test_parallel_axes_are_moved_by_keyboard_and_pointer_and_take_more_metrics(
    shown: Shown, visit: Visit
) -> None:
    page = opened(visit, shown)

    def axes() -> list[str]:
        text = page.locator("#parallel").get_attribute("data-axes") or ""
        return [pair.partition("@")[0] for pair in text.split()]

    usual = ["min_funding_rate", "exit_funding_rate", "perp_leverage", "sharpe"]
    assert axes() == usual
    page.locator("#add-column").select_option("total_fees")
    expect(page.locator("#parallel")).to_have_attribute("data-axes", re.compile("total_fees"))
    page.get_by_role("button", name="Move Fees left").click()
    page.keyboard.press("Enter")
    wanted = ["min_funding_rate", "exit_funding_rate", "total_fees", "perp_leverage", "sharpe"]
    assert address_of(page)["columns"] == ",".join(wanted)
    expect(page.locator("#parallel")).to_have_attribute("data-axes", re.compile("rate@.*fees@.*leverage@"))
    places = dict(
        pair.split("@") for pair in (page.locator("#parallel").get_attribute("data-axes") or "").split()
    )
    canvas = page.locator("#parallel canvas")
    area = canvas.bounding_box()
    assert area
    start, end = int(places["min_funding_rate"]), int(places["sharpe"]) + 5
    drag(canvas, (start / area["width"], 0.04), (end / area["width"], 0.04))
    expect(page.locator("#parallel")).to_have_attribute("data-axes", re.compile("^exit.*sharpe@.*min_fun"))
    page.get_by_role("button", name="Take Fees out").click()
    expect(page.locator("#columns li")).to_have_count(4)
    assert visit.complaints == []


def test_scatter_zooms_by_keyboard_and_takes_logarithms_and_the_address_holds_both(
    shown: Shown, visit: Visit
) -> None:
    page = opened(visit, shown)
    canvas = page.locator("#scatter canvas")
    before = canvas.evaluate("canvas => canvas.toDataURL()")
    page.locator("#scatter").focus()
    page.keyboard.press("+")
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("checkbox", name="x axis")).not_to_be_checked()
    assert address_of(page).keys() == {"zoom"}
    page.wait_for_function(
        "before => document.querySelector('#scatter canvas').toDataURL() !== before", arg=before
    )
    page.keyboard.press("0")
    page.wait_for_function(
        "before => document.querySelector('#scatter canvas').toDataURL() === before", arg=before
    )
    page.get_by_role("checkbox", name="x axis").check()
    assert address_of(page) == {"log": "x"}
    page.wait_for_function(
        "before => document.querySelector('#scatter canvas').toDataURL() !== before", arg=before
    )
    assert visit.complaints == []


def test_slices_trials_and_bars_are_read_pinned_and_selected_by_keyboard(shown: Shown, visit: Visit) -> None:
    page = opened(visit, shown)
    found = shown.ask("slices")["slices"]
    expect(page.locator("#slices li")).to_have_count(3)
    page.locator("#slices .slice").nth(2).focus()
    page.keyboard.press("ArrowRight")
    lowest, lower, median, upper, highest = (f"{level:.3f}" for level in found[2]["levels"][0])
    told = page.locator("#view-told")
    expect(told).to_contain_text(f"perp_leverage 1, Sharpe: median {median}")
    expect(told).to_contain_text(
        f"half of {found[2]['counts'][0]} trials in {lower} … {upper}, all in {lowest} … {highest}"
    )
    page.keyboard.press(" ")
    expect(page.locator("#pins li a")).to_have_text(f"trial {found[2]['best'][0]}")
    assert address_of(page) == {"pins": str(found[2]["best"][0])}

    page.locator("#parallel").focus()
    page.keyboard.press("PageDown")
    expect(told).to_have_text(re.compile(r"Trial \d+"))
    number = (told.text_content() or "").removeprefix("Trial ")
    [best] = shown.ask("trials", sort="-sharpe", limit=1)["trials"]
    assert shown.ask(f"trials/{number}")["metrics"]["sharpe"] == best["metrics"]["sharpe"]
    page.locator("#distribution").focus()
    page.keyboard.press("ArrowLeft")
    expect(told).to_contain_text(re.compile(r"Sharpe .* trials?, \d+ selected"))
    page.keyboard.press("Shift+ArrowLeft")
    expect(page.locator("#chips button")).to_contain_text("Sharpe ≥")
    page.keyboard.press("Escape")
    expect(page.locator("#chips button")).to_have_count(0)


def test_axes_that_are_ticked_become_scenarios_and_untraded_cells_are_told_in_words(
    shown: Shown, visit: Visit
) -> None:
    page = opened(visit, shown)
    page.get_by_role("checkbox", name="perp_leverage").check()
    expect(page.locator("#heatmap-marks")).to_contain_text("Each setting stands at its worst perp_leverage.")
    assert address_of(page) == {"scenarios": "perp_leverage"}
    settings = shown.ask("overview", scenarios="perp_leverage")["finished"]
    expect(page.locator("#selected")).to_have_text(f"All {settings} settings at the worst perp_leverage")
    ranked = shown.ask("trials", scenarios="perp_leverage")["trials"]
    expect(page.locator("#trials tbody tr td:first-child").first).to_have_text(str(ranked[0]["number"]))
    states = shown.ask("heatmap", most=50_000, scenarios="perp_leverage", **SIDES)["states"]
    for state, count in Counter(state for row in states for state in row if state).items():
        expect(page.locator(f"#heatmap-states [data-state={state}]")).to_contain_text(f"{count} cell")
    assert visit.complaints == []


def test_brush_in_the_distribution_selects_in_every_view_until_it_is_let_go(
    shown: Shown, visit: Visit
) -> None:
    page = opened(visit, shown, "?agg=worst")
    before = page.locator("#heatmap canvas").evaluate("canvas => canvas.toDataURL()")
    drag(page.locator("#distribution canvas"), (0.55, 0.4), (1.0, 0.4))
    expect(page.locator("#chips button")).to_have_count(1)
    query = address_of(page)
    assert query.pop("agg") == "worst"
    assert list(query) == ["sharpe"]
    trials = is_answered_as_the_api_does(page, shown, query)
    expect(page.locator("#parallel")).to_have_attribute("data-drawn", str(len(trials)))
    assert page.locator("#heatmap canvas").evaluate("canvas => canvas.toDataURL()") != before
    page.locator("#chips button").click()
    expect(page.locator("#selected")).to_have_text("All 20 finished trials")
    expect(page.locator("#trials tbody tr")).to_have_count(distinct(shown))
    assert address_of(page) == {"agg": "worst"}
    assert visit.complaints == []


def test_brush_on_a_parallel_axis_a_slider_and_typed_ranges_narrow_one_selection(
    shown: Shown, visit: Visit
) -> None:
    page = opened(visit, shown)
    axes = dict(
        pair.split("@") for pair in (page.locator("#parallel").get_attribute("data-axes") or "").split()
    )
    canvas = page.locator("#parallel canvas")
    area = canvas.bounding_box()
    assert area
    across = int(axes["min_funding_rate"]) / area["width"]
    drag(canvas, (across, 0.13), (across, 0.6))
    expect(page.locator("#chips button")).to_have_count(1)
    query = address_of(page)
    assert query == {"min_funding_rate": "0.00006..0.0001"}
    is_answered_as_the_api_does(page, shown, query)
    page.get_by_role("slider", name="perp_leverage").fill("2")
    expect(page.get_by_role("slider", name="perp_leverage").locator("xpath=../output")).to_have_text("5")
    query = address_of(page)
    assert query == {"min_funding_rate": "0.00006..0.0001", "perp_leverage": "5"}
    is_answered_as_the_api_does(page, shown, query)
    page.get_by_label("Select where").select_option("exit_funding_rate")
    page.get_by_label("from", exact=True).fill("0.00001")
    page.get_by_role("button", name="Select", exact=True).click()
    query = address_of(page)
    assert query["exit_funding_rate"] == "0.00005"
    trials = is_answered_as_the_api_does(page, shown, query)
    assert len(trials) == 3
    page.get_by_role("button", name="Clear selection").click()
    expect(page.locator("#selected")).to_have_text("All 20 finished trials")


def test_rectangle_in_the_heatmap_and_in_the_scatter_select(shown: Shown, visit: Visit) -> None:
    page = opened(visit, shown)
    page.locator("#heatmap").focus()
    page.keyboard.press("ArrowLeft")
    for key in ("Shift+ArrowUp", "Shift+ArrowDown", "Shift+ArrowLeft", "Shift+ArrowRight"):
        page.keyboard.press(key)
    expect(page.locator("#chips button")).to_have_count(2)
    page.keyboard.press("Escape")
    expect(page.locator("#chips button")).to_have_count(0)
    drag(page.locator("#heatmap canvas"), (0.3, 0.2), (0.5, 0.3))
    expect(page.locator("#chips button")).to_have_count(2)
    query = address_of(page)
    assert set(query) == {"min_funding_rate", "exit_funding_rate"}
    is_answered_as_the_api_does(page, shown, query)
    page.get_by_role("button", name="Clear selection").click()
    drag(page.locator("#scatter canvas"), (0.2, 0.05), (0.6, 0.5))
    expect(page.locator("#chips button").first).to_be_visible()
    query = address_of(page)
    assert set(query) <= {"max_drawdown_pct", "annualized_return"}
    count = len(shown.ask("trials", **query)["trials"])
    expect(page.locator("#selected")).to_have_text(f"{count} of 20 finished trials selected")


def test_shared_address_shows_the_same_view_to_another_reader(
    shown: Shown, visit: Visit, browser: Browser
) -> None:
    page = opened(visit, shown)
    page.get_by_label("Across").select_option("perp_leverage")
    page.locator("#view-form select[name=metric]").select_option("net_pnl")
    page.get_by_label("Trials of a cell").select_option("worst")
    page.locator("#scatter-form select[name=risk]").select_option("volatility")
    page.get_by_label("Select where").select_option("min_funding_rate")
    page.get_by_label("from", exact=True).fill("0.00003")
    page.get_by_role("button", name="Select", exact=True).click()
    page.locator("#trials").get_by_role("button", name="Fees").click()
    expect(page.locator('#trials th[aria-sort="ascending"]')).to_have_text("Fees")
    expect(page.locator("#trials tbody tr")).to_have_count(distinct(shown, min_funding_rate="0.00003.."))
    expect(page.locator("#parallel")).to_have_attribute("data-drawn", "16")
    drawn(page)
    other = browser.new_page(viewport={"width": 1280, "height": 900})
    other.goto(page.url)
    drawn(other)
    expect(other.locator("#parallel")).to_have_attribute("data-drawn", "16")
    for same in ("#heatmap", "#parallel", "#scatter", "#distribution"):
        expect(other.locator(same)).to_be_visible()
        picture = page.locator(f"{same} canvas").evaluate("canvas => canvas.toDataURL()")
        other.wait_for_function(
            "([one, wanted]) => document.querySelector(`${one} canvas`).toDataURL() === wanted",
            arg=[same, picture],
        )
    assert numbers_in_table(other) == numbers_in_table(page)
    expect(other.get_by_label("Trials of a cell")).to_have_value("worst")
    expect(other.locator("#chips")).to_have_text("min_funding_rate 0.00004 … 0.0001 ×")
    other.close()


def test_table_takes_columns_rows_orders_and_equal_results_as_one_and_the_address_holds_them(
    shown: Shown, visit: Visit
) -> None:
    page = opened(visit, shown, "?perp_leverage=1")
    page.locator("#trials [data-keep=sort-total_trades]").click()
    expect(page.locator("#trials table")).to_have_attribute("data-sort", "-total_trades")
    page.locator("#trials [data-keep=sort-sharpe]").click(modifiers=["Shift"])
    expect(page.locator("#trials table")).to_have_attribute("data-sort", "-total_trades,-sharpe")
    expect(page.locator("#trials th .then")).to_have_text("2 ▾")
    page.locator(".column-choice summary").click()
    for label in ("Funding", "Fees"):
        page.locator(".column-choice").get_by_label(label, exact=True).uncheck()
    page.locator(".column-choice").get_by_label("Sortino", exact=True).check()
    expect(page.locator("#trials [data-keep=sort-sortino]")).to_be_visible()
    page.get_by_label("Equal results as one").uncheck()
    expect(page.locator("#trials thead")).not_to_contain_text("Equal trials")
    assert address_of(page)["distinct"] == "0"
    page.get_by_label("Equal results as one").check()
    page.get_by_label("Rows").select_option("50")
    expect(page.locator("#trials thead")).to_contain_text("Equal trials")
    held = address_of(page)
    assert (held["sort"], held.get("distinct"), held["rows"]) == ("-total_trades,-sharpe", None, "50")
    assert "sortino" in held["cols"].split(",")
    assert "total_fees" not in held["cols"].split(",")
    wanted = shown.ask("trials", sort=held["sort"], perp_leverage="1", distinct="1")["trials"]
    expect(page.locator("#trials tbody tr")).to_have_count(len(wanted))
    page.reload()
    drawn(page)
    assert numbers_in_table(page) == [trial["number"] for trial in wanted]
    with page.expect_download() as saved:
        page.get_by_role("link", name="CSV of this view").click()
    lines = saved.value.path().read_text().splitlines()
    assert [int(line.partition(",")[0]) for line in lines[1:]] == numbers_in_table(page)
    assert lines[0].startswith("number,equal_trials,min_funding_rate")
    assert "sortino" in lines[0].split(",")
    for theme in ("light", "dark"):
        page.evaluate("theme => document.documentElement.dataset.theme = theme", theme)
        assert violations(page, "section[aria-labelledby=trials-title]") == []
    page.set_viewport_size({"width": 390, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert visit.complaints == []


def test_name_note_and_pin_of_a_trial_are_kept_and_the_pin_is_one_of_the_map(
    shown: Shown, visit: Visit
) -> None:
    page = opened(visit, shown)
    row = page.locator("#trials tbody tr").first
    number = row.locator("td a").inner_text()
    row.get_by_role("button", name="Name, note and pin").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name").fill("the calm one")
    dialog.get_by_label("Note").fill("ask about fees")
    dialog.get_by_label("Pinned").check()
    assert violations(page, "#mark-dialog") == []
    dialog.get_by_role("button", name="Save").click()
    expect(row.locator(".mark-name")).to_have_text("the calm one")
    expect(row.locator(".mark-note")).to_have_text("ask about fees")
    expect(page.locator("#pins li")).to_contain_text(f"trial {number} the calm one")
    page.goto(shown.page)
    drawn(page)
    expect(page.locator("#pins li a")).to_have_text(f"trial {number}")
    assert address_of(page) == {}
    page.locator("#years").scroll_into_view_if_needed()
    by_year = shown.ask(f"trials/{number}/years")["years"]
    candidate = shown.ask("verdict")["candidate"]["trial"]["number"]
    headings = page.locator("#years thead th")
    expect(headings).to_have_text(["Year", f"Candidate, trial {candidate}", f"trial {number} the calm one"])
    expect(page.locator("#years tbody th").first).to_have_text(by_year[0]["name"])
    cell = page.locator("#years tbody tr").first.locator("td").last
    expect(cell).to_contain_text(f"{float(by_year[0]['net_pnl']):,.2f}")
    expect(cell).to_contain_text(f"holding {float(by_year[0]['hold_net_pnl']):,.2f}")
    assert violations(page, ".evidence") == []
    page.locator("#pins [data-unpin]").click()
    expect(page.locator("#pins li")).to_have_count(0)
    expect(headings).to_have_text(["Year", f"Candidate, trial {candidate}"])
    expect(page.locator("#trials .pin-mark")).to_have_count(0)
    assert address_of(page) == {"pins": "none"}
    assert [mark["pinned"] for mark in shown.ask("marks")["marks"]] == [False]
    assert visit.complaints == []


def test_panels_show_a_heatmap_for_each_value_of_a_third_parameter(shown: Shown, visit: Visit) -> None:
    page = opened(visit, shown)
    page.get_by_label("One for each").select_option("perp_leverage")
    expect(page.locator("#heatmap")).to_have_attribute(
        "data-drawn", "min_funding_rate exit_funding_rate sharpe best perp_leverage"
    )
    page.locator("#heatmap").focus()
    page.keyboard.press("ArrowLeft")
    first = shown.ask("panels", **SIDES, z="perp_leverage")["heatmaps"][0]
    row, column = first["best"]
    expect(page.locator("#heatmap-cell")).to_contain_text(f"Sharpe {first['cells'][row][column]:.3f}")
    expect(page.locator("#heatmap-cell")).to_contain_text("perp_leverage 1")


def test_page_is_accessible_in_both_themes_and_never_scrolls_sideways(shown: Shown, visit: Visit) -> None:
    page = opened(visit, shown, "?min_funding_rate=0.00004..0.0001")
    expect(page.locator("#importance li")).to_have_count(3)
    for theme in ("light", "dark"):
        expect(page.locator("html")).to_have_attribute("data-theme", theme)
        assert violations(page) == []
        page.get_by_role("button", name="Light / dark").click()
    page.emulate_media(forced_colors="active")
    for width in (1280, 2560, 700, 390):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), width
    assert visit.complaints == []


def test_parameter_that_does_not_apply_is_shown_and_selected_as_such(
    address: str, visit: Visit, hands: Hands
) -> None:
    grid = {
        "strategy_mode": ["simple", "hold"],
        "perp_leverage": [1, 2],
        "exit_funding_rate": {"values": ["0", "0.00005"], "when": {"strategy_mode": "simple"}},
    }
    sweep = submitted(address, grid=grid)
    hands.work(1)
    page = opened(visit, sweep, "?x=exit_funding_rate&y=perp_leverage")
    expect(page.locator("#trials td.absent")).to_have_count(2)
    expect(page.locator("#trials td.absent").first).to_have_text("n/a")
    page.get_by_role("slider", name="strategy_mode").fill("1")
    expect(page.locator("#chips")).to_have_text("strategy_mode = hold ×")
    expect(page.locator("#trials tbody tr")).to_have_count(2)
    page.goto(f"{sweep.page}?exit_funding_rate=null")
    expect(page.locator("#selected")).to_have_text("2 of 6 finished trials selected")
    expect(page.locator("#chips")).to_have_text("exit_funding_rate = n/a ×")
    assert visit.complaints == []


def test_running_sweep_can_be_read_and_grows_and_survives_a_restart_of_the_server(
    home: Path, visit: Visit, hands: Hands
) -> None:
    page = visit.page
    with serving(home) as address:
        port = int(address.rpartition(":")[2])
        sweep = submitted(address)
        hands.split(1, 5)
        hands.work(1, chunks=1)
        opened(visit, sweep, "?perp_leverage=5")
        expect(page.locator("#selected")).to_contain_text("of 5 finished trials selected")
    page.get_by_role("slider", name="perp_leverage").fill("0")
    expect(page.locator("#trouble")).to_contain_text("The server does not answer")
    with serving(home, port=port):
        expect(page.locator("#selected")).to_have_text("All 5 finished trials")
        expect(page.locator("#trouble")).to_be_empty()
        hands.work(1)
        expect(page.locator("#progress .state")).to_have_text("completed")
        expect(page.locator("#selected")).to_have_text("All 20 finished trials")
        expect(page.locator("#trials tbody tr")).to_have_count(distinct(sweep))


def test_inspector_covers_no_view_wherever_the_page_stands(shown: Shown, visit: Visit) -> None:
    page = opened(visit, shown)
    for view in ("parallel", "scatter", "distribution", "importance"):
        box = page.locator(f"#{view}")
        box.evaluate("box => box.scrollIntoView({ block: 'center' })")
        area, inspector = box.bounding_box(), page.locator("#inspector").bounding_box()
        assert area
        assert inspector
        assert area["x"] + area["width"] <= inspector["x"], view


LEAST_CONTRAST = """async () => {
  const scripts = performance.getEntriesByType("resource").map(({ name }) => name);
  const { anchoredScale } = await import(scripts.find((name) => name.endsWith("/map/scale.js")));
  const channels = (colour) => colour.match(/\\d+/g).slice(0, 3).map(Number);
  const light = (colour) => colour.map((one) => one / 255)
    .map((share) => (share <= 0.03928 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4))
    .reduce((sum, share, at) => sum + share * [0.2126, 0.7152, 0.0722][at], 0);
  const page = light(channels(getComputedStyle(document.querySelector(".view-scatter")).backgroundColor));
  const contrast = (one) => (Math.max(one, page) + 0.05) / (Math.min(one, page) + 0.05);
  const { table } = anchoredScale(-1, 1, false, { lines: true });
  return Math.min(...table.map((colour) => contrast(light(colour))));
}"""


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_lines_and_points_of_every_value_stand_out_from_the_page(
    shown: Shown, visit: Visit, theme: str
) -> None:
    visit.page.add_init_script(f"localStorage.setItem('theme', '{theme}')")
    assert opened(visit, shown).evaluate(LEAST_CONTRAST) >= 2.8
