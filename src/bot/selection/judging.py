"""Judgement of a selection from the sums of its trials: one computation for every place that shows it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from bot.selection.choices import Choices
from bot.selection.cross_validation import CrossValidation
from bot.selection.days.ranking import BY_MATRICES, Comparing, Rows
from bot.selection.distinct import DigestedTrials, Kinds, TrialSet, distinct_trials
from bot.selection.folds import no_fold
from bot.selection.looks import Lifetime
from bot.selection.overfitting import Overfitting
from bot.selection.panel import Panel
from bot.selection.report import BenchmarkReport, SelectionReport
from bot.selection.search_luck import SearchLuck, SearchSums
from bot.selection.track.track_record import TrackRecord
from bot.selection.trial_sums import Candidate, TrialSums, better
from bot.selection.walk_forward import Fold

_NO_TRIALS = "no eligible trial"
_STILL = {
    "cash": "no eligible trial moved in the newest whole weeks",
    "hold": "no eligible trial earned other than holding did in the newest whole weeks",
}
_STILL_BLOCKS = "no trial moves on a day of the blocks"
_TWO_TRIALS = "2 distinct eligible trials needed, {held} held"
_PARTS = ("cash", "hold", "pbo", "cv", "walk_forward")


@dataclass(frozen=True, slots=True)
class JudgedSearch:
    """Report on a search, its eligible trials, and the best of them."""

    report: SelectionReport
    eligible: TrialSet
    best: Candidate | None


def judge(
    panel: Panel, parts: Sequence[TrialSums], lifetime: Lifetime, comparing: Comparing = BY_MATRICES
) -> SelectionReport:
    """Return the report alone of `judged_search`."""
    return judged_search(panel, parts, lifetime, comparing).report


def judged_search(
    panel: Panel, parts: Sequence[TrialSums], lifetime: Lifetime, comparing: Comparing = BY_MATRICES
) -> JudgedSearch:
    """Return the report on all parts, in whatever order and however the trials were parted.

    There is at least one part, `condensed` or not. The sequence is gone through twice, and more often
    with more than `MOST_AT_ONCE` distinct trials, one part after the other, so it may load them as it is
    asked. Beside a part, some 100 bytes of as many trials are held at a time, and 35 bytes of each of all.
    """
    facts = _Facts.of(parts, Choices(panel, comparing))
    report = _Judgement(panel, parts, facts, lifetime).report()
    return JudgedSearch(report, facts.eligible, facts.best)


@dataclass
class _Judgement:
    panel: Panel
    parts: Sequence[TrialSums]
    facts: "_Facts"
    lifetime: Lifetime
    missing: dict[str, str] = field(default_factory=dict)

    def report(self) -> SelectionReport:
        facts, best, choices = self.facts, self.facts.best, self.facts.choices
        cash = self._benchmark("cash", facts.cash, None if best is None else best.cash)
        hold = self._benchmark("hold", facts.hold, None if best is None else best.hold)
        pbo, cv, walk_forward = self._pbo(choices), self._cv(choices), self._folds(choices)
        return SelectionReport(
            panel=self.panel,
            eligible=len(facts.eligible),
            distinct=len(facts.distinct),
            lifetime=self.lifetime,
            winner=None if best is None else best.number,
            cash=cash,
            hold=hold,
            pbo=pbo,
            cv=cv,
            walk_forward=walk_forward,
            missing={name: self.missing[name] for name in _PARTS if name in self.missing},
        )

    def _benchmark(self, name: str, sums: SearchSums, winner: TrackRecord | None) -> BenchmarkReport | None:
        if self.panel.calendar.unfit:
            self.missing[name] = self.panel.calendar.unfit
            return None
        search = SearchLuck.of(self.panel.calendar, sums)
        if search is None:
            self.missing[name] = _STILL[name] if len(self.facts.eligible) else _NO_TRIALS
            return None
        return BenchmarkReport(search, winner, self.lifetime)

    def _pbo(self, choices: Choices) -> Overfitting | None:
        held = len(self.facts.distinct)
        if choices.halves is None or held < 2:
            self.missing["pbo"] = self.panel.blocks.too_short or _TWO_TRIALS.format(held=held)
            return None
        outside = choices.halves.outside(held)
        if outside is None:
            self.missing["pbo"] = _STILL_BLOCKS
            return None
        for blocks in self.facts.blocks_of(self.parts):
            outside.take(blocks)
        return outside.judged()

    def _cv(self, choices: Choices) -> CrossValidation | None:
        if choices.splits is None or not len(self.facts.distinct):
            self.missing["cv"] = self.panel.blocks.too_short or _NO_TRIALS
            return None
        return choices.splits.judged()

    def _folds(self, choices: Choices) -> list[Fold] | None:
        if choices.folds is None:
            self.missing["walk_forward"] = no_fold(self.panel.calendar.days, self.panel.settings.walk_forward)
            return None
        return choices.folds.folds()


@dataclass
class _Facts:
    """Eligible and distinct trials of all parts, the best of all, the chosen ones, and sums by benchmark."""

    choices: Choices
    eligible: TrialSet = field(default_factory=TrialSet)
    distinct: TrialSet = field(default_factory=TrialSet)
    best: Candidate | None = None
    cash: SearchSums = field(default_factory=SearchSums)
    hold: SearchSums = field(default_factory=SearchSums)
    _new: bool = True

    @classmethod
    def of(cls, parts: Sequence[TrialSums], choices: Choices) -> "_Facts":
        """Return the facts of all parts, of which trials compete in `choices`."""
        found = cls(choices)
        for distinct, cash, hold in distinct_trials(lambda: found._kinds(parts)):
            found.distinct.add(distinct.numbers)
            found.cash.add(cash)
            found.hold.add(hold)
        return found

    def _kinds(self, parts: Sequence[TrialSums]) -> Iterator[Kinds]:
        """Yield the distinct trials of each part by themselves and by benchmark; take the rest once."""
        new, self._new = self._new, False
        for part in parts:
            if new:
                self.eligible.add(part.eligible)
                self.best = better([self.best, part.best])
                self.choices.take(part.rows, part.distinct)
            own = DigestedTrials.of(part.distinct, part.digests)
            yield own, self.cash.take(part.cash), self.hold.take(part.hold)

    def blocks_of(self, parts: Sequence[TrialSums]) -> Iterator[Rows]:
        """Yield the sums over the blocks of the distinct trials of each part that no part before had."""
        left = self.distinct.copy()
        for part in parts:
            yield part.blocks.at(np.flatnonzero(left.take(part.blocks.numbers)))
