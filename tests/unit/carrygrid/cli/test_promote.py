"""`carrygrid sweep promote`: a trial's parameters as a file that other commands take, exactly."""

import json
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from webservice import Hands, serving, sweep_body

from carrygrid.cli import main
from carrygrid.cli.paper import session_config
from carrygrid.promotion import promoted


@pytest.fixture
def address(home: Path, hands: Hands, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Serve one completed sweep."""
    with serving(home) as address:
        monkeypatch.setenv("CARRYGRID_API_URL", address)
        monkeypatch.setenv("CARRYGRID_HOME", str(home))
        hands.work(httpx2.post(f"{address}/sweeps", json=sweep_body(), timeout=60).json()["id"])
        yield address


def run(*arguments: object) -> int:
    with pytest.raises(SystemExit) as leaving:
        main([str(argument) for argument in arguments])
    return int(leaving.value.code or 0)


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


def test_without_a_file_only_the_configuration_is_printed(
    address: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("sweep", "promote", 1, 0) == 0
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


def test_failed_trial_is_not_promoted() -> None:
    trial = {"number": 3, "state": "failed", "error": "end: before start", "config": None}
    with pytest.raises(Exception, match="trial 3 of sweep 1 is failed, not completed: end: before start"):
        promoted(1, trial)
