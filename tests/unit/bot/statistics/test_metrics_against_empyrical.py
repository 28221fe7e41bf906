"""Our statistics equal those of an independent library, on drawn curves."""

from decimal import Decimal
from importlib import import_module
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from bot.models import DAY_MS
from bot.statistics import metrics as stats
from bot.statistics.growth import annualized_return
from bot.statistics.returns import Returns, year_ratios

empyrical: Any = import_module("empyrical")
INITIAL = 10_000 * 10**8


@given(st.lists(st.integers(9_000_00, 13_000_00), min_size=3, max_size=200))
def test_statistics_agree_with_an_independent_library(cents: list[int]) -> None:
    units = np.array([[value * 10**6 for value in cents]])
    calendar = stats.Calendar.of([day * DAY_MS for day in range(len(cents))])
    returns = stats.daily_returns(units, INITIAL, calendar)
    [row] = returns
    assume(row.std() > 0)
    assume((row < 0).any())
    year = {"annualization": 365}
    close = {"rel": 1e-9, "abs": 1e-9}
    volatility, sharpe, sortino = year_ratios(Returns.of_matrix(returns), 365)
    assert volatility[0] == pytest.approx(empyrical.annual_volatility(row, **year), **close)
    assert sharpe[0] == pytest.approx(empyrical.sharpe_ratio(row, **year), **close)
    assert sortino[0] == pytest.approx(empyrical.sortino_ratio(row, **year), **close)
    assert stats.drawdowns(units, stats.running_peaks(units, INITIAL))[1][0] == pytest.approx(
        -empyrical.max_drawdown(row), **close
    )
    final = Decimal(cents[-1]) / 100
    grown = annualized_return(Decimal(10_000), final, len(cents) * DAY_MS)
    assert grown == pytest.approx(empyrical.annual_return(row, **year), rel=1e-7)
