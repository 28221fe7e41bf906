"""Daily Sharpe ratios over the sample of a calendar, worked out from what is stored of trials.

The ratio stored with a trial is of all its days, of which the sample leaves out up to six. Its `psr`, `t_eff`
and moments are of the sample, and from them the ratio of the sample follows. A trial of fewer days than the
calendar has returns nothing on the others.
"""

from statistics import NormalDist

import numpy as np

from bot.numbers.arrays import FloatArray, IntArray

_SCORE = np.frompyfunc(NormalDist().inv_cdf, 1, 1)


def sample_sharpes(
    n: int,
    all_days: FloatArray,
    psr: FloatArray,
    t_eff: FloatArray,
    skewness: FloatArray,
    kurtosis: FloatArray,
) -> FloatArray:
    """Return the daily Sharpe ratios of many trials over a sample of `n` days, from those of `all_days`.

    Where there is no `psr`, or rounding has made it 0 or 1, they are those of all days.
    """
    found = all_days.copy()
    known = np.flatnonzero((psr > 0) & (psr < 1))
    scores = np.asarray(_SCORE(psr[known]), dtype=np.float64)
    squares = scores * scores
    # The ratio is the score times the root of `track_record.error_square`: squared, a quadratic equation.
    first = 1 - squares * (kurtosis[known] - 1) / (4 * (n - 1))
    second = squares * skewness[known] / (n - 1)
    third = -squares / t_eff[known]
    with np.errstate(all="ignore"):
        larger = -(second + np.copysign(np.sqrt(second * second - 4 * first * third), second)) / 2
        found[known] = _nearest(found[known], scores, larger / first, third / larger)
    return found


def padded_sharpes(n: int, days: IntArray, ratios: FloatArray) -> FloatArray:
    """Return daily Sharpe ratios over n days of trials that have `ratios` over so many `days` of them."""
    squares = ratios * ratios
    # Sum squared over sum of squares, which days without a return leave as it is.
    kept = squares * days * days / ((days - 1) + days * squares)
    return np.copysign(np.sqrt((n - 1) * kept / (n * (n - kept))), ratios)


def _nearest(all_days: FloatArray, scores: FloatArray, *solutions: FloatArray) -> FloatArray:
    """Return the solutions of the signs of `scores` nearest to the ratios of all days, these without one."""
    one, other = (np.where(each * scores > 0, each, np.nan) for each in solutions)
    is_one = np.isnan(other) | (np.abs(one - all_days) <= np.abs(other - all_days))
    nearest = np.where(is_one, one, other)
    return np.where(np.isfinite(nearest), nearest, all_days)
