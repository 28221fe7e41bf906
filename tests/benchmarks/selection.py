"""Measure how long judging a search takes: `python tests/benchmarks/selection.py --trials 100000`.

Trials are drawn, of five years of days each. Beside sums and report, in the same run, stand plain NumPy loops
of the same statistics over daily returns, on a few of the trials; figures are seconds of one processor.
"""

import argparse
import resource
from itertools import combinations

import numpy as np
from judging import judged, lifetime_of, trials_of

from benchmarks.measure import cpu_seconds
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


def main() -> None:
    """Draw, judge, and print one line a figure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=100_000, help="trials to judge (default: 100,000)")
    trials = parser.parse_args().trials
    few = drawn(0, FEW)
    panel = judged(few).panel
    parts: list[TrialSums] = []
    summing = 0.0
    for number in range(-(-trials // CHUNK)):
        chunk = drawn(number, min(CHUNK, trials - number * CHUNK))
        summing += cpu_seconds(lambda chunk=chunk: parts.append(TrialSums.of(panel, chunk)))
    judging = cpu_seconds(lambda: judge(panel, parts, lifetime_of(DAYS, trials)).document())
    luck = cpu_seconds(lambda: (plain_luck(panel, few.returns), plain_luck(panel, few.returns - few.hold)))
    overfitting = cpu_seconds(lambda: plain_overfitting(panel, few.returns))
    ratio = (luck + overfitting) / FEW / ((summing + judging) / trials)
    print(f"{trials:,} trials over {DAYS:,} days, seconds of one processor")
    print(f"sums of daily returns          {summing:8.2f}")
    print(f"report from the sums           {judging:8.2f}")
    print(
        f"plain loops, {FEW} trials         {luck + overfitting:8.2f}  ({ratio:,.0f} times as long a trial)"
    )
    print(
        f"largest memory                 {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:8.0f} MiB"
    )


if __name__ == "__main__":
    main()
