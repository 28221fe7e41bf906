"""Bytes that the results of a sweep take in the database."""

from math import exp

from sweeps.queue.rates import settlements
from sweeps.spec.spec import SweepSpec, TopCurves

SWEEP_BYTES = 20_000
"""Bytes of a sweep besides its trials: specification, chunk, a row for each column; 12 to 30 KB measured."""

TRIAL_BYTES, RESULT_BYTES = 40, 520
"""Bytes of a trial in packed columns, and those of a result that no other trial of its chunk has, with the
sums that it is judged by; 32 to 45 and 350 to 700 were measured, failed trials take less than that."""

CURVE_BYTES_PER_SETTLEMENT = 3
"""Bytes of a kept run, equity curve and trades, for each settlement of a symbol; 1.9 to 3.3 were measured."""


def stored_bytes(spec: SweepSpec, distinct: float | None = None, chunk: int | None = None) -> int:
    """Return about how much of the database the results of a sweep take, right within a factor of two.

    It depends on how many results there are: trials of neighbouring thresholds mostly trade alike. `distinct`
    counts them, None as if no two trials traded alike, which is the most that it can be. `chunk` trials are
    packed together, all if None.
    """
    trials = spec.trial_count
    results = float(trials) if distinct is None else distinct
    if spec.sampler.kind != "grid" and results < trials:  # each chunk has many of them again
        size = min(chunk or trials, trials)
        results = min(drawn(results, size) * trials / size, trials)
    return int(SWEEP_BYTES + trials * TRIAL_BYTES + results * RESULT_BYTES + _curve_bytes(spec))


def drawn(population: float, draws: int) -> float:
    """Return how many different ones are expected among `draws` of a population, each as likely."""
    return population * (1 - exp(-draws / population))


def population(trials: int, draws: int, different: int) -> float:
    """Return of how many results `draws` of `trials` are, if so many `different` ones are among them."""
    if draws >= trials or different <= 1:
        return float(different)
    lowest, highest = float(different), float(trials)
    if drawn(highest, draws) <= different:
        return highest
    while highest - lowest > 0.5:
        middle = (lowest + highest) / 2
        lowest, highest = (middle, highest) if drawn(middle, draws) < different else (lowest, middle)
    return lowest


def _curve_bytes(spec: SweepSpec) -> float:
    if spec.curves == "none":
        return 0
    kept = spec.trial_count
    if isinstance(spec.curves, TopCurves):
        kept = min(kept, spec.curves.top)
    return kept * settlements(spec) * CURVE_BYTES_PER_SETTLEMENT
