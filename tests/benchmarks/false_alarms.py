"""Count how often searches are called skill: `PYTHONPATH=tests python -m benchmarks.false_alarms`.

Each search tries 100 thresholds on a signal; its daily returns follow one another as those of carry do. In
searches of noise the signal says nothing and the market earns nothing on average; in the others the days on
which the signal is high have an edge. Rows tell the share of searches whose winner counts as more than luck.
"""

import argparse

import numpy as np
from judging import judged, trials_of

from bot.numbers.arrays import FloatArray
from bot.selection.trial_sums import TrialReturns

THRESHOLDS = 100
AFTER_DAYS = 0.65
"""Correlation of a day with the day before, that of the best trial on recorded BTC data."""
DEVIATION = 0.001
YEARS = (1, 3, 5)
EDGES = (0.0, 1.0, 2.0, 4.0)
"""Yearly Sharpe ratios of the days on which the signal is above its middle."""


def correlated(random: np.random.Generator, days: int) -> FloatArray:
    """Return normal numbers of deviation 1, each correlated with the one before."""
    fresh = random.normal(0, (1 - AFTER_DAYS**2) ** 0.5, days)
    found = np.empty(days)
    found[0] = random.normal()
    for day in range(1, days):
        found[day] = AFTER_DAYS * found[day - 1] + fresh[day]
    return found


def search(seed: int, days: int, edge: float) -> TrialReturns:
    """Return the trials of one search: in the market on the days on which the signal passes a threshold."""
    random = np.random.default_rng(seed)
    signal, market = correlated(random, days), DEVIATION * correlated(random, days)
    market += np.where(signal > 0, edge / 365**0.5 * DEVIATION, 0)
    levels = np.quantile(signal, np.linspace(0, 0.9, THRESHOLDS))
    returns = np.where(signal >= levels[:, np.newaxis], market, 0)
    return trials_of(returns, objectives=returns.mean(axis=1) / returns.std(axis=1, ddof=1))


def main() -> None:
    """Draw, judge, and print one row for each length and edge."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sweeps", type=int, default=200, help="searches for each row (default: 200)")
    sweeps = parser.parse_args().sweeps
    print(f"{'years':>5} {'edge':>5} {'p_luck <= 5 %':>14} {'dsr >= 95 %':>12} {'published dsr':>14}")
    for years in YEARS:
        for edge in EDGES:
            chances, deflated, published = [], [], []
            for seed in range(sweeps):
                winner = judged(search(seed, 365 * years, edge)).document()["cash"]["winner"]
                chances.append(winner["p_luck"] <= 0.05)
                deflated.append((winner["dsr"] or 0) >= 0.95)
                published.append((winner["published"]["dsr"] or 0) >= 0.95)
            shares = (100 * float(np.mean(one)) for one in (chances, deflated, published))
            print(f"{years:5} {edge:5.0f} {next(shares):13.1f}% {next(shares):11.1f}% {next(shares):13.1f}%")


if __name__ == "__main__":
    main()
