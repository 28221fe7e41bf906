"""Values of a map: as many digits as are shown, in little text."""

import json

import numpy as np

from api.dashboard.sweeps.map_views import shortened, steps


def test_values_keep_seven_digits_and_write_no_more() -> None:
    values = np.array([7.053478724714902, -0.00012345678912, 123456789.25, 1234.56789012, 3.0, 0.0, 2 / 3e9])
    texts = [json.dumps(value) for value in shortened(values).tolist()]
    assert texts == ["7.053479", "-0.0001234568", "123456789.0", "1234.568", "3.0", "0.0", "6.67e-10"]


def test_an_undefined_value_stays_undefined() -> None:
    assert np.isnan(shortened(np.array([np.nan, 1.5]))).tolist() == [True, False]


def test_trials_are_told_by_their_steps() -> None:
    assert steps(np.array([7, 8, 9, 3])).tolist() == [7, 1, 1, -6]
    assert steps(np.array([], dtype=np.int64)).tolist() == []
