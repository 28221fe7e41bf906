"""Track records of many trials: each as if it stood alone, and null where it is undefined."""

from datetime import date

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from judging import FIRST_DAY, judged, trials_of

from bot.numbers.arrays import FloatArray
from bot.selection.days.whole_returns import MOST_DAYS, whole_returns
from bot.selection.sharpe import SPLIT_SUMS, PowerSums, split_sums
from bot.selection.track.track_columns import TrackColumns


def row(columns: TrackColumns, trial: int) -> list[float]:
    return [float(getattr(columns, name)[trial]) for name in columns.__slots__]


def test_days_in_runs_are_worth_fewer_than_the_same_days_in_turns() -> None:
    runs = [15.0 if day // 91 % 2 == 0 else -13.0 for day in range(1820)]
    turns = [15.0, -13.0] * 910
    found = TrackColumns.of(FIRST_DAY, np.array([runs, turns]) / 2**10)
    assert found.t_eff.tolist() == pytest.approx([151.27, 1819], rel=1e-4)
    assert found.psr.tolist() == pytest.approx([0.810098, 0.998839], abs=5e-7)


def test_records_are_those_of_the_report() -> None:
    returns = drawn(5, 4, 400, 0.3)
    found = TrackColumns.of(FIRST_DAY, returns)
    for trial in range(len(returns)):
        winner = judged(trials_of(returns[trial : trial + 1])).document()["cash"]["winner"]
        expected = [winner[name] for name in found.__slots__]
        assert row(found, trial) == pytest.approx(expected, rel=1e-13, abs=0)


def test_trials_that_never_moved_or_lost_everything_have_no_record() -> None:
    days = 200
    returns = np.zeros((3, days))
    returns[1, 7] = np.nan
    returns[2] = 0.001
    found = TrackColumns.of(FIRST_DAY, returns)
    assert np.isnan([row(found, trial) for trial in range(3)]).all()


@pytest.mark.parametrize(
    ("days", "known"), [(181, False), (182, True), (MOST_DAYS, True), (MOST_DAYS + 1, False)]
)
def test_record_needs_26_weeks_and_at_most_the_days_that_sums_are_exact_over(days: int, known: bool) -> None:
    returns = np.random.default_rng(1).normal(0.001, 0.01, (1, days))
    assert bool(np.isfinite(TrackColumns.of(FIRST_DAY, returns).psr[0])) is known


def test_no_trials_have_no_records() -> None:
    assert len(TrackColumns.of(FIRST_DAY, np.empty((0, 365))).psr) == 0


def drawn(seed: int, trials: int, days: int, idle: float) -> FloatArray:
    random = np.random.default_rng(seed)
    returns = random.standard_t(3, (trials, days)) * 10.0 ** random.integers(-9, 2)
    returns[:, random.random(days) < idle] = 0
    returns[trials // 2] = returns[0]
    return returns


@settings(max_examples=30, derandomize=True)
@given(
    seed=st.integers(0, 2**32),
    trials=st.integers(1, 40),
    days=st.integers(182, 1000),
    idle=st.floats(0, 1),
    start=st.dates(date(2015, 1, 1), date(2026, 1, 1)),
)
def test_no_trial_depends_on_those_beside_it(
    seed: int, trials: int, days: int, idle: float, start: date
) -> None:
    returns = drawn(seed, trials, days, idle)
    together = TrackColumns.of(start, returns)
    for trial in range(trials):
        alone = TrackColumns.of(start, returns[trial : trial + 1])
        assert np.array(row(alone, 0)).tobytes() == np.array(row(together, trial)).tobytes()


@settings(max_examples=30, derandomize=True)
@given(seed=st.integers(0, 2**32), days=st.integers(1, MOST_DAYS))
def test_power_sums_are_exact_integers(seed: int, days: int) -> None:
    values = whole_returns(drawn(seed, 1, days, 0.2)).values
    whole = [int(value) for value in values[0].tolist()]
    expected = PowerSums(days, *(sum(value**power for value in whole) for power in (1, 2, 3, 4)))
    assert PowerSums.of(values[0]) == expected
    assert split_sums(values).shape == (1, SPLIT_SUMS)
