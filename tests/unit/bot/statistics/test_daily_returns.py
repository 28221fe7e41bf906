"""Daily returns of runs with those of their hold baselines, joined, chosen and put on longer calendars."""

import math
from datetime import date
from decimal import Decimal

import numpy as np
import pytest
from toy_market import configured, pair, window

from bot.backtest import Baselines, replay
from bot.models import DAY_MS
from bot.statistics.daily_returns import DailyReturns, daily_returns_of
from bot.statistics.metrics import Calendar

FIRST = date(2023, 1, 2)
NAN = math.nan


def returns(runs: list[list[float]], holds: list[list[float]], hold_of: list[int]) -> DailyReturns:
    floats = np.array(runs, dtype=float), np.array(holds, dtype=float)
    return DailyReturns.of(FIRST, *floats, np.array(hold_of, dtype=np.int64))


def test_returns_rest_on_the_equity_of_the_day_before_and_on_the_capital_at_first() -> None:
    calendar = Calendar.of([0, DAY_MS // 2, 3 * DAY_MS])
    units = np.array([900, 1100, 1210], dtype=np.int64)
    assert daily_returns_of(units, 1000, calendar).tolist() == [0.1, 0.0, 0.0, 0.1]


def test_account_that_lost_everything_has_no_return_on_any_day() -> None:
    calendar = Calendar.of([0, DAY_MS, 2 * DAY_MS])
    units = np.array([1000, 0, 500], dtype=np.int64)
    assert np.isnan(daily_returns_of(units, 1000, calendar)).all()


def test_runs_of_one_account_share_the_row_of_their_hold_baseline() -> None:
    market = {"X": pair(dict.fromkeys(range(1, 60), "0.01"), [str(100 + hour % 5) for hour in range(60)])}
    base = configured(market)
    shown = window(market, base)
    trials = [
        base.varied({"min_funding_rate": Decimal("0.02")}),
        base.varied({"perp_leverage": Decimal(3)}),
        base,
    ]
    runs = np.stack([replay(trial, shown).daily_returns for trial in trials])
    found = Baselines(shown).beside(trials, runs)
    assert found.hold_of.tolist() == [0, 1, 0]
    assert len(found.holds) == 2
    hold = replay(trials[1].varied({"strategy_mode": "hold"}), shown)
    assert found.hold()[1].tolist() == hold.daily_returns.tolist()


def test_parts_follow_each_other_with_their_own_hold_baselines() -> None:
    none = DailyReturns.of(FIRST, np.empty((0, 2)), np.empty((0, 2)), np.empty(0, dtype=np.int64))
    one, two = returns([[1, 2]], [[3, 4]], [0]), returns([[5, 6], [7, 8]], [[9, 10]], [0, 0])
    joined = DailyReturns.concatenated([none, one, two])
    assert joined.runs.tolist() == [[1, 2], [5, 6], [7, 8]]
    assert joined.hold().tolist() == [[3, 4], [9, 10], [9, 10]]
    assert len(DailyReturns.concatenated([none, none])) == 0


def test_chosen_runs_keep_their_hold_baselines() -> None:
    found = returns([[1, 2], [3, 4], [5, 6]], [[7, 8], [9, 10]], [0, 1, 1]).take(np.array([2, 0]))
    assert found.runs.tolist() == [[5, 6], [1, 2]]
    assert found.hold().tolist() == [[9, 10], [7, 8]]


def test_days_outside_a_run_are_zero_and_those_of_a_broken_one_stay_unknown() -> None:
    found = returns([[1, 2], [NAN, NAN]], [[3, 4]], [0, 0]).over(date(2023, 1, 1), 4)
    assert (found.first_day, found.days) == (date(2023, 1, 1), 4)
    assert found.runs[0].tolist() == [0, 1, 2, 0]
    assert np.isnan(found.runs[1]).all()
    assert found.holds.tolist() == [[0, 3, 4, 0]]


@pytest.mark.parametrize(("first", "days"), [(date(2023, 1, 3), 5), (date(2023, 1, 1), 2)])
def test_days_that_do_not_hold_those_of_a_run_are_refused(first: date, days: int) -> None:
    with pytest.raises(ValueError, match=f"{days} days from {first} do not hold 2023-01-02 to 2023-01-03"):
        returns([[1, 2]], [[3, 4]], [0]).over(first, days)
