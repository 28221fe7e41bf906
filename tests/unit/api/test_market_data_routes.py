"""Market data over HTTP: figures at one's own costs, files and downloads accepted, refused and stopped."""

import html
import json
from collections.abc import Callable
from typing import Any

import pytest
from fastapi.testclient import TestClient
from webservice import Hands, Reader

from api.middleware.body import MAX_BYTES
from bot.market_store.fetch import exchanges
from sweeps.jobs.job_runner import JobRunner
from sweeps.storage import uploads

BTC = "BTC/USDT:USDT"
FUNDING = b"timestamp_ms,funding_rate,interval_hours,mark_price\n1672531200000,0.0001,8,\n"
ASKED = {"exchange": "binance", "symbols": [BTC], "since": "2024-01-01"}


def send(client: TestClient, content: bytes = FUNDING, **changes: str) -> Any:
    query = {"exchange": "kraken", "name": "BTCUSDT-funding.csv"} | changes
    headers = {"Content-Type": "application/octet-stream"}
    return client.post("/data/imports", params=query, content=content, headers=headers)


def test_symbols_of_a_file_of_many_markets_may_be_repeated(reader: Reader) -> None:
    headers = {"Content-Type": "application/octet-stream"}
    query = "exchange=kraken&name=f.json&symbol=BTCUSDT&symbol=ETHUSDT"
    answer = reader.client.post(f"/data/imports?{query}", content=b"[]", headers=headers)
    assert answer.status_code == 202
    refused = reader.client.post(f"/data/imports?{query}&symbol=BTC-USD-SWAP", content=b"[]", headers=headers)
    assert (refused.status_code, refused.json()["errors"]) == (
        422,
        [
            {
                "field": "symbol",
                "message": 'coin-margined contracts are read from canonical files only: "BTC-USD-SWAP"',
            }
        ],
    )


def test_coverage_tells_the_spans_of_each_interval(reader: Reader) -> None:
    (exchange,) = reader.client.get("/data/coverage").json()["exchanges"]
    doge = next(one for one in exchange["symbols"] if one["symbol"].startswith("DOGE"))
    funding = next(one for one in doge["series"] if one["kind"] == "funding")
    assert [span["hours"] for span in funding["intervals"]] == [8, 4, 8]
    assert sum(span["settlements"] for span in funding["intervals"]) == funding["rows"]


def test_pairs_come_by_carry_and_repay_at_the_costs_asked(reader: Reader) -> None:
    pairs = reader.client.get("/data/pairs?days=0").json()["pairs"]
    carries = [one["funding"]["carry_per_year"] for one in pairs]
    assert carries == sorted(carries, reverse=True)
    free = "spot_taker=0.0001&perp_taker=0&slippage_bps=0"
    cheap = reader.client.get(f"/data/pairs?days=0&{free}").json()["pairs"]
    for usual, reduced in zip(pairs, cheap, strict=True):
        assert usual["symbol"] == reduced["symbol"]
        average = float(usual["funding"]["total"]) / usual["funding"]["settlements"]
        assert usual["break_even_settlements"] == pytest.approx(0.0051 / average)
        assert reduced["break_even_settlements"] == pytest.approx(0.0002 / average)


def test_order_follows_the_figure_asked_for(reader: Reader) -> None:
    found = reader.client.get("/data/pairs?days=0&sort=symbol").json()["pairs"]
    names = [one["symbol"] for one in found]
    assert names == sorted(names)
    found = reader.client.get("/data/pairs?days=0&sort=-basis_deviation").json()["pairs"]
    widths = [one["basis"]["deviation"] for one in found if one["basis"] is not None]
    assert widths == sorted(widths, reverse=True)
    assert [one["basis"] for one in found[len(widths) :]] == [None] * (len(found) - len(widths))


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("sort=luck", "sort"),
        ("days=31", "days"),
        ("spot_taker=-1", "spot_taker"),
        ("perp_taker=nan", "perp_taker"),
        ("slippage_bps=10000", "slippage_bps"),
    ],
)
def test_refused_question_names_the_field(reader: Reader, query: str, field: str) -> None:
    response = reader.client.get(f"/data/pairs?{query}")
    assert response.status_code == 422
    assert response.json()["errors"][0]["field"] == field


def test_one_pair_comes_with_its_distribution_months_and_curves(reader: Reader) -> None:
    found = reader.client.get("/data/pair", params={"exchange": "synthetic", "symbol": BTC, "days": 0}).json()
    funding = found["funding"]
    assert sum(found["distribution"]["counts"]) == funding["settlements"] == 273
    assert [one["month"] for one in found["months"]] == [202401, 202402, 202403, 202404]
    assert sum(one["settlements"] for one in found["months"]) == 273
    assert found["autocorrelations"][0] == pytest.approx(funding["autocorrelation"])
    assert len(found["autocorrelations"]) == 48
    assert found["rates_8h"][0][0] == funding["first_ms"]
    assert len(found["basis_points"]) == found["basis"]["known"]


def test_pair_page_works_out_the_break_even_asked_for_and_leads_to_a_sweep_of_it(reader: Reader) -> None:
    page = {"Accept": "text/html"}
    asked = {
        "exchange": "synthetic",
        "symbol": BTC,
        "days": 0,
        "slippage_bps": 0,
        "rate_bps": "1",
        "size": "5000",
    }
    text = reader.client.get("/dashboard/data/pair", params=asked, headers=page).text
    row = text.partition("<td>These fees</td>")[2].partition("</tr>")[0]
    assert [">15.5<" in row, ">0.5<" in row, ">31<" in row, ">10.3<" in row] == [True] * 4
    refused = reader.client.get("/dashboard/data/pair", params=asked | {"size": "0"}, headers=page)
    assert (refused.status_code, "0 is not above 0" in refused.text) == (422, True)
    form = "/dashboard/sweeps/new?exchange=synthetic&amp;symbol=BTC%2FUSDT%3AUSDT"
    assert form in text
    prefilled = reader.client.get(html.unescape(form), headers=page).text
    assert f'"symbols": ["{BTC}"]' in prefilled.partition('id="start-with"')[2]
    unknown = reader.client.get("/dashboard/sweeps/new?exchange=synthetic&symbol=NO", headers=page)
    assert (unknown.status_code, "is not held well enough" in unknown.text) == (422, True)


def test_unknown_pair_is_refused_by_name(reader: Reader) -> None:
    response = reader.client.get("/data/pair?exchange=synthetic&symbol=NO")
    assert response.status_code == 422
    assert response.json()["errors"][0]["message"].startswith('no funding of "NO" is held')


def test_file_is_accepted_and_polled_to_its_outcome(client: TestClient, hands: Hands) -> None:
    response = send(client)
    job = response.json()
    assert response.status_code == 202
    assert response.headers["location"] == f"/data/jobs/{job['id']}"
    assert (job["kind"], job["state"], job["request"]["name"]) == ("import", "queued", "BTCUSDT-funding.csv")
    JobRunner(hands.engine).run(job["id"])
    done = client.get(response.headers["location"]).json()
    assert (done["state"], done["result"]["new"]) == ("completed", 1)
    assert client.get("/data/jobs").json()["jobs"] == [done]


def page_of(*hours: int) -> bytes:
    """Return settlements at these hours of 2023 as an exchange answers that states no interval."""
    rows = [
        {"symbol": "AAAUSDT", "fundingTime": 1_672_531_200_000 + hour * 3_600_000, "fundingRate": "0.0001"}
        for hour in hours
    ]
    return json.dumps(rows).encode()


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 0, 2)])
def test_pages_sent_in_any_order_give_the_same_intervals(
    client: TestClient, hands: Hands, order: tuple[int, ...]
) -> None:
    pages = [page_of(0, 4, 8), page_of(16), page_of(24, 32)]
    for place in order:
        job_id = send(client, pages[place], name=f"page{place}.json").json()["id"]
        JobRunner(hands.engine).run(job_id)
    kraken = next(
        one for one in client.get("/data/coverage").json()["exchanges"] if one["exchange"] == "kraken"
    )
    (funding,) = kraken["symbols"][0]["series"]
    assert [(span["hours"], span["settlements"]) for span in funding["intervals"]] == [(4, 3), (8, 3)]


def test_inverse_market_has_a_page_and_is_offered_to_no_run_of_spot_and_perp(reader: Reader) -> None:
    page, inverse = {"Accept": "text/html"}, "BTC/USD:BTC"
    asked = {"exchange": "synthetic", "symbol": inverse}
    text = reader.client.get("/dashboard/data/pair", params=asked, headers=page).text
    assert "<td>perp 1h</td>" in text
    assert "<td>life</td>" in text
    assert inverse in {one["symbol"] for one in reader.client.get("/data/pairs").json()["pairs"]}
    form = reader.client.get("/dashboard/backtest", headers=page).text
    assert (BTC in form, inverse in form) == (True, False)
    refused = reader.client.get("/dashboard/sweeps/new", params=asked, headers=page)
    assert (refused.status_code, "is not held well enough to run on" in refused.text) == (422, True)


def test_brackets_sent_alone_are_listed_by_routes_and_pages_and_deleted_again(
    client: TestClient, hands: Hands
) -> None:
    brackets = b'[{"from_ms": 0, "brackets": [{"cap": null, "mmr": 0.01}]}]'
    job_id = send(client, brackets, name="BTCUSDT-brackets.json").json()["id"]
    JobRunner(hands.engine).run(job_id)
    held = {one["exchange"]: one for one in client.get("/data/coverage").json()["exchanges"]}
    (symbol,) = held["kraken"]["symbols"]
    assert symbol["records"] == [
        {"kind": "brackets", "first_ms": 0, "last_ms": 0, "rows": 1, "source": "BTCUSDT-brackets.json"}
    ]
    told = '<span title="1 row, always, from BTCUSDT-brackets.json">brackets</span>'
    assert told in client.get("/dashboard/data").text
    page = client.get("/dashboard/data/pair", params={"exchange": "kraken", "symbol": BTC})
    assert "<td>brackets</td><td>always</td><td>always</td>" in page.text
    removed = client.delete("/data/rows", params={"exchange": "kraken", "series": "brackets"}).json()
    assert (removed["rows"], removed["deleted"]) == (1, True)
    exchanges = [one["exchange"] for one in client.get("/data/coverage").json()["exchanges"]]
    assert "kraken" not in exchanges


def test_fee_schedules_sent_alone_are_shown_beside_their_exchange(client: TestClient, hands: Hands) -> None:
    row = {"from_ms": 0, "market": "inverse", "tier": "VIP0", "min_volume": 0, "maker": 0, "taker": 0.0005}
    job_id = send(client, json.dumps({"rows": [row]}).encode(), name="fees.json").json()["id"]
    JobRunner(hands.engine).run(job_id)
    told = '<span class="hint"><span title="1 row, always, from fees.json">fees</span></span></th>'
    assert f'kraken <span class="hint">0 symbols</span> {told}' in client.get("/dashboard/data").text
    assert "<option>kraken</option>" in client.get("/dashboard/data").text


def test_file_sent_again_replaces_rows_only_if_it_is_to(client: TestClient, hands: Hands) -> None:
    corrected = FUNDING.replace(b"0.0001", b"0.0003")
    results = []
    for content, changes in ((FUNDING, {}), (corrected, {}), (corrected, {"replace": "true"})):
        job_id = send(client, content, **changes).json()["id"]
        JobRunner(hands.engine).run(job_id)
        results.append(client.get(f"/data/jobs/{job_id}").json()["result"])
    counts = [(one["new"], one["replaced"], one["refused"]) for one in results]
    assert counts == [(1, 0, 0), (0, 0, 1), (0, 1, 0)]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": "../BTCUSDT-funding.csv"}, "name"),
        ({"name": "a\x00b.csv"}, "name"),
        ({"exchange": "Kraken/../x"}, "exchange"),
        ({"kind": "funding"}, "kind"),
        ({"timeframe": "7h"}, "timeframe"),
        ({"time_zone": "Mars/Olympus"}, "time_zone"),
    ],
)
def test_refused_file_names_the_field(client: TestClient, changes: dict[str, str], field: str) -> None:
    response = send(client, **changes)
    assert response.status_code == 422
    assert response.json()["errors"][0]["field"] == field
    assert client.get("/data/jobs").json()["jobs"] == []


def test_empty_file_is_refused(client: TestClient) -> None:
    assert send(client, b"").json()["errors"][0] == {
        "field": "body",
        "message": "BTCUSDT-funding.csv is empty",
    }


def test_file_larger_than_the_limit_is_refused_and_one_larger_than_other_bodies_is_not(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert send(client, b"x" * (MAX_BYTES + 1)).status_code == 202
    monkeypatch.setattr("api.routes.uploads.MAX_UPLOAD_BYTES", 100)
    response = send(client, b"x" * 101)
    assert response.status_code == 413
    assert "100 bytes" in response.json()["detail"]
    assert uploads.MAX_UPLOAD_BYTES > MAX_BYTES


def test_file_that_would_fill_the_disk_is_refused(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.admission.RESERVE_BYTES", 2**62)
    response = send(client)
    assert response.status_code == 507
    assert client.get("/data/jobs").json()["jobs"] == []


def test_form_of_another_site_cannot_send_a_file(client: TestClient) -> None:
    query = {"exchange": "kraken", "name": "x.csv"}
    for declared in ("multipart/form-data", "text/plain", "application/x-www-form-urlencoded"):
        headers = {"Content-Type": declared}
        assert client.post("/data/imports", params=query, content=b"x", headers=headers).status_code == 415


def test_download_is_accepted_as_it_was_asked(client: TestClient) -> None:
    response = client.post("/data/fetches", json=ASKED | {"symbols": f"{BTC}, {BTC},ETH/USDT:USDT"})
    assert response.status_code == 202
    assert response.json()["request"] == {
        "exchange": "binance",
        "symbols": [BTC, "ETH/USDT:USDT"],
        "since": "2024-01-01T00:00:00Z",
        "until": None,
        "timeframe": "1h",
    }


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"exchange": "http://127.0.0.1"}, "exchange"),
        ({"api_url": "http://169.254.169.254"}, "api_url"),
        ({"symbols": []}, "symbols"),
        ({"symbols": [1]}, "symbols"),
        ({"since": "yesterday"}, "since"),
        ({"until": "2023-01-01"}, "until"),
        ({"timeframe": "7h"}, "timeframe"),
    ],
)
def test_refused_download_names_the_field(client: TestClient, changes: dict[str, Any], field: str) -> None:
    response = client.post("/data/fetches", json=ASKED | changes)
    assert response.status_code == 422
    assert response.json()["errors"][0]["field"] == field


def test_download_without_ccxt_says_what_to_install(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exchanges.importlib.util, "find_spec", lambda _name: None)
    response = client.post("/data/fetches", json=ASKED)
    assert response.status_code == 501
    assert "pip install carrygrid[live]" in response.json()["detail"]


def test_job_is_stopped_once_and_stays_stopped(client: TestClient) -> None:
    job_id = send(client).json()["id"]
    first = client.post(f"/data/jobs/{job_id}/cancel").json()
    assert first["state"] == "cancelled"
    assert client.post(f"/data/jobs/{job_id}/cancel").json() == first
    assert client.post("/data/jobs/999/cancel").status_code == 404


def test_every_page_of_market_data_says_what_to_do_without_any(
    make_client: Callable[..., TestClient], tmp_path: Any
) -> None:
    client = make_client(database_url=f"sqlite:///{tmp_path / 'empty.db'}")
    page = {"Accept": "text/html"}
    assert "No market data yet" in client.get("/dashboard/data", headers=page).text
    assert "Import or fetch some" in client.get("/dashboard/data/pairs", headers=page).text
    gone = client.get("/dashboard/data/pair?exchange=x&symbol=y", headers=page)
    assert (gone.status_code, "nothing of" in gone.text) == (422, True)


@pytest.mark.parametrize(
    ("path", "detail", "next_step"),
    [
        ("/dashboard/sweeps/999", "there is no sweep 999", "Look for it in the list"),
        ("/dashboard/data/pair?exchange=no&symbol=x", 'nothing of "x" is held', "See which exchanges"),
        ("/dashboard/data?days=5", "<strong>days</strong>: 5 is none of", "Correct it in the address"),
    ],
)
def test_error_page_says_what_is_wrong_and_what_to_do(
    reader: Reader, path: str, detail: str, next_step: str
) -> None:
    text = html.unescape(reader.client.get(path, headers={"Accept": "text/html"}).text)
    assert detail in text
    assert next_step in text
