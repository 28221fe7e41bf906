"""`carrygrid backtest` of hedges over imported files: what a user types, and the numbers of the contract."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from commanding import in_process

CASES = Path(__file__).parents[2] / "bot" / "hedges" / "cases"


def imported(case: dict[str, Any], home: Path) -> None:
    """Write the files of a case, and import them exchange by exchange."""
    folder = home.parent / "files"
    for name, text in case["files"].items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    for exchange in folder.iterdir():
        result = in_process(home, "data", "import", exchange, "--exchange", exchange.name)
        assert result.returncode == 0, result.stderr


@pytest.mark.parametrize(
    "name",
    [
        "02-reverse",
        "03-perp-perp-two-grids",
        "04-inverse-halved",
        "14-delisted-and-reused",
        "18-redenominated",
    ],
)
def test_files_of_every_structure_give_the_document_worked_out_by_hand(tmp_path: Path, name: str) -> None:
    case = json.loads((CASES / f"{name}.json").read_text())
    home = tmp_path / "home"
    imported(case, home)
    config = tmp_path / "run.json"
    config.write_text(json.dumps(case["config"]))
    result = in_process(home, "backtest", config, "--json")
    assert result.returncode == 0, result.stderr
    document, expected = json.loads(result.stdout), case["expected"]
    for metric, value in expected["metrics"].items():
        told = pytest.approx(value, rel=1e-9) if isinstance(value, float) else value
        assert document["metrics"][metric] == told, metric
    assert (document["trades"], document["equity"]) == (expected["trades"], expected["equity"])
    assert "net_pnl_over_hold" in document["hold_baseline"]


def test_the_summary_names_the_hedge_and_its_metrics(tmp_path: Path) -> None:
    case = json.loads((CASES / "03-perp-perp-two-grids.json").read_text())
    home = tmp_path / "home"
    imported(case, home)
    config = tmp_path / "run.json"
    config.write_text(json.dumps(case["config"]))
    result = in_process(home, "backtest", config)
    assert result.returncode == 0, result.stderr
    assert "AAA/USDT:USDT on alpha, beta, perp_perp, simple" in result.stdout
    assert "long_pnl" in result.stdout
    assert "Holding throughout: net 2.9" in result.stdout


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"short_exchange": "gamma"}, 'short_exchange: "gamma" is not held; held are alpha, beta'),
        ({"symbols": ["AAA/USDT:USDT@alpha>AAA/USDT:USDT@gamma"]}, "symbols: AAA/USDT:USDT@gamma: nothing"),
    ],
)
def test_a_market_that_is_not_held_is_refused_in_one_line(
    tmp_path: Path, changes: dict[str, Any], named: str
) -> None:
    case = json.loads((CASES / "03-perp-perp-two-grids.json").read_text())
    home = tmp_path / "home"
    imported(case, home)
    config = tmp_path / "run.json"
    config.write_text(json.dumps({**case["config"], **changes}))
    result = in_process(home, "backtest", config)
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.count("\n") == 1
    assert result.stderr.startswith(f"error: {named}")


@pytest.mark.parametrize("name", ["02-reverse", "03-perp-perp-two-grids", "04-inverse-halved"])
def test_strategies_are_compared_over_hedges(tmp_path: Path, name: str) -> None:
    case = json.loads((CASES / f"{name}.json").read_text())
    home = tmp_path / "home"
    imported(case, home)
    config = tmp_path / "run.json"
    config.write_text(json.dumps(case["config"]))
    found = in_process(home, "compare", config, "--json")
    assert found.returncode == 0, found.stderr
    document = json.loads(found.stdout)
    assert list(document["runs"]) == ["simple", "composite"]
    own = document["runs"][case["config"].get("strategy_mode", "simple")]
    assert own["trades"] == case["expected"]["trades"]
    for strategy, only in document["only_in"].items():
        net = sum(Decimal(trade["net_pnl"]) for trade in only["trades"])
        assert Decimal(only["net_pnl"]) == net, strategy
        assert {"borrow_cost", "transfer_cost"} <= only.keys()
    assert {"borrow_cost", "long_pnl", "min_liquidation_distance"} <= document["differences"].keys()
    printed = in_process(home, "compare", config)
    assert printed.returncode == 0, printed.stderr
    assert "They first differ at" in printed.stdout or "held the same positions" in printed.stdout
