"""The page of a run of hedges: every part of it is told, and every sum on it is exact."""

import contextlib
import csv
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sweeping import BASE
from webservice import DATABASE, Hands, copy_of, sweep_body

from api.application import create_app
from api.settings import Settings
from bot.market.symbols import SECOND_SYNTHETIC_EXCHANGE
from bot.market_store.store import HistoricalDataStore
from bot.market_store.synthetic.generator import generate
from bot.timestamps import parse_time_ms
from sweeps.jobs.job_runner import JobRunner

PAGE = {"Accept": "text/html"}
BRACKETS = [
    {"cap": 5000, "mmr": "0.01", "max_leverage": 75},
    {"cap": None, "mmr": "0.05", "amount": 200, "max_leverage": 10},
]
RUNS: dict[str, dict[str, Any]] = {
    "spot_perp": {
        "perp_leverage": 8,
        "margin_model": "brackets",
        "instrument": {"brackets": BRACKETS},
        "margin_policy": "top_up",
        "margin_trigger": "0.1",
        "transfer_fee": "0.5",
        "impact_bps": 20,
        "liquidation_fee": "0.005",
    },
    "perp_perp": {
        "structure": "perp_perp",
        "symbols": [f"BTC/USDT:USDT@{SECOND_SYNTHETIC_EXCHANGE}<>BTC/USDT:USDT@synthetic"],
        "perp_leverage": 3,
        "wallet_trigger": "0.02",
        "transfer_fee": 1,
        "transfer_delay_minutes": 30,
        "min_funding_rate": "0.00001",
        "exit_funding_rate": "-0.0001",
    },
    "reverse": {
        "structure": "reverse",
        "borrow_rate_hourly": "0.000003",
        "borrow_leverage": 4,
        "min_funding_rate": "-0.01",
        "exit_funding_rate": "-0.0002",
        "order_style": "maker_entry",
        "maker_legs": "long",
        "maker_slippage_bps": "-1",
        "short_maker": "0.0004",
        "fill_lag_candles": 1,
    },
    "inverse": {"structure": "inverse", "symbols": ["BTC/USD:BTC"], "perp_leverage": 3},
}


@dataclass(frozen=True, slots=True)
class Run:
    """A finished backtest: its result document, and the parts of its page."""

    client: TestClient
    job_id: int
    home: Path

    @property
    def result(self) -> dict[str, Any]:
        """Return the result document."""
        return dict(self.client.get(f"/backtests/{self.job_id}").json()["result"])

    def part(self, name: str = "", **query: Any) -> Any:
        """Return a part of the page, or the page."""
        path = f"/dashboard/backtests/{self.job_id}{name and f'/{name}'}"
        response = self.client.get(path, params=query, headers=PAGE)
        assert response.status_code == 200, response.text
        return response


@pytest.fixture(scope="module")
def ran(market_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Run]]:
    home = copy_of(market_template, tmp_path_factory.mktemp("hedges"))
    hands = Hands(home)
    first_ms, last_ms = parse_time_ms("2024-01-01"), parse_time_ms("2024-04-01")
    store = HistoricalDataStore(hands.engine)
    generate(store, start_ms=first_ms, end_ms=last_ms, exchanges=[SECOND_SYNTHETIC_EXCHANGE])
    traded = {"min_funding_rate": "0.00005", "exit_funding_rate": "0.00001", "min_holding_periods": 1000}
    jobs = {}
    app = create_app(Settings(home=home, database_url=f"sqlite:///{home / DATABASE}"))
    with TestClient(app, "http://localhost", raise_server_exceptions=False) as client:
        for name, values in RUNS.items():
            sent = client.post("/backtests", json={**BASE, **traded, **values})
            assert sent.status_code == 202, sent.text
            jobs[name] = sent.json()["id"]
            JobRunner(hands.engine).run(jobs[name])
        yield {name: Run(client, job_id, home) for name, job_id in jobs.items()}
    hands.close()


@pytest.fixture(params=RUNS)
def run(request: pytest.FixtureRequest, ran: dict[str, Run]) -> Run:
    """Return a run of each structure."""
    return ran[request.param]


def exact(texts: list[str]) -> list[Decimal]:
    return [Decimal(text.replace(",", "")) for text in texts]


def test_parts_of_the_net_and_of_each_leg_sum_to_it_to_the_last_digit(run: Run) -> None:
    text, metrics = run.part("report").text, run.result["metrics"]
    *parts, net = exact(re.findall(r'title="(-?[\d.]+) \w+, exact"', text))
    assert sum(parts) == net == Decimal(metrics["net_pnl"])
    legs = {
        leg: sum(exact(re.findall(rf'title="(-?[\d.]+) of the {leg} leg"', text)))
        for leg in ("long", "short")
    }
    between = sum(
        exact(
            re.findall(
                r"<td>wallet .*?</td>.*?<td class=\"num\">[\d.,]+</td><td class=\"num\">([\d.]+)</td>", text
            )
        )
    )
    assert legs["long"] + legs["short"] - between == net
    assert "not available for hedges" not in text


def test_ledger_sums_to_the_net_to_the_last_digit(run: Run) -> None:
    response = run.part("ledger.csv")
    assert response.headers["content-type"].startswith("text/csv")
    rows = list(csv.DictReader(response.text.splitlines()))
    assert sum(Decimal(row["amount"]) for row in rows) == Decimal(run.result["metrics"]["net_pnl"])
    booked = {row["booking"] for row in rows}
    assert {"close", "fee", "funding"} <= booked
    extra = {"reverse": "interest", "inverse": "coins"}.get(run.result["config"]["structure"])
    assert extra is None or extra in booked


def test_months_sum_to_the_net(run: Run) -> None:
    months = exact(re.findall(r'title="\w{3} \d{4}: (-?[\d.]+) \w+', run.part("report").text))
    assert len(months) == 3
    assert sum(months) == Decimal(run.result["metrics"]["net_pnl"])


def test_wallets_sum_to_the_equity_at_every_point(run: Run) -> None:
    result, found = run.result, run.part("accounts").json()["wallets"]
    equity = {t_ms: Decimal(text) for t_ms, text in result["equity"]}
    lines = [line["values"] for line in found["lines"] if line["what"] != "free"]
    sums = [sum(map(Decimal, values)) for values in zip(*lines, strict=True)]
    assert sums == [equity[t_ms] for t_ms in found["times"]]
    exchanges = {line["name"] for line in found["lines"] if line["what"] == "equity"}
    assert len(exchanges) == (2 if result["config"]["structure"] == "perp_perp" else 1)


def test_nearest_distance_drawn_is_the_metric(run: Run) -> None:
    lines = run.part("accounts").json()["margins"]
    nearest = min(value for line in lines for value in line["distance"] if value is not None)
    assert nearest == run.result["metrics"]["min_liquidation_distance"]
    legs = {"spot_perp": 1, "perp_perp": 4, "reverse": 2, "inverse": 1}
    assert 1 <= len(lines) <= legs[run.result["config"]["structure"]]


def test_run_of_pairs_has_no_accounts_to_draw(ran: dict[str, Run]) -> None:
    client, home = ran["reverse"].client, ran["reverse"].home
    run = Run(client, client.post("/backtests", json=dict(BASE)).json()["id"], home)
    with contextlib.closing(Hands(home)) as hands:
        JobRunner(hands.engine).run(run.job_id)
    assert run.part("accounts").json() == {"wallets": None, "margins": [], "left_out": 0}
    refused = client.get(f"/dashboard/backtests/{run.job_id}/ledger.csv")
    assert refused.status_code == 422


def test_margins_of_a_span_are_those_within_it(ran: dict[str, Run]) -> None:
    whole = ran["spot_perp"].part("accounts").json()
    first, last = whole["wallets"]["times"][40], whole["wallets"]["times"][60]
    part = ran["spot_perp"].part("accounts", first=first, last=last).json()
    inner = [t_ms for t_ms in part["wallets"]["times"] if first <= t_ms <= last]
    assert inner == whole["wallets"]["times"][40:61]


def test_every_trade_lists_the_settlements_and_bookings_of_both_legs(run: Run) -> None:
    for index, trade in enumerate(run.result["trades"][:6]):
        booked, moves, start = list[list[Decimal]](), "", 0
        while start < max(trade["funding_payments"], 1):
            page = run.part(f"trades/{index}", start=start).text
            moves, _, settled = page.rpartition("<tbody>")
            rows = [re.findall(r">(-?[\d,]+\.\d{8})<", row) for row in settled.split("<tr>")[1:]]
            booked += [exact(row)[-2:] for row in rows]
            start += 100
        if booked:
            assert sum(amount for amount, _ in booked) == booked[-1][1] == Decimal(trade["funding"])
        assert len(booked) == trade["funding_payments"]
        assert {"long", "short"} <= set(re.findall(r"<td>(long|short) \w+/\w+", moves))
        assert "What it saw when it entered" in moves
        assert "No settlement was decided on" not in moves.partition("What it saw when it left")[0]


def test_funding_of_a_hedge_is_drawn_with_what_each_leg_booked(run: Run) -> None:
    result = run.result
    total = Decimal(0)
    names = {trade["symbol"] for trade in result["trades"]}
    for name in sorted(names):
        found = run.part("funding", symbol=name).json()
        total += Decimal(found["total"][-1])
        for place, booked in enumerate(found["booked"]):
            legs = [leg["booked"][place] for leg in found["legs"]]
            amounts = [Decimal(text) for text in legs if text is not None]
            assert (sum(amounts) if amounts else None) == (None if booked is None else Decimal(booked))
    assert total == Decimal(result["metrics"]["total_funding"])


def test_page_has_the_sections_of_hedges(run: Run) -> None:
    page = run.part().text
    assert 'id="accounts"' in page
    assert "interest - transfers" in page


def test_assumptions_tell_what_maker_orders_are_for_and_what_they_cost(ran: dict[str, Run]) -> None:
    page = " ".join(ran["reverse"].part().text.split())
    assert "<dt>Maker orders</dt><dd>entries of long legs; fees long perp 0.02 %, short spot 0.04 %; " in page
    assert "slippage -1 bps</dd>" in page
    assert "5 bps on every taker's fill" in page.replace("&#39;", "'")
    assert "<dt>Filled</dt><dd>1 candle after the decision</dd>" in page
    assert "<dt>Maker orders</dt>" not in ran["inverse"].part().text
    assert "5 bps on every fill" in ran["inverse"].part().text


def test_interest_is_told_by_market_and_by_day(ran: dict[str, Run]) -> None:
    run = ran["reverse"]
    report = run.part("report").text.partition('data-part="interest"')[2].partition('data-part="')[0]
    (row,) = re.findall(r"<tr><td>BTC/USDT@synthetic.*?</tr>", report)
    assert exact(re.findall(r">([\d,]+\.\d{8})<", row)) == [Decimal(run.result["metrics"]["borrow_cost"])]
    trade = run.result["trades"][0]
    story = run.part("trades/0").text.partition("<h3>Interest")[2].partition("</table>")[0]
    days = [exact(re.findall(r">([\d,]+\.\d{8})<", own)) for own in story.split("<tr>")[2:]]
    assert sum(amount for amount, _ in days) == days[-1][1] == Decimal(trade["borrow_cost"])


def test_transfers_are_listed_with_their_fees(ran: dict[str, Run]) -> None:
    for name, target in (
        ("spot_perp", "short leg BTC/USDT:USDT@synthetic"),
        ("perp_perp", "wallet synthetic"),
    ):
        run = ran[name]
        report = run.part("report").text.partition('data-part="transfers"')[2].partition('data-part="')[0]
        assert target in report
        fees = sum(exact(re.findall(r">([\d,]+\.\d{8})</td></tr>", report)))
        assert fees == Decimal(run.result["metrics"]["transfer_cost"]) > 0


def test_entry_blockers_are_told_of_runs_with_trades(run: Run) -> None:
    blocked = run.part("report").text.partition('data-part="blocked"')[2]
    assert "What to change" in blocked


def test_trials_of_hedges_are_compared_down_to_their_first_parting(client: TestClient, hands: Hands) -> None:
    base = {**BASE, "impact_bps": 20, "exit_funding_rate": "0.00001", "min_holding_periods": 1000}
    grid = {"min_funding_rate": ["0.00005", "0.0001"]}
    sweep_id = client.post("/sweeps", json=sweep_body(base=base, grid=grid)).json()["id"]
    hands.work(sweep_id)
    named = {"trials": f"{sweep_id}:0,{sweep_id}:1"}
    page = client.get("/dashboard/compare/trials", params=named, headers=PAGE)
    assert page.status_code == 200, page.text
    assert "cannot be replayed" not in page.text
    assert "did not enter: min_funding_rate needs 0.0001 and was" in page.text
    curves = client.get("/dashboard/compare/curves", params=named).json()["lines"]
    assert [line["name"] for line in curves] == [f"{sweep_id}:0", f"{sweep_id}:1", "Holding"]


def test_a_choice_named_none_is_not_one_that_does_not_apply_and_shares_are_told_in_words(
    client: TestClient, hands: Hands
) -> None:
    shares = [{"synthetic": "1"}]
    grid = {"margin_policy": ["none", "top_up"], "margin_trigger": ["0.3"], "capital_shares": shares}
    sweep_id = client.post("/sweeps", json=sweep_body(grid=grid)).json()["id"]
    hands.work(sweep_id)
    table = client.get(f"/dashboard/sweeps/{sweep_id}/trials", headers=PAGE).text
    # The trigger of the trial without a policy alone.
    assert table.count("does not apply to this trial") == 1
    page = client.get(f"/dashboard/sweeps/{sweep_id}/trials/0", headers=PAGE).text
    assert "margin_policy <strong>none</strong>" in page
    assert "margin_trigger <strong>n/a</strong>" in page
    assert "capital_shares <strong>synthetic 1</strong>" in page


def test_patience_that_kept_a_hedge_is_told_where_trials_part(client: TestClient, hands: Hands) -> None:
    base = {**BASE, "impact_bps": 20, "min_funding_rate": "0.00005", "min_holding_periods": 1000}
    body = sweep_body(base=base, grid={"exit_confirmations": [1, 50]})
    sweep_id = client.post("/sweeps", json=body).json()["id"]
    hands.work(sweep_id)
    named = {"trials": f"{sweep_id}:0,{sweep_id}:1"}
    page = client.get("/dashboard/compare/trials", params=named, headers=PAGE).text
    assert "its strategy signalled an exit, delayed by patience or lag" in page


def test_evidence_on_a_trial_of_hedges_adds_up_and_random_entries_are_those_of_its_trips(
    client: TestClient, hands: Hands
) -> None:
    base = {**BASE, "impact_bps": 20, "exit_funding_rate": "0.00001", "min_holding_periods": 1000}
    body = sweep_body(base=base, grid={"min_funding_rate": ["0.00005"]})
    sweep_id = client.post("/sweeps", json=body).json()["id"]
    hands.work(sweep_id)
    trial = f"/sweeps/{sweep_id}/trials/0"
    net = Decimal(client.get(trial).json()["metrics"]["net_pnl"])
    regimes, years = (
        client.get(f"{trial}/regimes").json()["regimes"],
        client.get(f"{trial}/years").json()["years"],
    )
    assert (
        sum(Decimal(one["net_pnl"]) for one in regimes)
        == sum(Decimal(one["net_pnl"]) for one in years)
        == net
    )
    assert client.get(f"{trial}/bands").json()["bands"] is not None
    found = client.get(f"{trial}/random-entries").json()
    trades = int(client.get(trial).json()["metrics"]["total_trades"])
    assert sum(own["trips"] for own in found["symbols"].values()) == trades > 0
    assert len(found["drawn"]) == 1000
    assert found["p"] == (1 + sum(Decimal(one) >= Decimal(found["net_pnl"]) for one in found["drawn"])) / 1001


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"structure": "reverse", "end": "2024-06-30"}, "symbols"),
        ({"structure": "perp_perp", "short_exchange": "nowhere"}, "short_exchange"),
        ({"structure": "inverse", "symbols": ["SOL/USD:SOL"]}, "symbols"),
    ],
)
def test_backtest_of_hedges_that_are_not_held_is_refused_by_field(
    client: TestClient, values: dict[str, Any], field: str
) -> None:
    for path in ("/backtests", "/backtests/validate"):
        refused = client.post(path, json={**BASE, **values})
        assert refused.status_code in {404, 422}, refused.text
        assert field in [error["field"] for error in refused.json()["errors"]]


def test_strategies_are_compared_over_hedges_on_the_page(ran: dict[str, Run]) -> None:
    own = {"structure": "reverse", "borrow_rate_hourly": "0.000003", "min_funding_rate": "-0.01"}
    window = {name: BASE[name] for name in ("exchange", "symbols", "start", "end")}
    query = {**window, "parameters": json.dumps({**own, "min_volume_24h": 0})}
    page = ran["reverse"].client.get("/dashboard/compare/result", params=query, headers=PAGE)
    assert page.status_code == 200, page.text
    assert re.search(r"They first differ at|held the same positions", page.text)
    assert {"Interest", "Long leg P&amp;L"} <= set(
        re.findall(r'<span class="term"[^>]*>([^<]+)</span>', page.text)
    )
    assert "Long perp" in page.text or "held the same positions" in page.text


def test_pairs_whose_life_is_recorded_have_the_page_of_pairs(ran: dict[str, Run]) -> None:
    client, home = ran["reverse"].client, ran["reverse"].home
    body = {
        **BASE,
        "symbols": ["DOGE/USDT:USDT", "BTC/USDT:USDT"],
        "exchange": SECOND_SYNTHETIC_EXCHANGE,
        "min_coverage": 0,
        "max_simultaneous_positions": 2,
        "min_funding_rate": "0.00002",
        "exit_funding_rate": "-0.01",
    }
    sent = client.post("/backtests", json=body)
    assert sent.status_code == 202, sent.text
    run = Run(client, sent.json()["id"], home)
    with contextlib.closing(Hands(home)) as hands:
        JobRunner(hands.engine).run(run.job_id)
    reasons = [trade["reason"] for trade in run.result["trades"]]
    assert reasons.count("delisted") == run.result["metrics"]["delistings"] == 1
    assert 'id="accounts"' not in run.part().text
    *parts, net = exact(re.findall(r'title="(-?[\d.]+) \w+, exact"', run.part("report").text))
    assert sum(parts) == net == Decimal(run.result["metrics"]["net_pnl"])
    story = run.part(f"trades/{reasons.index('delisted')}").text
    assert "closed by the exchange (delisted)" in story
    assert "What it saw when it entered" in story
