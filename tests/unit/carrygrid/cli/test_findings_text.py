"""Findings on the command line: printed with the numbers that they are about, warnings first."""

from decimal import Decimal
from pathlib import Path

import odd_markets
import pytest
from typer.testing import CliRunner
from webservice import Hands, serving

from bot.backtest.findings import RunFinding
from carrygrid import Client
from carrygrid.cli.app import app
from carrygrid.cli.findings import print_findings

HOUR_MS = 3_600_000
START = 1_704_067_200_000
CONFIG = (
    '{"symbols": ["AAA/USDT:USDT"], "start": "2024-01-01", "end": "2024-01-06", "min_volume_24h": "0", '
    '"exit_funding_rate": "0", "max_price_age_hours": 30}'
)


@pytest.fixture
def redenominated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A market whose prices are a thousandth until the third day, imported; returns a config over it."""
    folder = tmp_path / "recorded"
    folder.mkdir()
    rows = [(START + hour * HOUR_MS, f"{1 if hour < 60 else 1000}.{hour % 7}") for hour in range(24 * 6)]
    candles = "\n".join(f"{t},{p},{p}9,{p},{p},500000" for t, p in rows)
    for leg in ("perp", "spot"):
        header = "timestamp_ms,open,high,low,close,volume"
        (folder / f"AAAUSDT-{leg}-1h.csv").write_text(f"{header}\n{candles}\n")
    rates = "\n".join(f"{START + hour * HOUR_MS},0.003,8," for hour in range(0, 24 * 6, 8))
    header = "timestamp_ms,funding_rate,interval_hours,mark_price"
    (folder / "AAAUSDT-funding.csv").write_text(f"{header}\n{rates}\n")
    monkeypatch.setenv("CARRYGRID_HOME", str(tmp_path / "home"))
    runner = CliRunner()
    assert runner.invoke(app, ["data", "import", str(folder), "--exchange", "x"]).exit_code == 0
    config = tmp_path / "config.json"
    config.write_text(CONFIG)
    return config


def test_backtest_warns_of_a_jump_above_the_numbers_that_it_made(redenominated: Path) -> None:
    printed = CliRunner().invoke(app, ["backtest", str(redenominated)]).output
    [warning] = [line for line in printed.splitlines() if line.startswith("WARNING")]
    assert warning.startswith("WARNING AAA/USDT:USDT: price jump: ")
    assert " of the net P&L, more than half of it, was booked across it: spot up " in warning
    assert printed.index(warning) < printed.index("net_pnl")


def test_compare_warns_for_each_strategy_that_held_over_it(redenominated: Path) -> None:
    printed = CliRunner().invoke(app, ["compare", str(redenominated)]).output
    assert "WARNING simple: AAA/USDT:USDT: price jump: " in printed


def test_data_list_says_that_the_series_jumps(redenominated: Path) -> None:
    printed = CliRunner().invoke(app, ["data", "list"]).output
    assert redenominated.exists()
    assert "perp 1h: price jump: 1, up " in printed.replace("\n", " ")


def test_finding_without_an_amount_is_one_line_and_a_note(capsys: pytest.CaptureFixture[str]) -> None:
    print_findings([RunFinding("X[1]", "perp", "zero_volume", 9, 0, 1, "candles without [a] trade", False)])
    assert capsys.readouterr().out == "note X[1] perp: zero volume: candles without [a] trade\n"


def test_long_finding_is_not_broken_into_lines(capsys: pytest.CaptureFixture[str]) -> None:
    print_findings([RunFinding("X", None, "price_jump", 1, 0, 1, "long " * 99, True, Decimal("0E-8"))])
    assert capsys.readouterr().out.count("\n") == 1


def test_sweep_commands_warn_above_the_trials_and_mark_them(
    home: Path, hands: Hands, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    odd_markets.fill(hands.engine, tmp_path / "odd")
    with serving(home) as address, Client(address) as client:
        monkeypatch.setenv("CARRYGRID_API_URL", address)
        sweep_id = client.submit(odd_markets.sweep("JUMP", "FINE")).id
        hands.work(sweep_id)
        shown, top = (
            CliRunner().invoke(app, ["sweep", name, str(sweep_id)]).output for name in ("show", "top")
        )
    warning = "WARNING JUMP/USDT:USDT: price jump: spot up "
    assert warning in shown
    assert top.index(warning) < top.index("Best trials")
    [marked] = [line for line in top.splitlines() if line.rstrip().endswith("price jump!")]
    assert "JUMP/USDT:USDT" in marked


def test_sweep_whose_best_trial_is_a_jump_says_how_much_of_it(
    home: Path, hands: Hands, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    odd_markets.fill(hands.engine, tmp_path / "odd")
    with serving(home) as address, Client(address) as client:
        monkeypatch.setenv("CARRYGRID_API_URL", address)
        sweep_id = client.submit(odd_markets.sweep("JUMP")).id
        hands.work(sweep_id)
        shown = CliRunner().invoke(app, ["sweep", "show", str(sweep_id)]).output
    assert "WARNING best trial 0: JUMP/USDT:USDT: price jump: " in shown
    assert " of the net P&L, more than half of it, was booked across it" in shown


def test_sweep_over_sound_data_has_no_column_of_findings(
    home: Path, hands: Hands, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    odd_markets.fill(hands.engine, tmp_path / "odd")
    with serving(home) as address, Client(address) as client:
        monkeypatch.setenv("CARRYGRID_API_URL", address)
        sweep_id = client.submit(odd_markets.sweep("FINE")).id
        hands.work(sweep_id)
        top = CliRunner().invoke(app, ["sweep", "top", str(sweep_id)]).output
    assert "findings" not in top
    assert "WARNING" not in top
