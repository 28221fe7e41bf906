"""`carrygrid sweep promote`: a trial's parameters as a file that other commands take, exactly."""

import json
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from commanding import run
from sweeping import partly_failing
from webservice import BASE, Hands, serving, sweep_body

from carrygrid.cli.paper import session_config, trades_hedges


@pytest.fixture
def address(home: Path, hands: Hands, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Serve one completed sweep."""
    with serving(home) as address:
        monkeypatch.setenv("CARRYGRID_API_URL", address)
        monkeypatch.setenv("CARRYGRID_HOME", str(home))
        hands.work(httpx2.post(f"{address}/sweeps", json=sweep_body(), timeout=60).json()["id"])
        yield address


def test_promoted_trial_is_the_same_run_as_a_backtest_and_a_valid_paper_session(
    address: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "promoted.json"
    assert run("sweep", "promote", 1, 7, "--output", path) == 0
    assert capsys.readouterr().out == f"trial 7 of sweep 1: {path}\n"
    assert run("backtest", path, "--json") == 0
    trial = httpx2.get(f"{address}/sweeps/1/trials/7").json()
    replayed = json.loads(capsys.readouterr().out)
    assert replayed["run_key"] == trial["run_key"]
    assert replayed["metrics"]["net_pnl"] == trial["metrics"]["net_pnl"]
    assert session_config(json.loads(path.read_text())).perp_leverage == int(trial["params"]["perp_leverage"])


def test_a_promoted_trial_of_hedges_is_a_valid_paper_session(
    address: str, hands: Hands, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    body = sweep_body(base={**BASE, "fill_lag_candles": 1}, grid={"cooldown_hours": [0, 8]})
    hands.work(httpx2.post(f"{address}/sweeps", json=body, timeout=60).json()["id"])
    path = tmp_path / "promoted.json"
    assert run("sweep", "promote", 2, 1, "--output", path) == 0
    config = session_config(json.loads(path.read_text()))
    assert (config.fill_lag_candles, config.cooldown_hours) == (1, 8)
    assert trades_hedges(config)
    assert run("paper", path, "--status") == 2
    assert capsys.readouterr().err.endswith(
        'error: there is no session "promoted"; --session names another\n'
    )


@pytest.mark.parametrize("output", [[], ["--output", "-"]])
def test_without_a_file_only_the_configuration_is_printed(
    address: str,
    output: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run("sweep", "promote", 1, 0, *output) == 0
    assert not (tmp_path / "-").exists()
    config = json.loads(capsys.readouterr().out)
    assert config["min_funding_rate"] == "0.00002"
    assert None not in config.values()


def test_existing_file_is_kept_unless_forced(
    address: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "mine.json"
    path.write_text("mine")
    assert run("sweep", "promote", 1, 7, "--output", path) == 2
    assert "--force" in capsys.readouterr().err
    assert path.read_text() == "mine"
    assert httpx2.get(f"{address}/promotions").json()["promotions"] == []
    assert run("sweep", "promote", 1, 7, "--output", path, "--force") == 0
    assert json.loads(path.read_text())["exchange"] == "synthetic"


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ((1, 20), "has no trial 20"),
        ((2, 0), "sweep 2"),
        ((1, 0, "--output", "/nowhere/at/all.json"), "/nowhere/at/all.json"),
    ],
)
def test_refusal_is_one_line_that_names_what_is_wrong(
    address: str, capsys: pytest.CaptureFixture[str], arguments: tuple[object, ...], named: str
) -> None:
    assert run("sweep", "promote", *arguments) == 2
    error = capsys.readouterr().err
    assert named in error
    assert error.count("\n") == 1


def test_failed_trial_is_not_promoted(address: str, hands: Hands, capsys: pytest.CaptureFixture[str]) -> None:
    body = sweep_body(**partly_failing())
    hands.work(httpx2.post(f"{address}/sweeps", json=body, timeout=60).json()["id"])
    assert run("sweep", "promote", 2, 1) == 2
    assert "trial 1 of sweep 2 is failed, not completed: final_equity 9" in capsys.readouterr().err
    assert run("sweep", "promote", 2, 0) == 0


def test_trial_is_promoted_under_a_seal_only_once_validated_or_for_a_reason(
    address: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("seal", "set", "synthetic", "2024-03-31") == 0
    assert capsys.readouterr().out == "seal 1: synthetic from 2024-03-31 on, closed, 0 looks\n"
    assert run("sweep", "promote", 1, 7) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert error.startswith("error: trial 7 of sweep 1 is not validated, and synthetic is sealed: holdout: ")
    assert run("sweep", "promote", 1, 7, "--override", "a try on paper") == 0
    told = capsys.readouterr()
    assert json.loads(told.out)["evidence"]["override"] == "a try on paper"
    assert "warning: holdout: no look at a holdout\n" in told.err
    assert run("seal", "look", 1, 1, 7) == 0
    assert capsys.readouterr().out.startswith("first: trial 7 of sweep 1: net ")
    assert run("seal", "look", 1, 1, 3, "--json") == 0
    assert json.loads(capsys.readouterr().out)["look"] == "look 2"
    assert run("seal", "list") == 0
    assert len(capsys.readouterr().out.splitlines()) == 3
    assert run("looks") == 0
    assert capsys.readouterr().out.splitlines()[1].split() == [
        *("sweep", "synthetic", "BTC/USDT:USDT", "2024-01-10", "2024-03-30", "20", "20", "–")
    ]
    assert run("seal", "open", 1) == 0
    assert "opened, 2 looks" in capsys.readouterr().out
    assert run("seal", "open", 1) == 2
