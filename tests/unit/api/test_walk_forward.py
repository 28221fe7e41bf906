"""Walk-forward of a sweep over HTTP, in the client and by command: one run, exact, adding up."""

import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import httpx2
import pytest
from selecting import LONG_BASE, LONG_GRID, SETTINGS, do_jobs, long_market
from webservice import Hands, copy_of, serving, sweep_body

from carrygrid import Client, Sweep
from carrygrid.cli import main


@pytest.fixture(scope="module")
def judged(market_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sweep]:
    """Give a judged sweep of most of a year."""
    home = copy_of(market_template, tmp_path_factory.mktemp("walk_forward"))
    hands = Hands(home)
    long_market(hands.engine)
    with serving(home) as address, Client(address) as client:
        sweep = client.submit(sweep_body(base=LONG_BASE, grid=LONG_GRID, validation=SETTINGS))
        hands.work(sweep.id)
        do_jobs(hands.engine)
        yield sweep.refresh()
    hands.close()


def test_folds_add_up_to_the_run_and_name_their_days(judged: Sweep) -> None:
    found = judged.walk_forward()
    assert [fold["test_dates"][0] for fold in found["folds"]] == [
        "2024-05-09",
        "2024-07-08",
        "2024-09-06",
        "2024-11-05",
    ]
    assert found["folds"][0]["train_dates"] == ["2024-01-10", "2024-05-08"]
    nets = [Decimal(fold["net_pnl"]) for fold in found["folds"]]
    assert sum(nets) == Decimal(found["metrics"]["net_pnl"])
    assert judged.selection()["walk_forward"]["folds"] == found["folds"]


def test_curves_are_exact_begin_at_the_first_test_day_and_end_at_the_final_equity(judged: Sweep) -> None:
    found, curves = judged.walk_forward(), judged.walk_forward_curves()
    assert curves is not None
    assert curves.equity[0].time.isoformat() == "2024-05-09T00:00:00+00:00"
    assert curves.equity[-1].equity == Decimal(found["metrics"]["final_equity"])
    assert curves.hold[-1].equity == Decimal(found["hold"]["final_equity"])
    assert len(curves.trades) == found["metrics"]["total_trades"]
    assert len(curves.seams) == found["changes"] + 1


def test_the_command_prints_the_folds_and_both_runs(
    judged: Sweep, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CARRYGRID_API_URL", judged.page.partition("/dashboard")[0])
    with pytest.raises(SystemExit) as left:
        main(["sweep", "walk-forward", str(judged.id)])
    assert not left.value.code
    text, told = capsys.readouterr()
    assert told == ""  # its bar is for terminals
    assert "one run over all test days: net P&L" in text
    assert "holding over them: net P&L" in text
    with pytest.raises(SystemExit) as left:
        main(["sweep", "walk-forward", str(judged.id), "--json"])
    assert json.loads(capsys.readouterr().out) == judged.walk_forward()


def test_the_sentence_names_the_run_beside_holding(judged: Sweep) -> None:
    found = judged.selection()
    own, hold = (found["walk_forward"][name]["sharpe"] for name in ("metrics", "hold"))
    assert f"Walk-forward {own:.1f}, holding {hold:.1f}." in found["sentence"]


def test_too_few_days_have_no_folds_and_say_why(hands: Hands, home: Path) -> None:
    with serving(home) as address, Client(address) as client:
        sweep = client.submit(sweep_body())
        hands.work(sweep.id)
        do_jobs(hands.engine)
        found = sweep.walk_forward()
        assert (found["folds"], found["missing"]) == (None, "410 days needed, 81 held")
        assert sweep.walk_forward_curves() is None


def test_before_the_report_is_made_the_answer_says_where_it_will_be(hands: Hands, home: Path) -> None:
    with serving(home) as address, Client(address) as client:
        sweep = client.submit(sweep_body())
        answer = httpx2.get(f"{address}/sweeps/{sweep.id}/selection/walk-forward/equity")
        assert answer.status_code == 202
        assert answer.headers["Location"].startswith(f"/sweeps/{sweep.id}/selection?settings=")
