"""The parts of a trial's page: exact sums, thinned series, settlements of a trade."""

import json
import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st
from sweeping import BASE, alter_trial
from webservice import Hands, Reader, sweep_body

from api.dashboard.trial import charts
from bot.config.run_config import RunConfig
from bot.market_store.pair_figures.thinning import thinned
from sweeps.jobs.job_runner import JobRunner

PAGE = {"Accept": "text/html"}
NUMBER = re.compile(r">(-?[\d,]+\.\d{8})<")


def best(reader: Reader) -> int:
    return int(reader.client.get(f"/sweeps/{reader.sweep_id}").json()["best_trial"]["number"])


def part(reader: Reader, name: str, **query: Any) -> Any:
    path = f"/dashboard/sweeps/{reader.sweep_id}/trials/{best(reader)}/{name}"
    response = reader.client.get(path, params=query, headers=PAGE)
    assert response.status_code == 200
    return response


def of_api(reader: Reader, name: str) -> Any:
    return reader.client.get(f"/sweeps/{reader.sweep_id}/trials/{best(reader)}/{name}").json()


def amounts(texts: Sequence[str]) -> list[Decimal]:
    return [Decimal(text.replace(",", "")) for text in texts]


def test_parts_of_the_net_are_printed_exactly_and_sum_to_it(reader: Reader) -> None:
    text = part(reader, "report").text
    *parts, net = amounts(re.findall(r'title="(-?[\d.]+) USDT, exact"', text))
    assert len(parts) in {4, 5}
    assert sum(parts) == net == Decimal(of_api(reader, "")["metrics"]["net_pnl"])


def test_months_are_printed_exactly_and_sum_to_the_net(reader: Reader) -> None:
    text = part(reader, "report").text
    months = amounts(re.findall(r'title="\w{3} \d{4}: (-?[\d.]+) USDT', text))
    assert len(months) == 3
    assert sum(months) == Decimal(of_api(reader, "")["metrics"]["net_pnl"])


def test_every_trade_lists_the_settlements_that_its_funding_is_made_of(reader: Reader) -> None:
    for index, trade in enumerate(of_api(reader, "trades")["trades"]):
        booked = []
        for start in range(0, trade["funding_payments"], 100):
            page = part(reader, f"trades/{index}", start=start).text
            booked += [amounts(NUMBER.findall(row)) for row in page.partition("<tbody>")[2].split("<tr>")[1:]]
            assert "What it saw when it entered" in page
        assert len(booked) == trade["funding_payments"]
        assert sum(amount for amount, _ in booked) == Decimal(trade["funding"])
        if booked:
            assert booked[-1][1] == Decimal(trade["funding"])


def test_more_settlements_than_a_page_are_turned(reader: Reader) -> None:
    trades = of_api(reader, "trades")["trades"]
    index = max(range(len(trades)), key=lambda at: trades[at]["funding_payments"])
    count = trades[index]["funding_payments"]
    assert count > 100
    assert "1 to 100 of" in part(reader, f"trades/{index}").text
    last = part(reader, f"trades/{index}", start=100).text
    assert f"101 to {min(count, 200)} of {count}" in last


def test_trade_that_does_not_exist_is_named(reader: Reader) -> None:
    path = f"/dashboard/sweeps/{reader.sweep_id}/trials/{best(reader)}/trades/999"
    response = reader.client.get(path, headers=PAGE)
    assert response.status_code == 422
    assert "999 is not below" in response.text


def test_curve_holds_the_equity_of_the_api_and_falls_below_its_peak(reader: Reader) -> None:
    curve = part(reader, "curve").json()
    equity = of_api(reader, "equity")["equity"]
    assert [curve["times"], curve["equity"]] == [list(column) for column in zip(*equity, strict=True)]
    assert curve["points"] == len(equity)
    assert min(curve["drawdown"]) == -of_api(reader, "")["metrics"]["max_drawdown_pct"]
    moves = [(move["t"], move["action"]) for move in curve["moves"]]
    trades = of_api(reader, "trades")["trades"]
    expected = [(trade["opened_at"], "open") for trade in trades] + [
        (trade["closed_at"], "close") for trade in trades
    ]
    assert sorted(moves) == sorted(expected)
    hold = part(reader, "hold").json()
    assert hold["points"] == len(equity)
    assert hold["equity"][-1] != curve["equity"][-1]


def test_long_curve_is_thinned_until_it_is_zoomed_into(
    reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = part(reader, "curve").json()
    monkeypatch.setattr(charts, "COLUMNS", 10)
    monkeypatch.setattr(charts, "MOST_MARKS", 1)
    coarse = part(reader, "curve").json()
    assert len(coarse["times"]) < len(whole["times"]) == coarse["points"]
    assert min(coarse["drawdown"]) == min(whole["drawdown"])
    assert set(coarse["equity"]) >= {min(whole["equity"], key=Decimal), max(whole["equity"], key=Decimal)}
    assert coarse["moves"] is None
    span = {"first": whole["times"][5], "last": whole["times"][20]}
    assert part(reader, "curve", **span).json()["times"] == whole["times"][4:22]


def test_funding_names_what_was_booked_and_where_it_sums_up(reader: Reader) -> None:
    funding = part(reader, "funding").json()
    booked = [Decimal(amount) for amount in funding["booked"] if amount is not None]
    metrics = of_api(reader, "")["metrics"]
    assert len(booked) == metrics["funding_payments"]
    assert sum(booked) == Decimal(metrics["total_funding"]) == Decimal(funding["total"][-1])
    held = [[trade["opened_at"], trade["closed_at"]] for trade in of_api(reader, "trades")["trades"]]
    assert funding["held"] == held
    refused = reader.client.get(
        f"/dashboard/sweeps/{reader.sweep_id}/trials/0/funding", params={"symbol": "no/such"}
    )
    assert refused.status_code == 422


def test_configuration_is_a_file_that_runs_again(reader: Reader) -> None:
    response = part(reader, "config.json")
    number = best(reader)
    name = f"sweeps-{reader.sweep_id}-trials-{number}.json"
    assert response.headers["content-disposition"] == f'attachment; filename="{name}"'
    config = of_api(reader, "")["config"]
    assert RunConfig.parse(json.loads(response.text)).document() == config
    page = reader.client.get(f"/dashboard/sweeps/{reader.sweep_id}/trials/{number}", headers=PAGE).text
    assert f"carrygrid sweep promote {reader.sweep_id} {number}" in page


def test_stored_curve_and_trades_remain_where_a_replay_is_refused(client: TestClient, hands: Hands) -> None:
    sweep_id = client.post("/sweeps", json=sweep_body(curves="all")).json()["id"]
    hands.work(sweep_id)
    base = f"/dashboard/sweeps/{sweep_id}/trials/0"
    before = client.get(f"{base}/curve").json()
    alter_trial(hands.engine, sweep_id, 0, run_key="0" * 64)
    after = client.get(f"{base}/curve").json()
    assert after == before
    assert before["origin"] == "Stored with the result."
    hold = client.get(f"{base}/hold")
    assert hold.status_code == 409
    assert hold.json()["detail"] == (
        "trial 0 was replayed on other market data or by another engine version than there are now; "
        "its stored curve and trades are shown, and what takes a replay is left out"
    )
    assert "was not stored" not in client.get(f"{base}/report", headers=PAGE).text
    assert "1 to 1 of 1 trade, in the order they ended" in client.get(f"{base}/trades", headers=PAGE).text
    assert client.get(f"{base}/trades/0", headers=PAGE).status_code == 409


def test_curve_that_is_not_stored_is_replayed_or_said_to_be_gone(client: TestClient, hands: Hands) -> None:
    sweep_id = client.post("/sweeps", json=sweep_body(curves="none")).json()["id"]
    hands.work(sweep_id)
    base = f"/dashboard/sweeps/{sweep_id}/trials/0"
    origin = client.get(f"{base}/curve").json()["origin"]
    assert origin == "Replayed now on the same data: the sweep stored no curve of this trial."
    alter_trial(hands.engine, sweep_id, 0, run_key="0" * 64)
    gone = client.get(f"{base}/curve")
    assert gone.status_code == 409
    assert gone.json()["detail"].endswith(
        "and its curve was not stored; clone the sweep to see it on the data held now"
    )


def test_break_even_of_a_run_counts_fees_and_slippage(reader: Reader) -> None:
    found = of_api(reader, "")
    metrics, config = found["metrics"], found["config"]
    [shown] = re.findall(r'id="run-break-even">.*?: ([\d.]+)</p>', part(reader, "report").text, re.DOTALL)
    fees = Decimal(config["spot_taker"]) + Decimal(config["perp_taker"])
    with_slippage = float(1 + 2 * Decimal(config["slippage_bps"]) / 10000 / fees)
    assert float(shown) == pytest.approx(metrics["breakeven_settlements"] * with_slippage, rel=0.02)


@given(st.lists(st.integers(-1000, 1000), min_size=1, max_size=400), st.integers(1, 12))
def test_thinning_keeps_the_ends_and_the_extremes(values: list[int], columns: int) -> None:
    times = np.cumsum(np.arange(1, len(values) + 1))
    series = np.array(values)
    kept = thinned(times, [series], columns)
    assert kept[0] == 0
    assert kept[-1] == len(values) - 1
    assert {series[kept].min(), series[kept].max()} == {min(values), max(values)}
    assert len(kept) <= (len(values) if len(values) <= 4 * columns else 4 * columns + 2)
    assert (np.diff(kept) > 0).all()


def test_backtest_has_the_parts_that_a_trial_has(client: TestClient, hands: Hands) -> None:
    job_id = client.post("/backtests", json={**BASE, "min_funding_rate": "0.00002"}).json()["id"]
    base = f"/dashboard/backtests/{job_id}"
    assert client.get(f"{base}/curve").status_code == 409
    JobRunner(hands.engine).run(job_id)
    result = client.get(f"/backtests/{job_id}").json()["result"]
    text = client.get(f"{base}/report", headers=PAGE).text
    *parts, net = amounts(re.findall(r'title="(-?[\d.]+) USDT, exact"', text))
    assert sum(parts) == net == Decimal(result["metrics"]["net_pnl"]) != 0
    assert client.get(f"{base}/curve").json()["equity"] == [value for _, value in result["equity"]]
    assert client.get(f"{base}/trades/0", headers=PAGE).status_code == 200
    assert (
        client.get(f"{base}/config.json").headers["content-disposition"].endswith(f'backtests-{job_id}.json"')
    )
