"""Orders of the list of sweeps, over HTTP and on its page."""

from decimal import Decimal

from fastapi.testclient import TestClient
from selecting import do_jobs
from webservice import Hands, sweep_body

from sweeps.storage.candidates import candidates_of

PAGE = {"Accept": "text/html"}


def test_sweeps_are_sorted_by_name_age_and_what_their_candidates_made(
    client: TestClient, hands: Hands
) -> None:
    ids = {}
    for name, rate in (("b", "0.00002"), ("A", "0.0001"), ("c", "0.9")):
        body = sweep_body(name=name, grid={"min_funding_rate": [rate]})
        ids[name] = client.post("/sweeps", json=body).json()["id"]
    for sweep_id in ids.values():
        hands.work(sweep_id)
    do_jobs(hands.engine)

    def listed(query: str) -> list[str]:
        names, cursor = [], ""
        while cursor is not None:
            page = client.get(f"/sweeps?limit=1&{query}{cursor and f'&cursor={cursor}'}").json()
            names += [sweep["name"] for sweep in page["sweeps"]]
            cursor = page["next_cursor"]
        return names

    made = {
        name: client.get(f"/sweeps/{sweep_id}/trials/0").json()["metrics"] for name, sweep_id in ids.items()
    }
    by_lead = sorted("cAb", key=lambda name: -float(made[name]["net_pnl_over_hold"]))
    assert listed("") == ["c", "A", "b"]
    assert listed("sort=oldest") == ["b", "A", "c"]
    assert listed("sort=name") == ["A", "b", "c"]
    assert listed("sort=net_pnl_over_hold") == by_lead
    assert client.get("/sweeps?sort=luck").status_code == 422

    shown = client.get("/?sort=annualized_return", headers=PAGE).text
    assert f"{100 * made['b']['annualized_return']:,.2f} %" in shown
    assert 'title="of the candidate, trial 0"' in shown
    assert shown.count("it has no candidate") == 1

    client.patch(f"/sweeps/{ids[by_lead[0]]}", json={"add_values": {"min_funding_rate": ["0.00003"]}})
    assert listed("sort=net_pnl_over_hold") == [*by_lead[1:], by_lead[0]]
    assert client.get("/", headers=PAGE).text.count("it has no candidate") == 2


def test_the_list_shows_the_candidate_of_the_verdict_at_its_worst_scenario(
    client: TestClient, hands: Hands
) -> None:
    body = sweep_body(
        grid={"min_funding_rate": ["0.00002", "0.00005", "0.0001"], "slippage_bps": ["1", "5", "20"]},
        scenarios={"axes": ["slippage_bps"], "rank": "worst"},
    )
    sweep_id = client.post("/sweeps", json=body).json()["id"]
    hands.work(sweep_id)
    do_jobs(hands.engine)
    found = client.get(f"/sweeps/{sweep_id}/verdict").json()["candidate"]["trial"]
    assert found["params"]["slippage_bps"] == "20"
    with hands.engine.connect() as connection:
        kept = candidates_of(connection, [sweep_id])[sweep_id]
    assert kept.number == found["number"]
    assert kept.annualized_return == found["metrics"]["annualized_return"]
    assert kept.net_pnl_over_hold == Decimal(found["metrics"]["net_pnl_over_hold"])
