"""Judgement of a whole search against one benchmark: the luck of its best trial, from merged sums."""

import bisect
import math
import statistics
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from bot.numbers.arrays import FloatArray
from bot.selection.days.calendar import DRAWS, Calendar
from bot.selection.independent_trials import expected_maximum, independent_trials
from bot.selection.luck import LuckSums
from bot.selection.track_record import TrackRecord

_SURVIVES = 0.05
_PLACE_OF_95 = 475


@dataclass(frozen=True)
class SearchLuck:
    """Luck of a search of `distinct` trials; Sharpe ratios are daily.

    `luck` is the best Sharpe ratio expected without skill; `independent` trials N_eff are what the search is
    worth, and `median_tau` is the median of the trials' bootstrap deviations. `survivors` have a Sharpe ratio
    that luck shows in at most one search of twenty; `highest` are the best by luck of each draw, ascending.
    """

    calendar: Calendar
    distinct: int
    luck: float
    independent: float
    median_tau: float
    survivors: int
    published_sr0: float | None
    highest: tuple[float, ...]

    @classmethod
    def of(cls, calendar: Calendar, sums: LuckSums) -> Self | None:
        """Return the luck of the trials of merged sums, None if none of them has a Sharpe ratio."""
        taus: list[float] = sums.tau[~np.isnan(sums.tau)].tolist()
        if not taus:
            return None
        highest, distinct = np.sort(sums.highest), len(sums.numbers)
        return cls(
            calendar,
            distinct,
            math.fsum(sums.highest) / DRAWS,
            independent_trials(math.fsum(sums.highest_in_taus) / DRAWS, distinct),
            statistics.median(taus),
            _survivors(sums.sharpe, highest),
            published_sr0(sums.sharpe, distinct),
            tuple(highest.tolist()),
        )

    @property
    def luck_95(self) -> float:
        """Sharpe ratio that luck alone exceeds in one search of twenty."""
        return self.highest[_PLACE_OF_95 - 1]

    def p_luck(self, sharpe: float) -> float:
        """Return the chance that a search like this shows such a Sharpe ratio somewhere, without skill.

        Source: White (2000); it holds for whichever trial is picked.
        """
        if sharpe <= 0:
            return 1.0
        return (1 + DRAWS - bisect.bisect_left(self.highest, sharpe)) / (DRAWS + 1)

    def document(self, winner: TrackRecord | None) -> dict[str, Any]:
        """Return the judgement as JSON values."""
        return {
            "n": self.calendar.sample_days,
            "weeks": self.calendar.weeks,
            "block": self.calendar.mean_block,
            "luck": self.luck,
            "luck_95": self.luck_95,
            "independent": self.independent,
            "median_tau": self.median_tau,
            "survivors": self.survivors,
            "published_sr0": self.published_sr0,
            "winner": winner and winner.document(self.luck, self.p_luck(winner.sharpe), self.published_sr0),
        }


def published_sr0(ratios: FloatArray, distinct: int) -> float | None:
    """Return the benchmark of the deflated Sharpe ratio as published, None below two ratios; NaN is none.

    Source: Bailey, Lopez de Prado (2014); it takes true differences between trials for luck.
    """
    defined = ratios[~np.isnan(ratios)].tolist()
    if len(defined) < 2:
        return None
    mean = math.fsum(defined) / len(defined)
    variance = math.fsum((one - mean) ** 2 for one in defined) / (len(defined) - 1)
    return math.sqrt(variance) * expected_maximum(distinct)


def _survivors(ratios: FloatArray, highest: FloatArray) -> int:
    positive = ratios[ratios > 0]
    higher = DRAWS - np.searchsorted(highest, positive)
    return int(np.count_nonzero((1 + higher) / (DRAWS + 1) <= _SURVIVES))
