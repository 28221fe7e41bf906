"""Seals and looks over HTTP: closed days reach nothing, looks are counted once, opening ends it for all."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from selecting import do_jobs
from webservice import BASE, DATABASE, Hands, sweep_body

from api.application import create_app
from api.settings import Settings
from bot.backtest import ReplayWindow, replay
from bot.config.run_config import RunConfig
from bot.market_store.backup import back_up, restore
from bot.market_store.database import write_transaction
from bot.market_store.store import HistoricalDataStore
from bot.timestamps import parse_time_ms
from sweeps.lifecycle.looks import lifetime_of
from sweeps.spec.panels import PanelWindow
from sweeps.storage.tables import promotion

DAY = "2024-03-10"
BEFORE = {**BASE, "start": "2024-01-05", "end": "2024-03-09"}
ACROSS = {**BEFORE, "end": "2024-03-10"}


def sweep(client: TestClient, hands: Hands, **changes: Any) -> int:
    """Return the id of a completed sweep of two trials that ends before the sealed day."""
    body = sweep_body(**{"base": BEFORE, "grid": {"perp_leverage": [1, 5]}} | changes)
    sweep_id = int(client.post("/sweeps", json=body).json()["id"])
    hands.work(sweep_id)
    return sweep_id


def seal(client: TestClient, day: str = DAY, **more: Any) -> dict[str, Any]:
    response = client.post("/seals", json={"exchange": "synthetic", "from": day, **more})
    assert response.status_code == 201, response.text
    found: dict[str, Any] = response.json()
    return found


def refused(response: Any) -> str:
    """Return the detail of a refusal by the seal."""
    assert response.status_code == 409, response.text
    assert response.json()["type"] == "urn:carrygrid:problem:sealed"
    return str(response.json()["detail"])


def test_run_that_ends_on_the_sealed_day_is_refused_and_one_before_is_not(client: TestClient) -> None:
    seal(client)
    told = refused(client.post("/backtests", json=ACROSS))
    assert told.startswith("end: 2024-03-10T00:00:00Z is sealed: synthetic is closed from 2024-03-10 on")
    assert client.post("/backtests", json={**BEFORE, "end": "2024-03-09T23:59:59Z"}).status_code == 202
    assert "base.end" in refused(client.post("/sweeps", json=sweep_body(base=ACROSS)))
    axis = sweep_body(base={**BEFORE, "end": None}, grid={"end": ["2024-03-01", "2024-03-20"]})
    axis["base"].pop("end")
    assert "grid.end.values[1]" in refused(client.post("/sweeps", json=axis))


def test_extension_and_clone_into_sealed_days_are_refused(client: TestClient, hands: Hands) -> None:
    sweep_id = sweep(client, hands)
    seal(client)
    refused(client.patch(f"/sweeps/{sweep_id}", json={"extend_to": "2024-03-20"}))
    refused(client.post(f"/sweeps/{sweep_id}/clone", json={"base": {"end": "2024-03-20"}}))


def test_seal_over_days_that_a_run_has_read_is_refused_unless_insisted_on(
    client: TestClient, hands: Hands
) -> None:
    sweep(client, hands)
    response = client.post("/seals", json={"exchange": "synthetic", "from": "2024-03-09"})
    assert response.status_code == 409
    assert response.json()["type"] == "urn:carrygrid:problem:already_read"
    assert "have read up to 2024-03-09" in response.json()["detail"]
    assert seal(client, "2024-03-09", insist=True)["tainted"] is True


def test_queued_sweep_counts_as_having_read_its_days(client: TestClient) -> None:
    assert client.post("/sweeps", json=sweep_body(base=ACROSS)).status_code in {200, 201, 202}
    response = client.post("/seals", json={"exchange": "synthetic", "from": DAY})
    assert response.status_code == 409


def test_second_seal_of_an_exchange_is_refused_while_one_is_closed(client: TestClient) -> None:
    held = seal(client)
    again = client.post("/seals", json={"exchange": "synthetic", "from": "2024-03-20"})
    assert (again.status_code, again.json()["detail"]) == (
        409,
        "synthetic is sealed from 2024-03-10 on; open that seal first",
    )
    assert client.post(f"/seals/{held['id']}/open").json()["state"] == "opened"
    twice = client.post(f"/seals/{held['id']}/open")
    assert twice.status_code == 409
    assert "was opened at" in twice.json()["detail"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"exchange": "synthetic", "from": "2024-03-10T08:00"}, "from"),
        ({"exchange": "synthetic", "from": "soon"}, "from"),
        ({"exchange": "nowhere", "from": DAY}, "exchange"),
        ({"from": DAY}, "exchange"),
        ({"exchange": "synthetic", "from": DAY, "until": DAY}, "until"),
    ],
)
def test_bad_seal_is_refused_by_field(client: TestClient, body: dict[str, Any], field: str) -> None:
    response = client.post("/seals", json=body)
    assert response.status_code == 422
    assert [error["field"] for error in response.json()["errors"]] == [field]
    assert client.get("/seals").json() == {"seals": []}


@pytest.mark.parametrize(
    ("sweep_id", "status"), [("99.0", 404), ("9.9e1", 404), ("99.5", 422), ("1e999999", 422), ('"99"', 422)]
)
def test_whole_number_is_one_however_json_writes_it(client: TestClient, sweep_id: str, status: int) -> None:
    held = seal(client)["id"]
    body = f'{{"sweep": {sweep_id}, "trial": 0}}'
    headers = {"Content-Type": "application/json"}
    response = client.post(f"/seals/{held}/looks", content=body, headers=headers)
    assert response.status_code == status, response.text


def test_looks_a_a_b_open_c_are_first_first_second_opened(client: TestClient, hands: Hands) -> None:
    one, other = sweep(client, hands), sweep(client, hands, grid={"perp_leverage": [1, 5, 7]})
    held = seal(client)["id"]

    def look(sweep_id: int, trial: int) -> dict[str, Any]:
        response = client.post(f"/seals/{held}/looks", json={"sweep": sweep_id, "trial": trial})
        assert response.status_code == 200, response.text
        found: dict[str, Any] = response.json()
        return found

    first = look(one, 0)
    assert (first["look"], first["first"], first["days"]) == ("first", DAY, {"earlier": 65, "later": 23})
    assert look(one, 0) == first
    assert look(other, 0) == first  # the same trial of another sweep
    second = look(one, 1)
    assert second["look"] == "look 2"
    stored = {one["trial"]: one for one in client.get("/seals").json()["seals"][0]["looks"]}
    assert stored == {0: first, 1: second}
    client.post(f"/seals/{held}/open")
    assert look(other, 2)["look"] == "opened"
    assert [one["look"] for one in client.get("/seals").json()["seals"][0]["looks"]] == [
        "first",
        "look 2",
        "opened",
    ]


def test_holdout_look_counts_as_a_look_at_the_newest_days(client: TestClient, hands: Hands) -> None:
    sweep_id = sweep(client, hands)
    held = seal(client)["id"]
    client.post(f"/seals/{held}/looks", json={"sweep": sweep_id, "trial": 0})
    looks = client.get("/looks").json()["looks"]
    assert [(one["kind"], one["last"], one["runs"], one["new"]) for one in looks] == [
        ("sweep", "2024-03-09", 2, 2),
        ("holdout", "2024-04-01", 1, 1),
    ]
    client.post(f"/seals/{held}/open")
    nothing_left = client.post("/seals", json={"exchange": "synthetic", "from": "2024-04-01"})
    assert nothing_left.status_code == 409
    assert seal(client, "2024-04-02")["tainted"] is False


def test_look_that_cannot_be_taken_says_why_and_is_not_counted(client: TestClient, hands: Hands) -> None:
    sweep_id = sweep(client, hands)
    held = seal(client)["id"]
    late = sweep_body(base={**BEFORE, "start": "2024-02-01"}, grid={"perp_leverage": [1]})
    pending = int(client.post("/sweeps", json=late).json()["id"])
    asked = {
        404: [(99, sweep_id, 0), (held, 99, 0), (held, sweep_id, 9)],
        409: [(held, pending, 0)],
    }
    for status, looks in asked.items():
        for seal_id, of, trial in looks:
            body = {"sweep": of, "trial": trial}
            assert client.post(f"/seals/{seal_id}/looks", json=body).status_code == status
    assert client.get("/seals").json()["seals"][0]["looks"] == []


def test_looks_of_a_deleted_sweep_stay(client: TestClient, hands: Hands) -> None:
    sweep_id = sweep(client, hands)
    before = client.get("/looks").json()["looks"]
    assert [(one["runs"], one["new"], one["symbols"]) for one in before] == [(2, 2, ["BTC/USDT:USDT"])]
    client.delete(f"/sweeps/{sweep_id}")
    assert client.get("/looks").json()["looks"] == before
    assert client.get("/looks", params={"exchange": "binance"}).json() == {"looks": []}


def test_results_taken_over_are_runs_but_not_new(client: TestClient, hands: Hands) -> None:
    sweep(client, hands)
    sweep(client, hands, grid={"perp_leverage": [1, 5, 7]})
    looks = client.get("/looks").json()["looks"]
    assert [(one["runs"], one["new"]) for one in looks] == [(2, 2), (3, 1)]


def test_sweep_that_varies_its_window_has_a_look_for_each(client: TestClient, hands: Hands) -> None:
    grid = {
        "end": ["2024-02-01", "2024-03-01"],
        "perp_leverage": [1, 5, 7],
        "symbols": [["BTC/USDT:USDT"], ["ETH/USDT:USDT"]],
    }
    base = {name: value for name, value in BEFORE.items() if name not in {"end", "symbols"}}
    sweep_id = int(client.post("/sweeps", json=sweep_body(base=base, grid=grid)).json()["id"])
    hands.work(sweep_id)
    looks = client.get("/looks").json()["looks"]
    assert [(one["last"], one["runs"], one["symbols"]) for one in looks] == [
        ("2024-02-01", 6, ["BTC/USDT:USDT", "ETH/USDT:USDT"]),
        ("2024-03-01", 6, ["BTC/USDT:USDT", "ETH/USDT:USDT"]),
    ]
    client.delete(f"/sweeps/{sweep_id}")
    assert client.get("/looks").json()["looks"] == looks


def test_tainted_seal_closes_what_is_stored_of_runs_beyond_it(client: TestClient, hands: Hands) -> None:
    sweep_id = sweep(client, hands)
    seal(client, "2024-03-01", insist=True)
    page = f"/dashboard/sweeps/{sweep_id}/trials/0"
    for path in (
        f"/sweeps/{sweep_id}/trials/0/equity",
        f"/sweeps/{sweep_id}/trials/1/trades",
        f"/sweeps/{sweep_id}/export",
        f"{page}/curve",
        f"{page}/hold",
    ):
        refused(client.get(path))


def promote(client: TestClient, sweep_id: int, trial: int, **body: Any) -> Any:
    return client.post(f"/sweeps/{sweep_id}/trials/{trial}/promote", json=body)


def conditions(answer: Any) -> dict[str, tuple[bool | None, bool]]:
    """Return whether each condition is met, and whether it must be."""
    assert answer.status_code == 200, answer.text
    return {one["name"]: (one["met"], one["required"]) for one in answer.json()["evidence"]["conditions"]}


def test_promotion_without_a_seal_carries_its_evidence_and_only_warns(
    client: TestClient, hands: Hands
) -> None:
    sweep_id = sweep(client, hands, validation={"min_trades": 5, "min_settlements": 90})
    answer = promote(client, sweep_id, 0)
    assert conditions(answer) == {
        "guard": (False, False),
        "holdout": (False, False),
        "p_life": (None, False),
        "pbo": (None, False),
        "walk_forward": (None, False),
        "over_hold": (None, False),
    }
    document = answer.json()
    detail = client.get(f"/sweeps/{sweep_id}/trials/0").json()
    assert {name: value for name, value in document.items() if name != "evidence"} == detail["config"]
    assert document["evidence"]["run_key"] == detail["run_key"]
    assert document["evidence"]["conditions"][0]["detail"] == detail["ineligible"]
    assert client.post("/backtests", json=document).status_code == 202
    assert client.post("/sweeps", json={"base": document}).status_code in {200, 201, 202}


def test_condition_that_is_unknown_says_what_itself_lacks(client: TestClient, hands: Hands) -> None:
    sweep_id = sweep(client, hands)
    assert do_jobs(hands.engine) == ["completed"]
    missing = client.get(f"/sweeps/{sweep_id}/selection").json()["missing"]
    told = promote(client, sweep_id, 0).json()["evidence"]["conditions"]
    unknown = {one["name"]: one["detail"] for one in told if one["met"] is None}
    parts = {"p_life": "cash", "pbo": "pbo", "walk_forward": "walk_forward", "over_hold": "hold"}
    assert unknown == {name: missing[part] for name, part in parts.items() if part in missing}
    assert unknown["p_life"] != unknown["walk_forward"]


def test_promotion_under_a_seal_needs_the_guard_and_a_good_look(client: TestClient, hands: Hands) -> None:
    base = {**BEFORE, "min_funding_rate": "0.00002", "symbols": ["ETH/USDT:USDT"]}
    sweep_id = sweep(client, hands, base=base)
    strict = sweep(client, hands, base=base, validation={"min_trades": 1_000})
    held = seal(client)["id"]
    told = promote(client, sweep_id, 0)
    assert (told.status_code, told.json()["type"]) == (409, "urn:carrygrid:problem:not_validated")
    assert told.json()["detail"].endswith("is sealed: holdout: no look at a holdout")
    look = client.post(f"/seals/{held}/looks", json={"sweep": sweep_id, "trial": 0}).json()
    assert (look["consistent"], look["in_profit"]) == (True, True)
    assert conditions(promote(client, sweep_id, 0))["holdout"] == (True, True)
    short = promote(client, strict, 0)
    assert "1,000 needed" in short.json()["detail"]
    assert "holdout" not in short.json()["detail"]
    passed = promote(client, strict, 0, override="known and wanted")
    assert passed.json()["evidence"]["override"] == "known and wanted"
    assert conditions(passed)["guard"] == (False, True)


def promoted_on(hands: Hands, moment: str) -> None:
    """Move the one promotion to another moment."""
    with write_transaction(hands.engine) as connection:
        connection.execute(promotion.update().values(created_ms=parse_time_ms(moment)))


def test_days_after_a_promotion_are_judged_beside_those_before_and_kept(
    client: TestClient, hands: Hands
) -> None:
    base = {**BEFORE, "min_funding_rate": "0.00002", "symbols": ["ETH/USDT:USDT"]}
    sweep_id = sweep(client, hands, base=base)
    first = promote(client, sweep_id, 0).json()["evidence"]
    promoted_on(hands, "2024-03-09T15:00:00Z")
    again = promote(client, sweep_id, 0).json()["evidence"]
    assert (again["promotion"], again["promoted_at"]) == (first["promotion"], "2024-03-09T15:00:00Z")
    assert again["decay"] is None
    path = f"/promotions/{first['promotion']}/decay"
    found = client.post(path).json()
    config = RunConfig.parse({**base, "end": found["decay"]["until"], "perp_leverage": 1})
    data = HistoricalDataStore(hands.engine).load("synthetic", config.symbols, config.end, config.start)
    curve = replay(config, ReplayWindow.build(config, data)).curve.document()
    before = [equity for moment, equity in curve if moment < parse_time_ms("2024-03-10")]
    assert found["decay"]["from"] == "2024-03-10"
    assert Decimal(found["decay"]["net_pnl"]) == Decimal(curve[-1][1]) - Decimal(before[-1])
    assert (found["decay"]["consistent"], found["decay"]["in_profit"]) == (True, True)
    assert promote(client, sweep_id, 0).json()["evidence"]["decay"] == found["decay"]
    assert [one["kind"] for one in client.get("/looks").json()["looks"]].count("decay") == 1
    client.delete(f"/sweeps/{sweep_id}")
    assert client.get("/promotions").json() == {"promotions": [found]}


def test_sealed_or_missing_days_after_a_promotion_are_not_judged(client: TestClient, hands: Hands) -> None:
    sweep_id = sweep(client, hands)
    path = f"/promotions/{promote(client, sweep_id, 0).json()['evidence']['promotion']}/decay"
    assert "day after its promotion" in client.post(path).json()["detail"]
    promoted_on(hands, "2024-03-09T15:00:00Z")
    seal(client)
    assert "from 2024-03-10 on, the day after its promotion" in client.post(path).json()["detail"]
    assert client.get("/promotions").json()["promotions"][0]["decay"] is None
    assert client.post("/promotions/99/decay").status_code == 404


def test_look_at_a_tainted_seal_validates_nothing(client: TestClient, hands: Hands) -> None:
    sweep_id = sweep(client, hands)
    held = seal(client, "2024-03-05", insist=True)["id"]
    client.post(f"/seals/{held}/looks", json={"sweep": sweep_id, "trial": 0})
    assert "tainted seal" in promote(client, sweep_id, 0).json()["detail"]


@pytest.mark.parametrize("reason", ["", "   ", "x" * 1_001])
def test_override_takes_a_reason(client: TestClient, hands: Hands, reason: str) -> None:
    sweep_id = sweep(client, hands)
    answer = promote(client, sweep_id, 0, override=reason)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "override"


def test_copy_of_the_database_has_looks_and_seals_and_stays_sealed(
    client: TestClient, hands: Hands, home: Path, tmp_path: Path
) -> None:
    deleted, kept = sweep(client, hands), sweep(client, hands, reuse=False)
    client.delete(f"/sweeps/{deleted}")
    held = seal(client)["id"]
    client.post(f"/seals/{held}/looks", json={"sweep": kept, "trial": 0})
    promote(client, kept, 0, override="to be copied")
    do_jobs(hands.engine)
    assert client.get(f"/sweeps/{kept}/selection").status_code == 200
    back_up(home / DATABASE, tmp_path / "copy.db")
    target = tmp_path / "restored" / DATABASE
    target.parent.mkdir()
    restore(tmp_path / "copy.db", target, lambda _revision: None)
    settings = Settings(home=target.parent, database_url=f"sqlite:///{target}")
    with TestClient(create_app(settings), "http://localhost") as other:
        for path in ("/looks", "/seals", "/promotions", f"/sweeps/{kept}/selection"):
            assert other.get(path).json() == client.get(path).json()
        refused(other.post("/backtests", json=ACROSS))


def test_looks_at_thirds_of_the_window_weigh_a_third_each(client: TestClient, hands: Hands) -> None:
    thirds = [("2024-01-05", "2024-01-24"), ("2024-01-25", "2024-02-13"), ("2024-02-14", "2024-03-04")]
    for start, end in thirds:
        sweep(client, hands, base={**BEFORE, "start": start, "end": f"{end}T23:59:59Z"})
    whole = {**BEFORE, "start": "2024-01-05", "end": "2024-03-04T23:59:59Z"}
    sweep_id = sweep(client, hands, base=whole, grid={"perp_leverage": [1, 5, 7]})
    window = PanelWindow("synthetic", parse_time_ms(whole["start"]), parse_time_ms(whole["end"]))
    with hands.engine.connect() as connection:
        found = lifetime_of(connection, sweep_id, window, window.days)
        later = lifetime_of(connection, sweep_id, window, (window.days[1] + 1, window.days[1] + 2))
    assert (found.runs, found.tried, found.others) == (3, 5, 2.0)
    assert (later.tried, later.others) == (3, 0.0)
