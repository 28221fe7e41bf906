"""Chance of luck on the pages of single trials: that of lists, in sweeps of several pairs as well."""

import re

from fastapi.testclient import TestClient
from selecting import LONG_BASE, SETTINGS, do_jobs, long_market
from webservice import Hands, sweep_body

from bot.selection.sentence import percent

BASE = {name: value for name, value in LONG_BASE.items() if name != "symbols"}
GRID = {
    "symbols": ["BTC/USDT:USDT", "ETH/USDT:USDT"],
    "min_funding_rate": ["0.00002", "0.0001", "0.0002"],
    "perp_leverage": [1, 3],
}
CHANCE = re.compile(r"Chance that luck alone finds a Sharpe ratio as high in this sweep: ([^<]+?)\. ")


def test_page_of_a_trial_tells_the_chance_of_luck_of_lists_and_the_sentence_of_the_report(
    client: TestClient, hands: Hands
) -> None:
    long_market(hands.engine)
    body = sweep_body(base=BASE, grid=GRID, validation=SETTINGS)
    sweep_id = int(client.post("/sweeps", json=body).json()["id"])
    hands.work(sweep_id)
    do_jobs(hands.engine)
    report = client.get(f"/sweeps/{sweep_id}/selection").json()
    trials = client.get(f"/sweeps/{sweep_id}/trials").json()["trials"]
    chances = {trial["number"]: trial["p_luck"] for trial in trials}
    assert len(chances) == 12
    assert len(set(chances.values()) - {None}) > 3
    for number, chance in chances.items():
        text = client.get(
            f"/dashboard/sweeps/{sweep_id}/trials/{number}", headers={"Accept": "text/html"}
        ).text.replace("\u00a0", " ")
        assert CHANCE.findall(text) == ([] if chance is None else [percent(chance)])
        assert f'<p class="judged">{report["sentence"]}</p>' in text
