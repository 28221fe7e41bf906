"""Days of a panel, and the newest whole weeks of them, from which the chance of luck is drawn."""

import math
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from typing import cast

import numpy as np

from bot.numbers.arrays import FloatArray
from bot.plurals import counted
from bot.selection.days.draws import stationary_indices
from bot.selection.days.whole_returns import MOST_DAYS

DRAWS = 500
FEWEST_WEEKS = 26
WEEK_DAYS = 7


@dataclass(frozen=True)
class Calendar:
    """UTC days that the trials of a panel share, from `first_day` on."""

    first_day: date
    days: int

    @property
    def weeks(self) -> int:
        """Whole weeks."""
        return self.days // WEEK_DAYS

    @property
    def sample_days(self) -> int:
        """Newest days that make whole weeks: the sample of every statistic of luck."""
        return self.weeks * WEEK_DAYS

    @property
    def sample_start(self) -> int:
        """Number of the first day of the sample."""
        return self.days - self.sample_days

    @property
    def mean_block(self) -> int:
        """Mean block of the bootstrap in weeks."""
        return math.isqrt(4 * self.weeks)

    @property
    def correction(self) -> float:
        """Factor that makes up for the ends of blocks, f = W/(W-2L)."""
        return self.weeks / (self.weeks - 2 * self.mean_block)

    @property
    def unfit(self) -> str | None:
        """Reason for having no statistics of luck, None where there are enough weeks, and not too many."""
        if self.days > MOST_DAYS:
            return f"{MOST_DAYS:,} days can be judged at once, {self.days:,} held"
        if self.weeks >= FEWEST_WEEKS:
            return None
        return f"{counted(FEWEST_WEEKS, 'week')} needed, {self.weeks} held"

    @cached_property
    def week_counts(self) -> FloatArray:
        """Times that each of `DRAWS` replicates (rows) drew each week (columns), the same for all trials."""
        first = self.first_day + timedelta(days=self.sample_start)
        text = f"luck/{first.isoformat()}/{self.weeks}"
        drawn = stationary_indices(text, self.weeks, self.mean_block, 0, DRAWS)
        places = drawn + np.arange(DRAWS)[:, None] * self.weeks
        counts = np.bincount(places.ravel(), minlength=DRAWS * self.weeks)
        return cast("FloatArray", counts.reshape(DRAWS, -1).astype(np.float64))

    @cached_property
    def week_products(self) -> FloatArray:
        """Sums over all replicates of the product, of each two weeks, of their counts less 1; whole."""
        more = self.week_counts - 1
        return more.T @ more

    def weekly(self, values: FloatArray) -> FloatArray:
        """Return sums (trials x weeks) of the sample of whole returns (trials x days)."""
        sample = values[:, self.sample_start :].reshape(len(values), self.weeks, WEEK_DAYS)
        # Whole numbers: added day by day they give the same, and much faster than along so short an axis.
        sums: FloatArray = sample[:, :, 0] + sample[:, :, 1]
        for day in range(2, WEEK_DAYS):
            sums += sample[:, :, day]
        return sums
