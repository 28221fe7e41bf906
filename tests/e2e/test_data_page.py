"""The pages of market data in a real browser: coverage, pairs, files, downloads, and words explained."""

import csv
import re
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import axe
import pytest
from browsing import Visit
from playwright.sync_api import expect
from pydantic import SecretStr
from webservice import DATABASE, Hands, serving

from bot.market_store.database import open_engine
from bot.market_store.importing import import_path
from bot.market_store.store import HistoricalDataStore
from sweeps.jobs.data_jobs import DATA_JOBS
from sweeps.jobs.job_runner import JobRunner
from sweeps.jobs.jobs import JobState, recent_jobs
from sweeps.migrations import migrate

pytestmark = pytest.mark.e2e
HOSTILE = '<img src=x onerror="document.title=1">.csv'


@pytest.fixture(scope="module")
def recorded(real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Return where recorded pairs of two exchanges are served, one of which changes its interval."""
    home = tmp_path_factory.mktemp("recorded")
    engine = open_engine(f"sqlite:///{home / DATABASE}")
    migrate(engine)
    store = HistoricalDataStore(engine)
    for name in (
        "ORCAUSDT-funding.csv",
        "ORCAUSDT-perp-1h.csv",
        "ORCAUSDT-spot-1h.csv",
        "BNBUSDT-spot-1h.csv",
    ):
        import_path(store, real_data / "binance" / name, "binance")
    import_path(store, real_data / "okx", "okx")
    engine.dispose()
    with serving(home) as address:
        yield address


def work(hands: Hands) -> list[JobState | None]:
    """Do the jobs that wait, as a worker would."""
    with hands.engine.connect() as connection:
        waiting = [one.id for one in recent_jobs(connection, DATA_JOBS, 50) if one.state == "queued"]
    return [JobRunner(hands.engine).run(job_id) for job_id in reversed(waiting)]


@pytest.mark.real_data
def test_coverage_shows_switches_and_holes_where_they_are(recorded: str, visit: Visit) -> None:
    page = visit.page
    page.goto(f"{recorded}/dashboard/data")
    orca = page.locator('tr[data-symbol="binance ORCA/USDT:USDT"]')
    expect(orca.locator("td.lane-names")).to_have_text("fundingperp 1hspot 1h")
    spans = orca.locator("rect:not(.candles):not(.hole)")
    assert spans.evaluate_all('all => all.map(one => one.getAttribute("class"))') == [
        *("h4", "h2", "h4", "h2", "h4", "h1", "h4", "h1")
    ]
    assert spans.first.locator("title").text_content() == "funding every 4 h, 2024-12-31 to 2025-03-21"
    bnb = page.locator('tr[data-symbol="binance BNB/USDT:USDT"]')
    assert bnb.locator("rect.hole title").text_content() == (
        "spot 1h: 1 row missing, 2023-03-24 13:00 to 2023-03-24 13:00"
    )
    expect(bnb.locator("td.num").last).to_have_text(re.compile(r"1\s*1 gap"))
    assert orca.locator("svg").get_attribute("aria-label") == (
        "binance ORCA/USDT:USDT: funding, perp 1h, spot 1h; no row missing"
    )
    page.get_by_role("link", name="30 days").click()
    expect(page.locator('[aria-label="Time shown"] [aria-current]')).to_have_text("30 days")
    expect(orca.locator("rect:not(.candles):not(.hole)")).to_have_count(2)
    assert axe.violations(page) == []
    assert visit.complaints == []


@pytest.mark.real_data
def test_pairs_show_what_their_files_hold_and_repay_at_the_fees_typed(
    recorded: str, visit: Visit, real_data: Path
) -> None:
    with (real_data / "okx" / "BTCUSDT-funding.csv").open() as file:
        rows = [(Decimal(row["funding_rate"]), int(row["interval_hours"])) for row in csv.DictReader(file)]
    total, hours = sum(rate for rate, _ in rows), sum(interval for _, interval in rows)
    page = visit.page
    page.goto(f"{recorded}/dashboard/data/pairs?days=0")
    btc = page.locator('tr[data-row="okx BTC/USDT:USDT"]')
    expect(btc.locator("td").nth(2)).to_have_text(f"{total / hours * 8760 * 100:.2f} %")
    needed = Decimal("0.0051") / (total / len(rows))
    expect(btc.locator("td").nth(10)).to_have_text(f"{needed:.1f} {needed * 8 / 24:.1f} d")

    page.get_by_label("perp", exact=True).fill("0")
    page.get_by_label("Slippage, bp").fill("0")
    page.get_by_role("button", name="Apply").click()
    expect(page.get_by_text("costs 0.2 % of the notional")).to_be_visible()
    needed = Decimal("0.002") / (total / len(rows))
    expect(btc.locator("td").nth(10)).to_have_text(f"{needed:.1f} {needed * 8 / 24:.1f} d")

    page.get_by_role("link", name="Symbol").click()
    expect(page.locator('th[aria-sort="ascending"]')).to_have_text("Symbol")
    names = page.locator("tr[data-row] td:first-child").all_inner_texts()
    assert names == ["BTC/USDT:USDT", "ETH/USDT:USDT", "ORCA/USDT:USDT"]
    page.locator("#row-filter").fill("okx eth")
    assert page.locator("tr[data-row]:visible td:first-child").all_inner_texts() == ["ETH/USDT:USDT"]
    assert axe.violations(page) == []

    page.get_by_label("perp", exact=True).fill("a lot")
    page.get_by_role("button", name="Apply").click()
    expect(page.get_by_role("alert")).to_have_text('perp_taker: "a lot" is not a decimal number')
    assert [text for text in visit.complaints if "422" not in text] == []


@pytest.mark.real_data
def test_pair_is_told_in_figures_curves_and_the_history_of_its_interval(recorded: str, visit: Visit) -> None:
    page = visit.page
    page.goto(f"{recorded}/dashboard/data/pairs?days=0")
    page.get_by_role("link", name="ORCA/USDT:USDT").click()
    page.locator("#pair[data-drawn]").wait_for()
    expect(page.get_by_text("-128.944218 %")).to_be_visible()
    expect(page.locator("#break-even")).to_have_text("never")
    expect(page.locator("#months-chart")).to_have_attribute("data-drawn", "15")
    expect(page.locator("#correlation-chart")).to_have_attribute("data-drawn", "48")
    history = page.locator('section[aria-labelledby="intervals-title"] tbody tr')
    assert history.locator("td.num").all_inner_texts() == [
        *("1 h", "66", "4 h", "274", "1 h", "868", "4 h", "1,349"),
        *("2 h", "50", "4 h", "114", "2 h", "36", "4 h", "483"),
    ]
    expect(page.locator("#series")).to_contain_text("ORCAUSDT-funding.csv 3,240 rows")
    page.locator("#dates").get_by_label("from").fill("2025-06-01")
    page.locator("#dates").get_by_label("to").fill("2025-07-01")
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_role("heading", name="2025-06-01 00:00 to 2025-07-01 00:00 UTC")).to_be_visible()
    expect(page.locator("#carry")).to_have_text("4.77 %")
    page.locator("#pair[data-drawn]").wait_for()
    assert axe.violations(page) == []
    assert visit.complaints == []


def test_files_are_sent_followed_to_their_outcome_and_seen_in_the_picture(
    address: str, visit: Visit, hands: Hands, tmp_path: Path
) -> None:
    good = tmp_path / "ETHUSDT-funding.csv"
    good.write_text(
        "timestamp_ms,funding_rate,interval_hours,mark_price\n"
        "1672531200000,0.0001,8,\n1672560000000,0.0002,8,\n1672560000000,0.0003,8,\n"
    )
    hostile = {"name": HOSTILE, "mimeType": "text/csv", "buffer": b"nothing\n"}
    page = visit.page
    page.goto(f"{address}/dashboard/data")
    form = page.locator("#import-form")
    form.locator("[name=exchange]").fill("kraken")
    form.locator("[name=files]").set_input_files(good)
    form.get_by_role("button", name="Import").click()
    expect(form.get_by_role("status")).to_contain_text("1 of 1 file sent")
    form.locator("[name=files]").set_input_files(hostile)
    form.get_by_role("button", name="Import").click()
    expect(page.locator("#data-jobs tr[data-state=queued]")).to_have_count(2)
    expect(page.locator("#data-jobs")).to_contain_text("waiting for a worker")

    assert work(hands) == ["completed", "failed"]
    done = page.locator("#data-jobs tr[data-state=completed]")
    expect(done).to_contain_text("3 rows read · 2 new · 0 already there · 1 refused")
    done.get_by_text("Why rows were refused").click()
    expect(done.locator("li")).to_have_text(
        "line 4: funding_rate 0.0003 at 2023-01-01T08:00:00Z contradicts 0.0002, which is held already"
    )
    expect(page.locator("#data-jobs tr[data-state=failed]")).to_contain_text("is no market data")
    expect(page.locator('tr[data-symbol="kraken ETH/USDT:USDT"]')).to_be_visible()
    assert page.locator("main img").count() == 0
    assert axe.violations(page) == []
    assert visit.complaints == []


def test_person_who_signed_in_sends_a_file_and_stops_it(home: Path, visit: Visit) -> None:
    page = visit.page
    with serving(home, api_token=SecretStr("a token of some length")) as address:
        page.goto(f"{address}/dashboard/data")
        page.get_by_label("Token").fill("a token of some length")
        page.get_by_role("button", name="Sign in").click()
        form = page.locator("#import-form")
        form.locator("[name=exchange]").fill("kraken")
        form.locator("[name=files]").set_input_files(
            {"name": "BTCUSDT-funding.csv", "mimeType": "text/csv", "buffer": b"waits\n"}
        )
        form.get_by_role("button", name="Import").click()
        page.locator("#data-jobs").get_by_role("button", name="Stop").click()
        expect(page.locator("#data-jobs tr[data-state=cancelled]")).to_have_count(1)
    assert visit.complaints == []


def test_download_is_refused_in_words_accepted_and_stopped(address: str, visit: Visit, hands: Hands) -> None:
    page = visit.page
    page.goto(f"{address}/dashboard/data")
    form = page.locator("#fetch-form")
    form.locator("[name=symbols]").fill("BTC/USDT:USDT")
    form.locator("[name=since]").fill("yesterday")
    form.get_by_role("button", name="Fetch").click()
    expect(form.get_by_role("status")).to_contain_text('since: "yesterday" is no time: write 2024-01-31')
    form.locator("[name=since]").fill("2024-01-01")
    form.get_by_role("button", name="Fetch").click()
    row = page.locator("#data-jobs tr[data-job]")
    expect(row).to_contain_text("BTC/USDT:USDT from binance since 2024-01-01")
    row.get_by_role("button", name="Stop").click()
    expect(page.locator("#data-jobs tr[data-state=cancelled]")).to_have_count(1)
    assert work(hands) == []


def test_word_is_explained_on_focus_until_escape_and_leads_to_the_glossary(
    address: str, visit: Visit
) -> None:
    page = visit.page
    page.goto(f"{address}/dashboard/data/pairs")
    tip = page.get_by_role("tooltip")
    word = page.locator("a.term", has_text="Taker fee")
    word.focus()
    expect(tip).to_have_text("The share of a fill's notional paid for an order that trades at once.")
    assert word.get_attribute("aria-describedby") == "term-tip"
    assert axe.violations(page) == []
    page.keyboard.press("Escape")
    expect(tip).to_be_hidden()
    word.hover()
    expect(tip).to_be_visible()
    tip.hover()
    expect(tip).to_be_visible()
    word.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#taker:target dt")).to_have_text("Taker fee")
    assert axe.violations(page) == []
    assert visit.complaints == []


def test_rows_are_shown_confirmed_and_deleted(address: str, visit: Visit) -> None:
    page = visit.page
    page.goto(f"{address}/dashboard/data")
    form = page.locator("#delete-form")
    form.get_by_label("Exchange").fill("synthetic")
    form.get_by_label("Symbol").fill("BTCUSDT")
    form.get_by_label("Series").fill("perp-7h")
    form.get_by_role("button", name="Show what would be deleted").click()
    expect(form.get_by_role("status")).to_contain_text('series: "perp-7h" has no candle interval of')
    form.get_by_label("Series").fill("perp-1h")
    form.get_by_label("From, UTC").fill("2024-02-01")
    form.get_by_label("To, not included").fill("2024-02-02")
    form.get_by_role("button", name="Show what would be deleted").click()
    expect(form.locator("li")).to_have_text(
        "BTC/USDT:USDT perp 1h: 24 rows, 2024-02-01 00:00 to 2024-02-01 23:00"
    )
    confirm = form.get_by_role("button", name="Delete 24 rows")
    form.get_by_label("To, not included").fill("2024-02-03")
    expect(confirm).to_be_hidden()
    form.get_by_label("To, not included").fill("2024-02-02")
    form.get_by_role("button", name="Show what would be deleted").click()
    assert axe.violations(page) == []
    confirm.click()
    expect(form.get_by_role("status")).to_have_text("24 rows deleted")
    lost = page.locator(
        'tr[data-symbol="synthetic BTC/USDT:USDT"] rect.hole title',
        has_text="perp 1h: 24 rows missing, 2024-02-01 00:00 to 2024-02-01 23:00",
    )
    expect(lost).to_have_count(1)
    assert [one for one in visit.complaints if "422" not in one] == []
