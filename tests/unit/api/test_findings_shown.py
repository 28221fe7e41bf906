"""Findings wherever the numbers are: API documents, pages, manifest of an export."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import odd_markets
import pytest
from fastapi.testclient import TestClient
from webservice import DATABASE, Hands, copy_of

from api.application import create_app
from api.settings import Settings
from bot.backtest import ReplayWindow, replay
from bot.config.run_config import RunConfig
from bot.market_store.store import HistoricalDataStore
from sweeps.jobs.job_runner import JobRunner

PAGE = {"Accept": "text/html"}
JUMPED = "of the net P&amp;L, more than half of it, was booked across it: spot up "
LATE = "was booked after the contract had ended: nobody could have earned that; set end_dead_markets to true"


class Odd:
    """A service that has replayed a sweep over all odd markets, one over the sound one, and a backtest."""

    def __init__(self, client: TestClient, hands: Hands) -> None:
        self.client = client
        self.hands = hands
        self.all = self._worked("JUMP", "DEAD", "FINE")
        self.fine = self._worked("FINE")

    def text(self, path: str) -> str:
        answer = self.client.get(path, headers=PAGE)
        assert answer.status_code == 200, answer.text
        return answer.text

    def json(self, path: str) -> Any:
        return self.client.get(path).json()

    def _worked(self, *symbols: str) -> int:
        sweep_id = int(self.client.post("/sweeps", json=odd_markets.sweep(*symbols)).json()["id"])
        self.hands.work(sweep_id)
        return sweep_id


@pytest.fixture(scope="module")
def odd(market_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Odd]:
    folder = tmp_path_factory.mktemp("odd")
    home = copy_of(market_template, folder / "home")
    hands = Hands(home)
    odd_markets.fill(hands.engine, folder / "recorded")
    app = create_app(Settings(home=home, database_url=f"sqlite:///{home / DATABASE}"))
    with TestClient(app, "http://localhost", raise_server_exceptions=False) as client:
        yield Odd(client, hands)
    hands.close()


def test_sweep_names_its_findings_and_tells_them_once_each(odd: Odd) -> None:
    assert odd.json(f"/sweeps/{odd.all}")["finding_names"] == ["dead_contract", "price_jump"]
    found = odd.json(f"/sweeps/{odd.all}/findings")["findings"]
    assert [(one["symbol"], one["name"], one["serious"], one["windows"]) for one in found] == [
        ("DEAD/USDT:USDT", "dead_contract", True, 1),
        ("JUMP/USDT:USDT", "price_jump", True, 1),
    ]
    assert odd.json(f"/sweeps/{odd.fine}/findings") == {"findings": []}
    assert odd.json("/sweeps/999/findings")["status"] == 404


def test_trial_has_the_findings_of_its_result_document(odd: Odd) -> None:
    for number in range(6):
        trial = odd.json(f"/sweeps/{odd.all}/trials/{number}")
        config = RunConfig.parse(trial["config"])
        data = HistoricalDataStore(odd.hands.engine).load(config.exchange, config.symbols, config.end)
        document = replay(config, ReplayWindow.build(config, data)).document()
        assert trial["findings"] == document["findings"]
        assert trial["metrics"]["net_pnl"] == document["metrics"]["net_pnl"]


def test_rows_of_trials_carry_their_findings(odd: Odd) -> None:
    rows = odd.json(f"/sweeps/{odd.all}/trials?sort=number")["trials"]
    names = [[one["name"] for one in row["findings"] if one["warning"]] for row in rows]
    assert names == [["price_jump"], [], ["pnl_after_market_end"], [], [], []]


def test_page_of_a_sweep_begins_with_what_its_data_lack(odd: Odd) -> None:
    for path in (f"/dashboard/sweeps/{odd.all}", f"/dashboard/sweeps/{odd.all}/progress"):
        text = odd.text(path)
        assert text.index("The data of these numbers have warnings.") < text.index("Trials done")
        assert "<strong>DEAD/USDT:USDT perp: dead contract</strong>: no trade since 2024-03-12" in text
        assert "or set end_dead_markets to true" in text
    fine = odd.text(f"/dashboard/sweeps/{odd.fine}")
    assert "have warnings" not in fine
    assert "<dd>0 settlements</dd>" in fine


def test_rows_of_the_table_are_marked_where_numbers_are_not_real(odd: Odd) -> None:
    text = odd.text(f"/dashboard/sweeps/{odd.all}/trials?sort=number")
    assert text.count('<span class="badge mainly"') == 2
    assert ">price jump</span>" in text
    assert ">P&amp;L after market end</span>" in text
    assert "badge" not in odd.text(f"/dashboard/sweeps/{odd.fine}/trials")


def test_list_of_sweeps_marks_those_whose_data_are_odd(odd: Odd) -> None:
    text = odd.text("/")
    assert text.count(">dead contract, price jump</span>") == 1


def test_best_trial_that_lives_off_a_jump_says_so_on_the_page_of_its_sweep(odd: Odd) -> None:
    body = odd_markets.sweep("JUMP", objective={"metric": "net_pnl"})
    sweep_id = odd.client.post("/sweeps", json=body).json()["id"]
    odd.hands.work(sweep_id)
    text = odd.text(f"/dashboard/sweeps/{sweep_id}")
    assert "<strong>Best trial 0: JUMP/USDT:USDT: price jump</strong>" in text
    assert JUMPED in text


def test_page_of_a_trial_shows_its_findings_before_its_figures(odd: Odd) -> None:
    jump, dead, fine = (odd.text(f"/dashboard/sweeps/{odd.all}/trials/{number}") for number in (0, 2, 4))
    assert jump.index(JUMPED) < jump.index('id="verdict-title"')
    assert LATE in dead
    assert "1 note on the data" in dead
    assert 'class="note' not in fine
    assert ">price jump</span>" in odd.text(f"/dashboard/sweeps/{odd.all}/trials/0/glance")


def test_report_of_a_trial_brings_the_findings_of_its_replay(odd: Odd) -> None:
    text = odd.text(f"/dashboard/sweeps/{odd.all}/trials/0/report")
    assert JUMPED in text[text.index('data-part="findings"') : text.index('data-part="fall"')]


def test_backtest_shows_its_findings_and_is_marked_among_the_latest(odd: Odd) -> None:
    job_id = odd.client.post("/backtests", json=odd_markets.run("JUMP")).json()["id"]
    JobRunner(odd.hands.engine).run(job_id)
    assert odd.json(f"/backtests/{job_id}")["result"]["findings"][0]["mainly"] is True
    assert JUMPED in odd.text(f"/dashboard/backtests/{job_id}")
    assert ">price jump</span>" in odd.text("/dashboard/backtest")


def test_compared_strategies_and_trials_say_which_of_them_the_data_flatter(odd: Odd) -> None:
    config = odd_markets.run("DEAD")
    query = {
        "exchange": config.pop("exchange"),
        "symbols": config.pop("symbols"),
        "start": config.pop("start"),
        "end": config.pop("end"),
        "parameters": json.dumps(config),
    }
    text = odd.client.get("/dashboard/compare/result", params=query, headers=PAGE).text
    assert "<strong>simple v1.0: DEAD/USDT:USDT: P&amp;L after market end</strong>" in text
    names = ",".join(f"{odd.all}:{number}" for number in (0, 4))
    text = odd.text(f"/dashboard/compare/trials?trials={names}")
    assert f"<strong>Trial {odd.all}:0: JUMP/USDT:USDT: price jump</strong>" in text
    assert f"<strong>Trial {odd.all}:4: " not in text


def test_manifest_of_an_export_tells_the_findings_of_its_data(odd: Odd) -> None:
    found = odd.json(f"/sweeps/{odd.all}/export/manifest")["findings"]
    assert found == odd.json(f"/sweeps/{odd.all}/findings")["findings"]
