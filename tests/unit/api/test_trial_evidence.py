"""Evidence on a trial over HTTP: exact, adding up, and with its reason where undefined."""

from decimal import Decimal
from typing import Any

from fastapi.testclient import TestClient
from webservice import Hands, Reader, sweep_body


def of_trial(reader: Reader, part: str = "") -> Any:
    number = reader.client.get(f"/sweeps/{reader.sweep_id}").json()["best_trial"]["number"]
    response = reader.client.get(f"/sweeps/{reader.sweep_id}/trials/{number}{part}")
    assert response.status_code == 200
    return response.json()


def test_regimes_of_a_trial_add_up_to_its_net_and_its_trades(reader: Reader) -> None:
    found, metrics = of_trial(reader, "/regimes")["regimes"], of_trial(reader)["metrics"]
    assert sum(Decimal(one["net_pnl"]) for one in found) == Decimal(metrics["net_pnl"])
    assert sum(Decimal(one["trades_net_pnl"]) for one in found) == Decimal(metrics["net_pnl"])
    assert sum(one["trades"] for one in found) == metrics["total_trades"]
    assert sum(one["days"] for one in found) == 81
    assert {one["regime"] for one in found} <= {"negative", "low", "normal", "high", "extreme", "unknown"}


def test_years_of_a_trial_add_up_to_its_net_and_to_that_of_holding(reader: Reader) -> None:
    found, metrics = of_trial(reader, "/years")["years"], of_trial(reader)["metrics"]
    assert [one["name"] for one in found] == ["2024"]
    assert sum(Decimal(one["net_pnl"]) for one in found) == Decimal(metrics["net_pnl"])
    assert sum(Decimal(one["hold_net_pnl"]) for one in found) == Decimal(metrics["hold_net_pnl"])
    page = f"/dashboard/sweeps/{reader.sweep_id}/years"
    text = reader.client.get(page, params={"trials": "0,7"}).text
    assert ">trial 0</a>" in text
    assert ">trial 7</a>" in text
    beside = reader.client.get(page, params={"trials": "0,7", "candidate": "7"}).text
    assert [beside.count(f"trial {number}</a>") for number in (0, 7)] == [1, 1]
    assert beside.index('Candidate, <a href="/dashboard/sweeps/1/trials/7"') < beside.index(">trial 0</a>")
    assert "no days after" in text.replace("&#39;", "'")
    assert reader.client.get(page, params={"trials": "0,1,2,3,4,5"}).status_code == 422
    assert reader.client.get(page, params={"trials": "99"}).status_code == 404


def test_bands_of_a_trial_surround_its_own_equity_by_day(reader: Reader) -> None:
    found, metrics = of_trial(reader, "/bands"), of_trial(reader)["metrics"]
    assert (found["first_day"], len(found["equity"])) == ("2024-01-10", 81)
    assert found["equity"][-1] == metrics["final_equity"]
    low, high = (Decimal(found["bands"]["equity"][percent][-1]) for percent in ("5", "95"))
    assert low < Decimal(metrics["final_equity"]) < high
    assert list(found["bands"]["equity"]) == ["5", "25", "50", "75", "95"]


def test_random_entries_of_a_trial_come_in_ascending_order_with_their_chance(reader: Reader) -> None:
    found, metrics = of_trial(reader, "/random-entries"), of_trial(reader)["metrics"]
    drawn = [Decimal(one) for one in found["drawn"]]
    assert drawn == sorted(drawn)
    assert found["p"] == (1 + sum(one >= Decimal(found["net_pnl"]) for one in drawn)) / 1001
    [own] = found["symbols"].values()
    assert own["trips"] == metrics["total_trades"]


def test_a_trial_of_few_days_without_a_trade_has_no_evidence_and_says_why(
    client: TestClient, hands: Hands
) -> None:
    base = {**sweep_body()["base"], "end": "2024-02-10"}
    body = sweep_body(base=base, grid={"min_funding_rate": ["0.5"]})
    sweep_id = client.post("/sweeps", json=body).json()["id"]
    hands.work(sweep_id)
    bands, entries = (
        client.get(f"/sweeps/{sweep_id}/trials/0/{part}").json() for part in ("bands", "random-entries")
    )
    assert (bands["bands"], bands["missing"]) == (None, "60 days needed, 32 held")
    assert (entries["p"], entries["missing"]) == (None, "no trip to place elsewhere")


def test_evidence_on_a_trial_that_is_not_there_is_a_problem_document(reader: Reader) -> None:
    for part in ("bands", "random-entries", "regimes"):
        response = reader.client.get(f"/sweeps/{reader.sweep_id}/trials/999/{part}")
        assert (response.status_code, response.json()["status"]) == (404, 404)
