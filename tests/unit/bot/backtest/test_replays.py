"""Runs that are priced and measured together are what each of them is by itself."""

import gc
from random import Random
from typing import Any

import pytest
from builders import market_data, run_config
from hypothesis import given, settings
from hypothesis import strategies as st
from reference.markets import CHOICES, SEEDS, runs
from toy_market import configured, pair, window

from bot.backtest import ReplayWindow, replay, replays
from bot.config.run_config import RunConfig

OF_WINDOWS = "max_price_age_hours"


def assert_each_as_by_itself(configs: list[RunConfig], shown: ReplayWindow, points: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("bot.backtest.engine._POINTS", points)
        patch.setattr("bot.trading.trader._LONG", 1)
        together = list(replays(configs, shown))
        alone = [replay(config, shown) for config in configs]
    assert [run.document() for run in together] == [run.document() for run in alone]
    assert [run.payments for run in together] == [run.payments for run in alone]
    assert [run.ledger for run in together] == [run.ledger for run in alone]
    assert [run.curve.units.dtype for run in together] == [run.curve.units.dtype for run in alone]


@settings(max_examples=100, derandomize=True)
@given(runs(), SEEDS, st.integers(1, 8), st.sampled_from((1, 100, 10**9)))
def test_accounts_of_any_parameters(
    drawn: tuple[dict[str, Any], dict[str, Any]], seed: int, count: int, points: int
) -> None:
    market, values = drawn
    random = Random(seed)
    names = [name for name in CHOICES if name != OF_WINDOWS]
    configs = [
        run_config(**values | {name: random.choice(CHOICES[name]) for name in random.sample(names, 4)})
        for _ in range(count)
    ]
    rows = {symbol: market[symbol] for symbol in configs[0].symbols}
    shown = ReplayWindow.build(configs[0], market_data(rows, configs[0].end))
    assert_each_as_by_itself(configs, shown, points)


def test_an_account_beyond_64_bits_leaves_the_others_as_they_are() -> None:
    prices = ["100", "103.33333333", "99", "101", "100", "100.5"]
    market = {"X": pair(dict.fromkeys(range(1, 7), "0.0123456789"), prices)}
    configs = [configured(market, initial_capital=capital) for capital in ("1000", "900000000000000", "1000")]
    shown = window(market, configs[0])
    assert [run.curve.units.dtype == object for run in replays(configs, shown)] == [False, True, False]
    assert_each_as_by_itself(configs, shown, 10**9)


def test_a_finished_run_leaves_nothing_for_the_garbage_collector() -> None:
    market = {"X": pair({1: "0.01", 2: "0.01", 3: "-0.01", 4: "0.01", 5: "0.01"}, ["100"] * 6)}
    config = configured(market)
    shown = window(market, config)
    assert len(replay(config, shown).trades) == 2
    gc.collect()
    gc.disable()
    try:
        replay(config, shown)
        left = gc.collect()
    finally:
        gc.enable()
    assert left == 0


def test_no_runs_are_none() -> None:
    market = {"X": pair({1: "0.01"}, ["100", "100"])}
    assert list(replays([], window(market, configured(market)))) == []
