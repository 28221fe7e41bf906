"""Judgement of a selection from the sums of its trials: one computation for every place that shows it."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from bot.selection.cross_validation import CrossValidation, cross_validation
from bot.selection.distinct import Keyed, TrialSet, distinct_trials
from bot.selection.folds import no_fold
from bot.selection.looks import Lifetime
from bot.selection.luck import LuckSums
from bot.selection.overfitting import Overfitting, overfitting
from bot.selection.panel import Panel
from bot.selection.ranking import Rows
from bot.selection.report import BenchmarkReport, SelectionReport
from bot.selection.search_luck import SearchLuck, SearchSums
from bot.selection.track.track_record import TrackRecord
from bot.selection.trial_sums import Candidate, TrialSums, better
from bot.selection.walk_forward import Fold, walk_forward

_NO_TRIALS = "no eligible trial"
_STILL_BLOCKS = "no trial moves on a day of the blocks"
_TWO_TRIALS = "2 distinct eligible trials needed, {held} held"


def judge(panel: Panel, parts: Sequence[TrialSums], lifetime: Lifetime) -> SelectionReport:
    """Return the report on all parts, in whatever order and however the trials were parted.

    There is at least one part. The sequence is gone through several times, one part after the other, so it
    may load them as it is asked. Beside a part, some 40 bytes of `MOST_AT_ONCE` trials are held at a time,
    and 17 bytes of each of all.
    """
    return _Judgement(panel, parts, lifetime).report()


@dataclass
class _Judgement:
    panel: Panel
    parts: Sequence[TrialSums]
    lifetime: Lifetime
    missing: dict[str, str] = field(default_factory=dict)

    def report(self) -> SelectionReport:
        distinct = _Distinct.of(self.parts)
        best = distinct.best
        return SelectionReport(
            panel=self.panel,
            eligible=distinct.eligible,
            distinct=distinct.count,
            lifetime=self.lifetime,
            winner=None if best is None else best.number,
            cash=self._benchmark("cash", lambda part: part.cash, None if best is None else best.cash),
            hold=self._benchmark("hold", lambda part: part.hold, None if best is None else best.hold),
            pbo=self._pbo(distinct),
            cv=self._cv(distinct),
            walk_forward=self._folds(),
            missing=self.missing,
        )

    def _benchmark(
        self, name: str, luck_of: Callable[[TrialSums], LuckSums | None], winner: TrackRecord | None
    ) -> BenchmarkReport | None:
        if self.panel.calendar.unfit:
            self.missing[name] = self.panel.calendar.unfit
            return None
        search = SearchLuck.of(self.panel.calendar, SearchSums.of(_Luck(self.parts, luck_of)))
        if search is None:
            self.missing[name] = _NO_TRIALS
            return None
        return BenchmarkReport(search, winner, self.lifetime)

    def _pbo(self, distinct: "_Distinct") -> Overfitting | None:
        held, blocks = distinct.count, self.panel.blocks
        if blocks.too_short or held < 2:
            self.missing["pbo"] = blocks.too_short or _TWO_TRIALS.format(held=held)
            return None
        found = overfitting(distinct, self.panel.ranking, blocks, self.panel.segments)
        if found is None:
            self.missing["pbo"] = _STILL_BLOCKS
        return found

    def _cv(self, distinct: "_Distinct") -> CrossValidation | None:
        blocks = self.panel.blocks
        if blocks.too_short or not distinct.count:
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
class _Luck:
    """Sums of each part against one benchmark; iterates over the parts as often as it is asked."""

    parts: Sequence[TrialSums]
    luck_of: Callable[[TrialSums], LuckSums | None]

    def __iter__(self) -> Iterator[LuckSums]:
        return (luck for part in self.parts if (luck := self.luck_of(part)) is not None)


@dataclass(frozen=True)
class _Distinct:
    """Distinct eligible trials of all parts, and the best of all; iterates over those of each part."""

    parts: Sequence[TrialSums]
    numbers: TrialSet
    count: int
    eligible: int
    best: Candidate | None

    @classmethod
    def of(cls, parts: Sequence[TrialSums]) -> "_Distinct":
        eligible, numbers, total = TrialSet(), TrialSet(), 0
        best: Candidate | None = None
        for part in parts:
            eligible.add(part.eligible)
            best = better([best, part.best])
            total += len(part.distinct)
        for share in distinct_trials(lambda: (Keyed.of(one.distinct, one.digests) for one in parts), total):
            numbers.add(share.numbers)
        return cls(parts, numbers, len(numbers), len(eligible), best)

    def __iter__(self) -> Iterator[Rows]:
        left = self.numbers.copy()
        for part in self.parts:
            rows = part.rows
            numbers, firsts = np.unique(rows.numbers, return_index=True)
            kept = firsts[left.take(numbers)]
            yield rows if len(kept) == len(rows.numbers) else rows.at(kept)
