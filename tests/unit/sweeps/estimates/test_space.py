"""Space of a sweep: what follows from how many of its trials differ."""

import numpy as np
import pytest
from sweeping import sweep_spec

from sweeps.estimates.space import drawn, population, stored_bytes

GRID = {
    "min_funding_rate": {"start": "0.00001", "stop": "0.0003", "num": 40},
    "exit_funding_rate": {"start": "0", "stop": "0.00009", "num": 25},
}


def test_space_without_a_measurement_is_that_of_trials_that_all_differ() -> None:
    spec = sweep_spec(grid=GRID, curves="none")
    assert stored_bytes(spec) == 20_000 + 1_000 * (36 + 200)
    assert stored_bytes(spec, distinct=50) == 20_000 + 1_000 * 36 + 50 * 200


@pytest.mark.parametrize(
    ("counts", "results"),
    [
        ([500, 500], 2),  # all were looked at
        ([10], 1),
        ([1] * 100, 1_000),  # no two are alike: all may differ
        ([90, 1, 1, 1, 1, 1, 5], (17 * 52) ** 0.5),  # from 7 + 5 * 4 / 2 to 2 + 5 % of the trials
        ([1, 1, 2, 2, 2, 2], (6.2 * 204) ** 0.5),  # from 6 + 2 / (2 * 5)
    ],
)
def test_results_of_all_trials_follow_from_how_often_some_have_the_same(
    counts: list[int], results: float
) -> None:
    assert population(1_000, np.array(counts)) == pytest.approx(results)


def test_results_of_a_chunk_are_those_that_as_many_draws_meet() -> None:
    assert round(drawn(343, 300)) == 200
