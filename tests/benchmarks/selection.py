"""Judging a search: sums and report of many trials, of five years of days each, beside plain NumPy loops.

The loops work out the same statistics from daily returns, on a few of the trials.
"""

from itertools import combinations
from typing import Any

import numpy as np
from judging import judged, lifetime_of, trials_of

from benchmarks.measure import cpu_seconds
from bot.kernel.comparing import fastest_comparing
from bot.kernel.sums import fastest_arithmetic
from bot.numbers.arrays import FloatArray
from bot.selection.judging import judge
from bot.selection.panel import Panel
from bot.selection.trial_sums import TrialReturns, TrialSums

DAYS = 1820
CHUNK = 2000
FEW = 20


def drawn(number: int, trials: int) -> TrialReturns:
    """Return one chunk of trials: shares of a market, and their own noise."""
    random = np.random.default_rng(number)
    market = np.random.default_rng(0).normal(0, 0.01, DAYS)
    own = random.normal(0.0002, 0.01, (trials, DAYS)) + random.uniform(-1, 1, (trials, 1)) * market
    found = trials_of(own, hold=market)
    return TrialReturns(
        found.numbers + number * CHUNK,
        found.returns,
        found.hold,
        found.total_trades,
        found.funding_payments,
        found.objectives,
    )


def plain_luck(panel: Panel, returns: FloatArray) -> FloatArray:
    """Return the largest shift of each draw, trial by trial."""
    counts = panel.calendar.week_counts
    highest = np.full(len(counts), -np.inf)
    for own in returns[:, panel.calendar.sample_start :]:
        weekly = own.reshape(-1, 7).sum(axis=1)
        shifts = np.array([(weekly * row).sum() - own.sum() for row in counts])
        highest = np.maximum(highest, panel.calendar.correction * shifts / len(own) / own.std(ddof=1))
    return highest


def plain_overfitting(panel: Panel, returns: FloatArray) -> float:
    """Return the probability of overfitting, half by half and trial by trial."""
    blocks, overfitted = panel.blocks, 0
    days = np.arange(blocks.start, blocks.days).reshape(blocks.count, -1)
    for half in combinations(range(blocks.count), blocks.count // 2):
        inside = days[list(half)].ravel()
        outside = np.setdiff1d(days.ravel(), inside)
        keys = [own[inside].mean() / own[inside].std(ddof=1) for own in returns]
        later = np.array([own[outside].mean() / own[outside].std(ddof=1) for own in returns])
        overfitted += 2 * np.count_nonzero(later <= later[int(np.argmax(keys))]) <= len(returns) + 1
    return overfitted / len(blocks.halves)


def measured(trials: int) -> dict[str, Any]:
    """Return the seconds of one processor for sums and report, and for plain loops over a few trials."""
    few = drawn(0, FEW)
    panel = judged(few).panel
    parts: list[TrialSums] = []
    summing, arithmetic = 0.0, fastest_arithmetic()
    for number in range(-(-trials // CHUNK)):
        chunk = drawn(number, min(CHUNK, trials - number * CHUNK))
        summing += cpu_seconds(lambda chunk=chunk: parts.append(TrialSums.of(panel, chunk, arithmetic)))
    lifetime = lifetime_of(DAYS, trials)
    judging = cpu_seconds(lambda: judge(panel, parts, lifetime, fastest_comparing()).document())
    luck = cpu_seconds(lambda: (plain_luck(panel, few.returns), plain_luck(panel, few.returns - few.hold)))
    overfitting = cpu_seconds(lambda: plain_overfitting(panel, few.returns))
    return {
        "trials": trials,
        "days": DAYS,
        "sums_s": summing,
        "report_s": judging,
        "plain": {"trials": FEW, "seconds": luck + overfitting},
    }
