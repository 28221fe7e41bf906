from decimal import Decimal
from pathlib import Path

import pytest
from builders import run_config
from example_plugin import compared_example, installed_example
from toy_market import START, configured, pair, window

from bot.backtest import replay
from bot.backtest.comparison import Comparison
from bot.config.strategy_registry import compared_strategies
from bot.hedges.evidence.engine_choice import compare_run
from bot.models import HOUR_MS

RATES = dict(enumerate(["0.001", "0.001", "0.00001", "0", "0.0002", "0.0002", "0"], 1))


def compared(**overrides: object) -> Comparison:
    market = {"X": pair(RATES, ["100"] * 7)}
    config = configured(
        market, initial_capital=1000, entry_threshold="0.14", exit_threshold="0.1", **overrides
    )
    return compare_run(config, window(market, config))


def test_both_strategies_run_over_the_same_data() -> None:
    result = compared()
    simple, composite = result.runs.values()
    assert simple.data_fingerprint == composite.data_fingerprint
    assert [run.config.strategy_mode for run in result.runs.values()] == ["simple", "composite"]
    assert simple.run_key != composite.run_key


def test_trades_that_only_one_took_are_named_with_their_money() -> None:
    result = compared(min_funding_rate="0.0005")
    only_composite = result.only_in("composite").document()
    assert result.only_in("simple").trades == ()
    assert only_composite["count"] == 1
    assert only_composite["trades"][0]["opened_at"] == START + 5 * HOUR_MS
    assert Decimal(only_composite["funding"]) == 5 * 100 * Decimal("0.0002")
    assert result.first_difference_ms() == START + 3 * HOUR_MS


def test_differences_are_composite_minus_simple() -> None:
    document = compared(min_funding_rate="0.0005").document()
    assert document["differences"]["total_funding"] == "0.1"
    assert document["differences"]["total_trades"] == 1
    assert document["versions"] == {"simple": "1.0", "composite": "1.1"}


def test_equal_books_have_no_first_difference() -> None:
    market = {"X": pair({1: "0", 2: "0"}, ["100"] * 2)}
    config = configured(market)
    assert compare_run(config, window(market, config)).first_difference_ms() is None


def test_plug_in_is_compared_if_it_asks_for_a_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert compared_strategies() == ("simple", "composite")
    for name, installed in (("no place", installed_example), ("a place", compared_example)):
        (tmp_path / name).mkdir()
        with installed(tmp_path / name, monkeypatch):
            asked = ("smoothed-rate",) if installed is compared_example else ()
            assert compared_strategies() == ("simple", "composite", *asked)


def test_each_compared_strategy_runs_as_it_does_alone_with_its_own_parameters(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    market = {"X": pair(RATES, ["100"] * 7)}
    with compared_example(tmp_path, monkeypatch):
        config = configured(market, strategy_mode="smoothed-rate", smoothing_settlements=2)
        shown = window(market, config)
        found = compare_run(config, shown)
        alone = {
            name: replay(configured(market, strategy_mode=name, **own), shown)
            for name, own in (
                ("simple", {}),
                ("composite", {}),
                ("smoothed-rate", {"smoothing_settlements": 2}),
            )
        }
        assert {name: run.document() for name, run in found.runs.items()} == {
            name: run.document() for name, run in alone.items()
        }
        assert found.document()["versions"] == {"simple": "1.0", "composite": "1.1", "smoothed-rate": "0.1"}


def test_run_under_another_strategy_has_its_defaults_where_the_first_has_no_such_parameter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with installed_example(tmp_path, monkeypatch):
        plain = run_config(min_funding_rate="0.0007")
        smoothed = run_config(strategy_mode="smoothed-rate", min_funding_rate="0.0007")
        assert plain.under("smoothed-rate").document() == smoothed.document()
        assert smoothed.under("simple").document() == plain.document()
