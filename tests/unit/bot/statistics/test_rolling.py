"""Rolling statistics of daily returns."""

import numpy as np
import pytest

from bot.statistics.daily_returns import sharpe_over
from bot.statistics.rolling import rolling_sharpe


def test_each_day_has_the_sharpe_of_the_days_up_to_it() -> None:
    returns = np.array([0.01, -0.02, 0.03, 0.005, 0.0, 0.01])
    found = rolling_sharpe(returns, 3)
    expected = [sharpe_over(returns[at : at + 3], np.zeros(3)) for at in range(4)]
    assert found.tolist() == pytest.approx(expected, rel=1e-12)


def test_stretch_without_deviation_is_undefined_and_a_short_run_has_none() -> None:
    assert np.isnan(rolling_sharpe(np.array([0.01, 0.01, 0.01, 0.02]), 3)).tolist() == [True, False]
    assert rolling_sharpe(np.array([0.01, 0.02]), 3).tolist() == []
