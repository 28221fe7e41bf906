"""Judgement of a whole search against one benchmark: the luck of its best trial, from merged sums."""

import bisect
import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, repeat
from typing import Any, Self

import numpy as np

from bot.numbers.arrays import FloatArray
from bot.selection.days.calendar import DRAWS, Calendar
from bot.selection.days.digests import WORDS
from bot.selection.distinct import DigestedTrials
from bot.selection.independent_trials import expected_maximum, independent_trials
from bot.selection.luck import LuckSums
from bot.selection.track.track_record import TrackRecord

_SURVIVES = 0.05
_PLACE_OF_95 = 475
_AT_ONCE = 4_096
_NOBODY = DigestedTrials.of(
    np.empty(0, dtype=np.int64), np.empty((0, WORDS), dtype=np.uint64), *np.empty((2, 0))
)


class SearchSums:
    """Sums of a search against one benchmark, put together from its parts and its distinct trials.

    `highest` and `highest_in_taus` are as those of `LuckSums`.
    """

    def __init__(self) -> None:
        self.distinct = 0
        self.highest, self.highest_in_taus = np.full((2, DRAWS), -math.inf)
        self._figures: list[FloatArray] = []

    def take(self, part: LuckSums | None) -> DigestedTrials:
        """Take the maxima of a part, once or again; return its trials, their figures kept with them."""
        if part is None:
            return _NOBODY
        np.maximum(self.highest, part.highest, out=self.highest)
        np.maximum(self.highest_in_taus, part.highest_in_taus, out=self.highest_in_taus)
        return DigestedTrials.of(part.numbers, part.digests, part.sharpe, part.tau)

    def add(self, distinct: DigestedTrials) -> None:
        """Add the figures of some distinct trials."""
        self.distinct += len(distinct.numbers)
        self._figures.append(distinct.figures)

    @property
    def sharpe(self) -> FloatArray:
        """Sharpe ratios of the trials that have one, in any order."""
        return self._known(0)

    @property
    def tau(self) -> FloatArray:
        """Bootstrap deviations of the trials that have one, in any order."""
        return self._known(1)

    def _known(self, column: int) -> FloatArray:
        values = np.concatenate([np.empty(0), *(figures[:, column] for figures in self._figures)])
        known: FloatArray = values[~np.isnan(values)]
        return known


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
        tau, sharpe = sums.tau, sums.sharpe
        if not len(tau):
            return None
        highest = np.sort(sums.highest)
        return cls(
            calendar,
            sums.distinct,
            math.fsum(sums.highest) / DRAWS,
            independent_trials(math.fsum(sums.highest_in_taus) / DRAWS, sums.distinct),
            _median(tau),
            _survivors(sharpe, highest),
            published_sr0(sharpe, sums.distinct),
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
    mean = math.fsum(_less(ratios, 0.0)) / count
    variance = math.fsum(map(pow, _less(ratios, mean), repeat(2))) / (count - 1)
    return math.sqrt(variance) * expected_maximum(distinct)


def _less(values: FloatArray, subtrahend: float) -> Iterator[float]:
    """Return differences as Python has them, some at a time: all would take five times their bytes."""
    pieces = (values[first : first + _AT_ONCE] for first in range(0, len(values), _AT_ONCE))
    return chain.from_iterable((piece - subtrahend).tolist() for piece in pieces)


def _median(values: FloatArray) -> float:
    below, above = (len(values) - 1) // 2, len(values) // 2
    ordered = np.partition(values, (below, above))
    return (float(ordered[below]) + float(ordered[above])) / 2


def _survivors(ratios: FloatArray, highest: FloatArray) -> int:
    positive = ratios[ratios > 0]
    higher = DRAWS - np.searchsorted(highest, positive)
    return int(np.count_nonzero((1 + higher) / (DRAWS + 1) <= _SURVIVES))
