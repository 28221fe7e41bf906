"""Our statistics equal those of an independent library, on drawn curves."""

from decimal import Decimal
from importlib import import_module
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from bot.analytics import metrics as stats
from bot.models import DAY_MS

empyrical: Any = import_module("empyrical")

curves = st.lists(st.integers(9_000_00, 13_000_00), min_size=3, max_size=200).map(
    lambda cents: [(day * DAY_MS, Decimal(value) / 100) for day, value in enumerate(cents)]
)


@given(curves)
def test_statistics_agree_with_an_independent_library(equity: list[tuple[int, Decimal]]) -> None:
    initial = Decimal(10_000)
    returns = stats.daily_returns(equity, initial)
    assert returns is not None
    array = np.array(returns)
    assume(array.std() > 0)
    assume((array < 0).any())
    year = {"annualization": 365}
    assert stats.volatility(returns) == pytest.approx(empyrical.annual_volatility(array, **year), rel=1e-9)
    assert stats.sharpe_ratio(returns) == pytest.approx(
        empyrical.sharpe_ratio(array, **year), rel=1e-9, abs=1e-9
    )
    assert stats.sortino_ratio(returns) == pytest.approx(
        empyrical.sortino_ratio(array, **year), rel=1e-9, abs=1e-9
    )
    _, share = stats.max_drawdown((value for _, value in equity), initial)
    assert share == pytest.approx(-empyrical.max_drawdown(array), rel=1e-9, abs=1e-12)
    grown = stats.annualized_return(initial, equity[-1][1], len(returns) * DAY_MS)
    assert grown == pytest.approx(empyrical.annual_return(array, **year), rel=1e-7)
