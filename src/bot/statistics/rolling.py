"""Statistics over the last days before each day of a run."""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from bot.numbers.arrays import FloatArray
from bot.statistics import metrics as stats
from bot.statistics.returns import Returns, year_ratios

ROLLING_DAYS = 90


def rolling_sharpe(returns: FloatArray, days: int = ROLLING_DAYS) -> FloatArray:
    """Return the annualised Sharpe ratio of the last `days` returns, one for each day from the `days`-th on.

    returns: n daily returns, oldest first; the result has n - days + 1 values, none if n is smaller. NaN
    where the deviation is zero or a return undefined.
    """
    if len(returns) < days:
        return np.empty(0)
    _, sharpe, _ = year_ratios(Returns.of_matrix(sliding_window_view(returns, days)), stats.DAYS_PER_YEAR)
    return sharpe
