"""A run beside its hold baseline: what it earned more, and the Sharpe ratio of the difference."""

import math
from decimal import Decimal

import numpy as np
import pytest
from toy_market import START, configured, pair, window

from bot.backtest import Baselines, replay
from bot.models import HOUR_MS
from bot.statistics.carry import CarryComparison
from bot.statistics.daily_returns import sharpe_over

DAY = 24


def compared(**values: object) -> CarryComparison:
    rates = {hour: "0.001" if hour < 5 * DAY else "-0.002" for hour in range(8, 9 * DAY, 8)}
    market = {"X": pair(rates, ["100"] * (9 * DAY))}
    base = configured(market, end=START + 9 * DAY * HOUR_MS, **values)
    shown = window(market, base)
    return Baselines(shown).compare(replay(base, shown))


def test_run_that_leaves_before_rates_turn_earns_what_holding_lost() -> None:
    found = compared(min_funding_rate="0.0001", exit_funding_rate="0")
    # 50 coins at 100: it collects at hour 120 and leaves; holding pays 0.002 * 5000 eleven times more
    assert found.net_pnl_over_hold == Decimal(11 * 10)
    assert found.sharpe_over_hold is not None
    assert found.sharpe_over_hold > 0


def test_sharpe_over_holding_is_that_of_the_difference_of_daily_returns() -> None:
    # differences 0.01, 0.03: mean 0.02, deviation 0.01 * sqrt(2)
    found = sharpe_over(np.array([0.02, 0.05]), np.array([0.01, 0.02]))
    assert found == pytest.approx(math.sqrt(2 * 365), rel=1e-12)


def test_holding_itself_is_nothing_over_holding_and_has_no_sharpe_over_it() -> None:
    found = compared(strategy_mode="hold")
    assert (found.net_pnl_over_hold, found.sharpe_over_hold) == (Decimal(0), None)


def test_run_that_never_moved_has_no_sharpe_over_holding() -> None:
    found = compared(min_funding_rate="0.5")
    # holding collects 5 thirteen times and pays 10 twelve times
    assert (found.net_pnl_over_hold, found.sharpe_over_hold) == (Decimal(55), None)


@pytest.mark.parametrize("row", [[math.nan, math.nan], [0.0, 0.0]])
def test_sharpe_over_holding_is_undefined_for_a_run_that_was_lost_or_never_moved(row: list[float]) -> None:
    assert sharpe_over(np.array(row), np.array([0.01, 0.02])) is None


def test_sharpe_over_a_lost_hold_baseline_or_a_single_day_is_undefined() -> None:
    assert sharpe_over(np.array([0.01, 0.02]), np.full(2, math.nan)) is None
    assert sharpe_over(np.array([0.01]), np.array([0.02])) is None


def test_payments_of_a_run_that_are_read_are_those_that_are_kept_and_baselines_keep_none() -> None:
    rates = dict.fromkeys(range(8, 9 * DAY, 8), "0.001")
    market = {"X": pair(rates, ["100"] * (9 * DAY))}
    config = configured(market, end=START + 9 * DAY * HOUR_MS)
    baselines = Baselines(window(market, config))
    baselines.compare(replay(config, window(market, config)))
    held = baselines.of(config)
    assert "payments" not in vars(held)
    read = tuple(held.read_payments())
    assert len(read) == 25
    assert held.payments == read == tuple(held.read_payments())
