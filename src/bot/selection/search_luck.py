"""Judgement of a whole search against one benchmark: the luck of its best trial, from merged sums."""

import math
import statistics
from dataclasses import dataclass
from functools import cached_property
from typing import Any

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
    """Luck of a search of distinct trials; Sharpe ratios are daily."""

    calendar: Calendar
    sums: LuckSums

    @property
    def distinct(self) -> int:
        """Distinct eligible trials M."""
        return len(self.sums.numbers)

    @property
    def defined(self) -> bool:
        """True if any trial has a Sharpe ratio."""
        return bool((self.sums.tau > 0).any())

    @cached_property
    def luck(self) -> float:
        """Best Sharpe ratio expected without skill."""
        return math.fsum(self.sums.highest) / DRAWS

    @property
    def luck_95(self) -> float:
        """Sharpe ratio that luck alone exceeds in one search of twenty."""
        return float(np.sort(self.sums.highest)[_PLACE_OF_95 - 1])

    @cached_property
    def independent(self) -> float:
        """Independent trials N_eff that the search is worth."""
        return independent_trials(math.fsum(self.sums.highest_in_taus) / DRAWS, self.distinct)

    @cached_property
    def median_tau(self) -> float:
        """Median of the trials' bootstrap deviations."""
        defined: list[float] = self.sums.tau[~np.isnan(self.sums.tau)].tolist()
        return statistics.median(defined)

    @property
    def survivors(self) -> int:
        """Trials whose Sharpe ratio luck shows in at most one search of twenty."""
        positive = self.sums.sharpe[self.sums.sharpe > 0]
        higher = DRAWS - np.searchsorted(self._ascending, positive)
        return int(np.count_nonzero((1 + higher) / (DRAWS + 1) <= _SURVIVES))

    @property
    def published_sr0(self) -> float | None:
        """Benchmark of the deflated Sharpe ratio as published, None below two trials.

        Source: Bailey, Lopez de Prado (2014); it takes true differences between trials for luck.
        """
        ratios = self.sums.sharpe[~np.isnan(self.sums.sharpe)].tolist()
        if len(ratios) < 2:
            return None
        mean = math.fsum(ratios) / len(ratios)
        variance = math.fsum((one - mean) ** 2 for one in ratios) / (len(ratios) - 1)
        return math.sqrt(variance) * expected_maximum(self.distinct)

    def p_luck(self, sharpe: float) -> float:
        """Return the chance that a search like this shows such a Sharpe ratio somewhere, without skill.

        Source: White (2000); it holds for whichever trial is picked.
        """
        if sharpe <= 0:
            return 1.0
        below = int(np.searchsorted(self._ascending, sharpe))
        return (1 + DRAWS - below) / (DRAWS + 1)

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

    @cached_property
    def _ascending(self) -> FloatArray:
        return np.sort(self.sums.highest)
