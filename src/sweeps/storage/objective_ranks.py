"""Objectives of trials as whole numbers that any database sorts: the smallest is the best."""

from collections.abc import Mapping
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from bot.numbers.arrays import IntArray
from bot.selection.guard import Guard
from bot.statistics.trial_columns import MetricColumn, defined
from sweeps.spec.metrics import Direction
from sweeps.spec.spec_fields import Objective

UNRANKED = int(np.iinfo(np.int64).max)
"""Rank of a trial that is ineligible, or for which the objective has no value: after all others."""

_SIGN = np.int64(np.iinfo(np.int64).max)


def objective_ranks(objective: Objective, column: MetricColumn) -> IntArray:
    """Return the rank of each value of the objective's column, comparable among the trials of its sweep.

    Equal values have equal ranks; the better one has the smaller.
    """
    keys = _ordered(column)
    # One less leaves the largest amount of money below `UNRANKED`; the smallest number stands for no value.
    ranks = ~keys if objective.direction is Direction.MAXIMIZE else keys - 1
    return np.where(defined(objective.metric, column), ranks, UNRANKED)


class Ranking(Protocol):
    """Ranking of a sweep: its objective, and the guard that decides which trials are eligible."""

    @property
    def objective(self) -> Objective:
        """Return metric and direction of the best trial."""

    @property
    def guard(self) -> Guard:
        """Return the guard."""


def trial_ranks(ranking: Ranking, metrics: Mapping[str, MetricColumn]) -> IntArray:
    """Return the ranks of trials by their columns of the objective and of `GUARD_METRICS`.

    Ineligible trials have no rank, as those for which the objective has no value.
    """
    objective = ranking.objective
    ranks = objective_ranks(objective, metrics[objective.metric])
    return np.where(ranking.guard.eligible(metrics), ranks, UNRANKED)


def _ordered(column: NDArray[np.int64] | NDArray[np.float64]) -> IntArray:
    """Return whole numbers in the order of the values: of float64 their bits, negative ones turned round."""
    if column.dtype != np.float64:
        return column.astype(np.int64, copy=False)
    bits = (column + 0.0).view(np.int64)  # adding zero makes one of both zeros
    turned: IntArray = np.where(bits < 0, bits ^ _SIGN, bits)
    return turned
