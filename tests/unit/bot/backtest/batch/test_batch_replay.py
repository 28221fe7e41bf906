"""Trials replayed together have the metrics they have alone, in every bit."""

from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import pytest
from builders import market_data, run_config
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from reference.markets import configs, markets
from together import assert_together_as_alone, recorded_sweep
from toy_market import RULES, configured, pair, window

from bot.backtest import Baselines, ReplayWindow, replay
from bot.backtest.batch import BatchReplayer, accounts
from bot.config.run_config import RunConfig
from bot.models import CloseReason


@st.composite
def sweeps(draw: st.DrawFn) -> tuple[list[RunConfig], ReplayWindow]:
    market = draw(markets())
    values = draw(configs(market))
    symbols = values["symbols"][: draw(st.sampled_from((1, 1, 1, 2)))]
    base = run_config(**{**values, "symbols": symbols})
    rows = {symbol: market[symbol] for symbol in symbols}
    shown = ReplayWindow.build(base, market_data(rows, base.end))
    random = Random(draw(st.integers(0, 2**32)))
    return [base.varied(_thresholds(random, base)) for _ in range(draw(st.integers(1, 12)))], shown


def _thresholds(random: Random, base: RunConfig) -> dict[str, Any]:
    return {
        "min_funding_rate": random.choice((base.min_funding_rate, Decimal("0.0001"), Decimal("-0.001"))),
        "exit_funding_rate": random.choice((base.exit_funding_rate, Decimal("0.0002"), Decimal(0))),
        "min_holding_periods": random.choice((base.min_holding_periods, 100_000)),
        "entry_threshold": random.choice((base.entry_threshold, Decimal("0.2"))),
        "exit_threshold": random.choice((base.exit_threshold, Decimal("0.1"))),
        "weight_trend": random.choice((base.weight_trend, Decimal("0.123456789"))),
        "strategy_mode": random.choice((base.strategy_mode, "simple", "composite", "hold")),
        "perp_leverage": random.choice((base.perp_leverage, Decimal(20))),
        "allocation": random.choice((base.allocation, Decimal(1))),
        "dynamic_sizing": random.choice((base.dynamic_sizing, False)),
        "sizing_base": random.choice((base.sizing_base, "initial")),
        "end_dead_markets": random.choice((base.end_dead_markets, False, False, True)),
    }


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(sweeps())
def test_generated_sweeps_equal_their_plain_replays(sweep: tuple[list[RunConfig], ReplayWindow]) -> None:
    assert_together_as_alone(*sweep)


@pytest.mark.real_data
@pytest.mark.parametrize(
    ("stem", "start", "end", "leverage"),
    [
        ("BTCUSDT", "2023-01-01", "2024-01-01", 1),
        ("XRPUSDT", "2020-10-01", "2021-06-01", 5),
        ("ORCAUSDT", "2025-01-10", "2026-02-01", 3),
    ],
)
@pytest.mark.parametrize("strategy", ["simple", "composite"])
def test_recorded_sweeps_equal_their_plain_replays(
    real_data: Path, stem: str, start: str, end: str, leverage: int, strategy: str
) -> None:
    trials, shown = recorded_sweep(
        real_data,
        [stem],
        range(2, 14, 2),
        range(-6, 12, 4),
        start=start,
        end=end,
        strategy_mode=strategy,
        perp_leverage=leverage,
    )
    assert_together_as_alone(trials, shown)


def test_an_account_that_shrinks_below_its_slot_sizes_by_what_is_left() -> None:
    rates = {hour: "0.01" if hour % 2 else "-0.05" for hour in range(1, 40)}
    market = {"X": pair(rates, ["100"] * 40, instrument={**RULES, "qty_step": "0.001"})}
    base = configured(market, initial_capital=1000)
    assert_together_as_alone(
        [base, base.varied({"exit_funding_rate": Decimal("-0.01")})], window(market, base)
    )


def test_an_account_short_of_its_slot_after_some_trips_is_still_liquidated_and_forced_out() -> None:
    rates = {hour: "0.01" if hour % 2 else "-0.05" for hour in range(1, 60)} | dict.fromkeys(
        range(41, 60), "0.01"
    )
    prices = ["100"] * 44 + ["102.5", "103.8", "100", "100", "101", "108", "112", "100"] + ["100"] * 10
    market = {"X": pair(rates, prices, instrument={**RULES, "qty_step": "0.001", "mmr": "0.005"})}
    base = configured(
        market, initial_capital=1000, allocation="0.9", perp_leverage=20, margin_exit_ratio="0.3"
    )
    shown = window(market, base)
    trades = replay(base, shown).trades
    sizes = [trade.quantity for trade in trades]
    assert sizes[0] == sizes[1] > sizes[-1]
    assert {CloseReason.MARGIN, CloseReason.LIQUIDATION} <= {trade.reason for trade in trades[2:]}
    later = {"exit_funding_rate": Decimal("-0.01"), "min_funding_rate": Decimal("0.005")}
    assert_together_as_alone([base, base.varied(later), base.varied({"perp_leverage": Decimal(5)})], shown)


def test_entries_too_small_to_open_are_skipped_and_counted() -> None:
    market = {"X": pair(dict.fromkeys(range(1, 5), "0.01"), ["100"] * 5)}
    market["X"]["instrument"] = {**RULES, "min_qty": "1000"}
    base = configured(market)
    shown = window(market, base)
    [only] = BatchReplayer(shown, Baselines(shown)).summaries([base])
    assert only.metrics.skipped_entries == 3
    assert_together_as_alone([base], shown)


def test_amounts_beyond_64_bits_fall_back_to_the_plain_replay() -> None:
    market = {"X": pair(dict.fromkeys(range(1, 5), "0.01"), ["100"] * 5)}
    base = configured(market, initial_capital=10**13)
    assert_together_as_alone([base], window(market, base))


def test_accounts_forgotten_between_batches_come_back_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    rates = {hour: "0.01" if hour % 3 else "-0.02" for hour in range(1, 40)}
    market = {"X": pair(rates, [str(100 + hour % 7 * 3) for hour in range(40)])}
    base = configured(market, exit_funding_rate=0)
    monkeypatch.setattr(accounts, "_MAX_CELLS", 2 * accounts._CELLS_AN_EVENT * len(rates))
    trials = [base.varied({"perp_leverage": Decimal(leverage)}) for leverage in (1, 2, 5, 20, 1, 20, 2)]
    assert_together_as_alone(trials, window(market, base))


def test_hold_itself_is_replayed_together_with_others() -> None:
    rates = dict.fromkeys(range(1, 40), "0.001")
    market = {"X": pair(rates, [str(100 + 4 * hour) for hour in range(40)])}
    base = configured(market, perp_leverage=10, strategy_mode="hold")
    shown = window(market, base)
    replayer = BatchReplayer(shown, Baselines(shown))
    [held] = replayer.summaries([base])
    assert replayer.covers(base)
    assert held.metrics == held.hold == replay(base, shown).metrics
    assert held.metrics.liquidations + held.metrics.margin_exits > 1
    assert_together_as_alone([base, base.varied({"strategy_mode": "simple"})], shown)
