"""Space of a sweep: what follows from how many of its trials differ."""

import pytest
from sweeping import sweep_spec

from sweeps.estimates.space import drawn, population, stored_bytes

GRID = {
    "min_funding_rate": {"start": "0.00001", "stop": "0.0003", "num": 40},
    "exit_funding_rate": {"start": "0", "stop": "0.00009", "num": 25},
}


def test_space_without_a_measurement_is_that_of_trials_that_all_differ() -> None:
    spec = sweep_spec(grid=GRID, curves="none")
    assert stored_bytes(spec) == 20_000 + 1_000 * (40 + 520)
    assert stored_bytes(spec, distinct=50) == 20_000 + 1_000 * 40 + 50 * 520


@pytest.mark.parametrize(("draws", "different", "results"), [(10, 10, 1_000), (1_000, 7, 7), (10, 1, 1)])
def test_results_of_all_trials_follow_from_those_of_some(draws: int, different: int, results: int) -> None:
    assert population(1_000, draws, different) == results


def test_results_that_some_trials_share_are_as_many_as_make_them_meet_that_often() -> None:
    found = population(100_000, 300, 200)
    assert round(found) == 343
    assert round(drawn(found, 300)) == 200
