from decimal import Decimal

from toy_market import START, configured, pair, window

from bot.backtest.comparison import Comparison, compare
from bot.models import HOUR_MS

RATES = dict(enumerate(["0.001", "0.001", "0.00001", "0", "0.0002", "0.0002", "0"], 1))


def compared(**overrides: object) -> Comparison:
    market = {"X": pair(RATES, ["100"] * 7)}
    config = configured(
        market, initial_capital=1000, entry_threshold="0.14", exit_threshold="0.1", **overrides
    )
    return compare(config, window(market, config))


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
    assert compare(config, window(market, config)).first_difference_ms() is None
