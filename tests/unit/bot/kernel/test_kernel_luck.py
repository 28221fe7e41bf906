"""Bootstrap shifts of the compiled library have every bit of those of NumPy."""

from datetime import date

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.kernel.loading import Library
from bot.kernel.luck import shifts_by
from bot.selection.days.calendar import FEWEST_WEEKS, Calendar
from bot.selection.days.week_shifts import drawn_shifts
from bot.selection.days.whole_returns import BITS


def test_shifts_of_drawn_trials_equal_those_of_numpy(library: Library) -> None:
    @settings(max_examples=25, derandomize=True)
    @given(
        seed=st.integers(0, 2**32),
        trials=st.integers(1, 20),
        days=st.integers(FEWEST_WEEKS * 7, 2_000),
        idle=st.floats(0, 1),
    )
    def compare(seed: int, trials: int, days: int, idle: float) -> None:
        random, calendar = np.random.default_rng(seed), Calendar(date(2020, 1, 1), days)
        weekly = np.rint(random.standard_t(3, (trials, calendar.weeks)) * 2.0 ** random.integers(1, BITS))
        weekly[:, random.random(calendar.weeks) < idle] = 0
        deviations = random.random(trials) * 2.0**BITS + 1
        deviations[random.random(trials) < 0.2] = np.nan
        expected = drawn_shifts(calendar, weekly, deviations)
        for code in (library, library.in_plain_c()):
            found = shifts_by(code)(calendar, weekly, deviations)
            for one, other in zip(found, expected, strict=True):
                assert one.tobytes() == other.tobytes()

    compare()
