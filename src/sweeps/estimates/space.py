"""Bytes that the results of a sweep take in the database."""

from math import exp, sqrt

from bot.numbers.arrays import IntArray
from sweeps.queue.rates import settlements
from sweeps.spec.spec import SweepSpec
from sweeps.spec.spec_fields import TopCurves

SWEEP_BYTES = 20_000
"""Bytes of a sweep besides its trials: specification, chunk, a row for each column; 12 to 30 KB measured."""

TRIAL_BYTES, RESULT_BYTES = 36, 200
"""Bytes of a trial in packed columns, and of a result that no other trial of its chunk has: 34 to 40 and 150
to 290 were measured, the more where the sums that it is judged by stay. Failed trials take less."""

CURVE_BYTES_PER_SETTLEMENT = 3
"""Bytes of a kept run, equity curve and trades, for each settlement of a symbol; 1.9 to 3.3 were measured."""


def stored_bytes(spec: SweepSpec, distinct: float | None = None, chunks: int = 1) -> int:
    """Return about how much of the database the results of a sweep take, right within a factor of two.

    It depends on how many results there are: trials of neighbouring thresholds mostly trade alike. `distinct`
    counts them, None as if no two trials traded alike, which is the most that it can be. The trials of each
    of its `chunks` are packed together.
    """
    trials = spec.trial_count
    results = float(trials) if distinct is None else distinct
    if spec.sampler.kind != "grid" and results < trials:  # each chunk has many of them again
        results = min(drawn(results, trials / chunks) * chunks, trials)
    return int(SWEEP_BYTES + trials * TRIAL_BYTES + results * RESULT_BYTES + _curve_bytes(spec))


def drawn(population: float, draws: float) -> float:
    """Return how many different ones are expected among `draws` of a population, each as likely."""
    return population * (1 - exp(-draws / population))


def population(trials: int, counts: IntArray) -> float:
    """Return about how many results `trials` have, if each that some of them have is found so often.

    It is in ratio between the fewest that there may be, since few are found twice, and the most, as if each
    trial had its own that is like those whose result is found once.
    Source: Chao, Nonparametric estimation of the number of classes in a population, Scandinavian Journal of
    Statistics 11 (1984), for the fewest.
    """
    draws, different = int(counts.sum()), len(counts)
    if draws >= trials:
        return float(different)
    once, twice = (int((counts == times).sum()) for times in (1, 2))
    most = different - once + trials * once / draws
    fewest = min(different + once * (once - 1) / (2 * (twice + 1)), most)
    return sqrt(fewest * most)


def _curve_bytes(spec: SweepSpec) -> float:
    if spec.curves == "none":
        return 0
    kept = spec.trial_count
    if isinstance(spec.curves, TopCurves):
        kept = min(kept, spec.curves.top)
    return kept * settlements(spec) * CURVE_BYTES_PER_SETTLEMENT
