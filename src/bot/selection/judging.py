"""Judgement of a selection from the sums of its trials: one computation for every place that shows it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from bot.numbers.arrays import BoolArray, IntArray
from bot.selection.cross_validation import CrossValidation, cross_validation
from bot.selection.folds import no_fold
from bot.selection.looks import Lifetime
from bot.selection.luck import LuckSums, first_of_equals
from bot.selection.overfitting import Overfitting, overfitting
from bot.selection.panel import Panel
from bot.selection.ranking import Rows
from bot.selection.report import BenchmarkReport, SelectionReport
from bot.selection.search_luck import SearchLuck
from bot.selection.track_record import TrackRecord
from bot.selection.trial_sums import TrialSums, better
from bot.selection.walk_forward import Fold, walk_forward

_NO_TRIALS = "no eligible trial"
_TWO_TRIALS = "2 distinct eligible trials needed, {held} held"


def judge(panel: Panel, parts: Sequence[TrialSums], lifetime: Lifetime) -> SelectionReport:
    """Return the report on all parts, in whatever order and however the trials were parted.

    There is at least one part. The sequence is gone through several times, one part after the other, so it
    may load them as it is asked.
    """
    return _Judgement(panel, parts, lifetime).report()


@dataclass
class _Judgement:
    panel: Panel
    parts: Sequence[TrialSums]
    lifetime: Lifetime
    missing: dict[str, str] = field(default_factory=dict)

    def report(self) -> SelectionReport:
        best = better([part.best for part in self.parts])
        distinct = _Distinct.of(self.parts)
        return SelectionReport(
            panel=self.panel,
            eligible=distinct.eligible,
            distinct=len(distinct.numbers),
            lifetime=self.lifetime,
            winner=None if best is None else best.number,
            cash=self._benchmark(
                "cash", [part.cash for part in self.parts], None if best is None else best.cash
            ),
            hold=self._benchmark(
                "hold", [part.hold for part in self.parts], None if best is None else best.hold
            ),
            pbo=self._pbo(distinct),
            cv=self._cv(distinct),
            walk_forward=self._folds(),
            missing=self.missing,
        )

    def _benchmark(
        self, name: str, parts: Sequence[LuckSums | None], winner: TrackRecord | None
    ) -> BenchmarkReport | None:
        if self.panel.calendar.unfit:
            self.missing[name] = self.panel.calendar.unfit
            return None
        sums = LuckSums.merged([part for part in parts if part])
        search = SearchLuck.of(self.panel.calendar, sums)
        if search is None:
            self.missing[name] = _NO_TRIALS
            return None
        return BenchmarkReport(search, winner, self.lifetime)

    def _pbo(self, distinct: "_Distinct") -> Overfitting | None:
        held, blocks = len(distinct.numbers), self.panel.blocks
        if blocks.too_short or held < 2:
            self.missing["pbo"] = blocks.too_short or _TWO_TRIALS.format(held=held)
            return None
        return overfitting(distinct, self.panel.ranking, blocks, self.panel.segments)

    def _cv(self, distinct: "_Distinct") -> CrossValidation | None:
        blocks = self.panel.blocks
        if blocks.too_short or not len(distinct.numbers):
            self.missing["cv"] = blocks.too_short or _NO_TRIALS
            return None
        return cross_validation(distinct, self.panel.ranking, blocks, self.panel.segments)

    def _folds(self) -> list[Fold] | None:
        if not self.panel.folds:
            self.missing["walk_forward"] = no_fold(self.panel.calendar.days, self.panel.settings.walk_forward)
            return None
        rows = (part.rows for part in self.parts)
        return walk_forward(rows, self.panel.ranking, self.panel.folds, self.panel.segments)


@dataclass(frozen=True)
class _Distinct:
    """Distinct eligible trials of all parts, by ascending number; iterates over those of each part."""

    parts: Sequence[TrialSums]
    numbers: IntArray
    eligible: int

    @classmethod
    def of(cls, parts: Sequence[TrialSums]) -> "_Distinct":
        numbers = np.concatenate([part.distinct for part in parts])
        digests = [digest for part in parts for digest in part.digests]
        eligible = np.unique(np.concatenate([part.eligible for part in parts]))
        return cls(parts, numbers[first_of_equals(numbers, digests)], len(eligible))

    def __iter__(self) -> Iterator[Rows]:
        left: BoolArray = np.ones(len(self.numbers), dtype=bool)
        for part in self.parts:
            rows = part.rows
            numbers, firsts = np.unique(rows.numbers, return_index=True)
            kept = firsts[np.isin(numbers, self.numbers[left])]
            left &= ~np.isin(self.numbers, rows.numbers[kept])
            yield rows if len(kept) == len(rows.numbers) else rows.at(kept)
