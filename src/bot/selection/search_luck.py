"""Judgement of a whole search against one benchmark: the luck of its best trial, from merged sums."""

import bisect
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from bot.numbers.arrays import FloatArray
from bot.selection.days.calendar import DRAWS, Calendar
from bot.selection.distinct import Keyed, distinct_trials
from bot.selection.independent_trials import expected_maximum, independent_trials
from bot.selection.luck import LuckSums
from bot.selection.track.track_record import TrackRecord

_SURVIVES = 0.05
_PLACE_OF_95 = 475
_AT_ONCE = 4_096


@dataclass(frozen=True, slots=True, eq=False)
class SearchSums:
    """Sums of all distinct trials of a search against one benchmark, the trials in any order.

    `sharpe` and `tau` leave out NaN; `highest` and `highest_in_taus` are as those of `LuckSums`.
    """

    distinct: int
    sharpe: FloatArray
    tau: FloatArray
    highest: FloatArray
    highest_in_taus: FloatArray

    @classmethod
    def of(cls, parts: Iterable[LuckSums]) -> Self:
        """Return the sums of all parts, at least one; they are gone through again and again."""
        total = 0
        highest, in_taus = np.full(DRAWS, -math.inf), np.full(DRAWS, -math.inf)
        for part in parts:
            total += len(part.numbers)
            highest, in_taus = np.maximum(highest, part.highest), np.maximum(in_taus, part.highest_in_taus)
        figures = [
            share.figures
            for share in distinct_trials(
                lambda: (Keyed.of(one.numbers, one.digests, one.sharpe, one.tau) for one in parts), total
            )
        ]
        sharpe, tau = np.concatenate(figures).T
        return cls(len(tau), sharpe[~np.isnan(sharpe)], tau[~np.isnan(tau)], highest, in_taus)


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
    def of(cls, calendar: Calendar, sums: SearchSums) -> Self | None:
        """Return the luck of the trials of a search, None if none of them has a Sharpe ratio."""
        if not len(sums.tau):
            return None
        highest = np.sort(sums.highest)
        return cls(
            calendar,
            sums.distinct,
            math.fsum(sums.highest) / DRAWS,
            independent_trials(math.fsum(sums.highest_in_taus) / DRAWS, sums.distinct),
            _median(sums.tau),
            _survivors(sums.sharpe, highest),
            published_sr0(sums.sharpe, sums.distinct),
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
    """Return the benchmark of the deflated Sharpe ratio as published, None below two ratios.

    Source: Bailey, Lopez de Prado (2014); it takes true differences between trials for luck.
    """
    count = len(ratios)
    if count < 2:
        return None
    mean = math.fsum(_one_by_one(ratios)) / count
    variance = math.fsum((one - mean) ** 2 for one in _one_by_one(ratios)) / (count - 1)
    return math.sqrt(variance) * expected_maximum(distinct)


def _one_by_one(values: FloatArray) -> Iterator[float]:
    """Yield values as Python has them, some at a time: all of them would take five times their bytes."""
    for first in range(0, len(values), _AT_ONCE):
        yield from values[first : first + _AT_ONCE].tolist()


def _median(values: FloatArray) -> float:
    below, above = (len(values) - 1) // 2, len(values) // 2
    ordered = np.partition(values, (below, above))
    return (float(ordered[below]) + float(ordered[above])) / 2


def _survivors(ratios: FloatArray, highest: FloatArray) -> int:
    positive = ratios[ratios > 0]
    higher = DRAWS - np.searchsorted(highest, positive)
    return int(np.count_nonzero((1 + higher) / (DRAWS + 1) <= _SURVIVES))
