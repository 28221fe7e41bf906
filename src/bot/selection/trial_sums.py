"""Sums that judge trials, of any part of them: parts merge in any order."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple, Self

import numpy as np

from bot.numbers.arrays import BoolArray, FloatArray, IntArray
from bot.numbers.numbering import occurring
from bot.selection.choices import Choices
from bot.selection.days.calendar import Calendar
from bot.selection.days.digests import Digests, first_of_equals
from bot.selection.days.ranking import BY_MATRICES, Comparing, Rows
from bot.selection.days.segments import NO_PIECES
from bot.selection.days.whole_returns import whole_returns
from bot.selection.luck import LuckSums
from bot.selection.panel import Panel
from bot.selection.return_sums import PLAIN, Arithmetic, ReturnRows, ReturnSums
from bot.selection.sharpe import PowerSums
from bot.selection.track.track_record import TrackRecord

NO_OBJECTIVE = int(np.iinfo(np.int64).min)
"""Objective in whole units of a trial that has none."""

_FEW_ROWS = 300
"""Rows up to which sums are not worth being condensed: that takes some ms, however few they are."""

_MOST_RETURNS = 500_000
"""Daily returns of different rows that are judged at a time: up to 4 MB of sums."""


@dataclass(frozen=True, slots=True, eq=False)
class TrialReturns:
    """Completed trials by number: daily returns and those of their hold baselines (rows x days).

    Trials have pairs of rows: `pairs` are the places of both rows of each, without them pair i is row i of
    both. Trial i has the pair `row_of[i]`; without `row_of`, pair i. A NaN marks a broken trial or baseline.
    `objectives` are better the higher they are: floats, NaN where undefined, or whole units, `NO_OBJECTIVE`
    where undefined, which are compared exactly.
    """

    numbers: IntArray
    returns: FloatArray
    hold: FloatArray
    total_trades: IntArray
    funding_payments: IntArray
    objectives: FloatArray | IntArray
    row_of: IntArray | None = None
    pairs: tuple[IntArray, IntArray] | None = None

    def at(self, trials: IntArray) -> Self:
        """Return some of the trials; their rows stay where they are."""
        return replace(
            self,
            numbers=self.numbers[trials],
            total_trades=self.total_trades[trials],
            funding_payments=self.funding_payments[trials],
            objectives=self.objectives[trials],
            row_of=trials if self.row_of is None else self.row_of[trials],
        )

    def rows(self, pairs: IntArray) -> tuple[ReturnRows, ReturnRows]:
        """Return the rows of some pairs, and those less the ones of hold."""
        own, held = (pairs, pairs) if self.pairs is None else (places[pairs] for places in self.pairs)
        return ReturnRows(self.returns, own), ReturnRows(self.returns, own, self.hold, held)

    @property
    def defined(self) -> BoolArray:
        """Mask of the trials that have an objective."""
        own = self.objectives
        return np.asarray(own != NO_OBJECTIVE if own.dtype.kind == "i" else ~np.isnan(own))


@dataclass(frozen=True, slots=True)
class Candidate:
    """The best eligible trial so far, and its track records: `cash` of itself, `hold` of its lead."""

    number: int
    objective: float | int
    cash: TrackRecord | None
    hold: TrackRecord | None


@dataclass(frozen=True, slots=True, eq=False)
class TrialSums:
    """Sums of some trials of a panel; `rows` are of those with statistics, of equal ones the lowest number.

    `distinct` are the eligible of them, of equal ones the lowest number, and `digests` tell them apart; each
    has its row, before the sums were `condensed`, and its sums over the blocks in `blocks`.
    `cash` and `hold` are None where the days are too few weeks; `eligible` are the numbers of all eligible.
    """

    rows: Rows
    blocks: Rows
    eligible: IntArray
    distinct: IntArray
    digests: Digests
    cash: LuckSums | None
    hold: LuckSums | None
    best: Candidate | None

    @classmethod
    def of(cls, panel: Panel, trials: TrialReturns, arithmetic: Arithmetic = PLAIN) -> Self:
        """Return the sums of some trials, which `arithmetic` works out.

        Raises ValueError for returns of another number of days than the panel's.
        """
        if trials.returns.shape[1] != panel.calendar.days:
            raise ValueError(f"{trials.returns.shape[1]} days of returns in a panel of {panel.calendar.days}")
        first, place = arithmetic.equal_rows(trials.returns, trials.hold, trials.pairs)
        if trials.row_of is not None:
            place = place[trials.row_of]
        most = max(1, _MOST_RETURNS // max(panel.calendar.days, 1))
        parts = []
        for row in range(0, max(len(first), 1), most):
            mine = np.flatnonzero((place >= row) & (place < row + most))
            rows = first[row : row + most]
            parts.append(cls._of_rows(panel, trials.at(mine), rows, place[mine] - row, arithmetic))
        return parts[0] if len(parts) == 1 else cls.merged(parts)

    @classmethod
    def _of_rows(
        cls, panel: Panel, trials: TrialReturns, first: IntArray, place: IntArray, arithmetic: Arithmetic
    ) -> Self:
        """Return the sums of trials with the pairs of rows `first`, each the one at its `place`."""
        calendar, (rows, leads) = panel.calendar, trials.rows(first)
        own = arithmetic.sums(calendar, panel.segments, rows)
        eligible = _eligible(panel, trials, own.usable[place])
        numbers, asked = _lowest(trials.numbers, place, eligible, len(first))
        cash = _Judged.of(calendar, numbers, rows, own, asked, arithmetic)
        leads = leads.at(asked)
        lead = arithmetic.sums(calendar, NO_PIECES, leads)
        hold = _Judged.of(calendar, numbers[asked], leads, lead, np.flatnonzero(lead.usable), arithmetic)
        every, usable = _lowest(trials.numbers, place, own.usable[place], len(first))
        chosen = np.concatenate([cash.distinct, usable[first_of_equals(every[usable], own.digests[usable])]])
        named = np.concatenate([numbers[cash.distinct], every[chosen[len(cash.distinct) :]]])
        named, kept = np.unique(named, return_index=True)
        of_days = Rows(named, own.exponents[chosen[kept]], own.segments.at(chosen[kept]))
        best = _best(trials, eligible)
        return cls(
            of_days,
            _over_blocks(panel, of_days.at(np.searchsorted(named, numbers[cash.distinct]))),
            trials.numbers[eligible],
            numbers[cash.distinct],
            own.digests[cash.distinct],
            cash.luck,
            hold.luck,
            None
            if best is None
            else Candidate(
                int(trials.numbers[best]),
                trials.objectives[best].item(),
                cash.record(calendar, place[best]),
                hold.record(calendar, np.searchsorted(asked, place[best])),
            ),
        )

    @classmethod
    def merged(cls, parts: Sequence[Self]) -> Self:
        """Return the sums of all parts; a trial that is in several of them counts once."""
        numbers = np.concatenate([part.distinct for part in parts])
        digests = np.concatenate([part.digests for part in parts])
        distinct = first_of_equals(numbers, digests)
        blocks = _merged_rows([part.blocks for part in parts])
        return cls(
            _merged_rows([part.rows for part in parts]),
            blocks.at(np.flatnonzero(np.isin(blocks.numbers, numbers[distinct]))),
            occurring(np.concatenate([part.eligible for part in parts])),
            numbers[distinct],
            digests[distinct],
            _merged_luck([part.cash for part in parts]),
            _merged_luck([part.hold for part in parts]),
            better([part.best for part in parts]),
        )

    def condensed(self, panel: Panel, few: int = _FEW_ROWS, comparing: Comparing = BY_MATRICES) -> Self:
        """Return the sums with the rows alone of trials that are the best of their part somewhere.

        A judgement chooses no others, and ranks trials by their blocks. Of thousands of rows some dozen are
        left; as `few` as that stay.
        """
        if len(self.rows.numbers) <= few:
            return self
        chosen = Choices(panel, comparing).take(self.rows, self.distinct).numbers
        return replace(self, rows=self.rows.at(np.flatnonzero(np.isin(self.rows.numbers, chosen))))


def better(candidates: Sequence[Candidate | None]) -> Candidate | None:
    """Return the candidate with the best objective, ties to the lowest number."""
    found = [one for one in candidates if one]
    return max(found, key=lambda one: (one.objective, -one.number), default=None)


def _eligible(panel: Panel, trials: TrialReturns, usable: BoolArray) -> BoolArray:
    settings = panel.settings
    enough = (trials.total_trades >= settings.min_trades) & (
        trials.funding_payments >= settings.min_settlements
    )
    return np.asarray(enough & usable)


def _lowest(numbers: IntArray, place: IntArray, asked: BoolArray, count: int) -> tuple[IntArray, IntArray]:
    """Return the lowest number in `asked` of the trials at each of `count` places, and where there is one."""
    nobody = np.iinfo(np.int64).max
    lowest = np.full(count, nobody)
    np.minimum.at(lowest, place[asked], numbers[asked])
    return lowest, np.flatnonzero(lowest < nobody)


def _best(trials: TrialReturns, eligible: BoolArray) -> int | None:
    """Return the place of the eligible trial with the best objective, of several the one of lowest number."""
    found = np.flatnonzero(eligible & trials.defined)
    if not len(found):
        return None
    best = found[trials.objectives[found] == trials.objectives[found].max()]
    return int(best[trials.numbers[best].argmin()])


class _Judged(NamedTuple):
    """Rows with their sums, which of them are those of different trials, and the luck of these."""

    rows: ReturnRows
    sums: ReturnSums
    distinct: IntArray
    luck: LuckSums | None

    @classmethod
    def of(
        cls,
        calendar: Calendar,
        numbers: IntArray,
        rows: ReturnRows,
        sums: ReturnSums,
        asked: IntArray,
        arithmetic: Arithmetic,
    ) -> Self:
        """Judge the trials at the rows `asked` against one benchmark, of equal ones the lowest number."""
        distinct = asked[first_of_equals(numbers[asked], sums.digests[asked])]
        return cls(rows, sums, distinct, LuckSums.of(calendar, numbers, sums, distinct, arithmetic.shifts))

    def record(self, calendar: Calendar, row: np.integer) -> TrackRecord | None:
        """Return the track record of the trial at one of the rows."""
        if self.luck is None:
            return None
        alike = (self.luck.digests == self.sums.digests[row]).all(axis=1)
        tau = float(self.luck.tau[alike.argmax()]) if alike.any() else math.nan
        own = whole_returns(self.rows.part(slice(row, row + 1)))
        return TrackRecord.of(PowerSums.of(own.values[0, calendar.sample_start :]), tau)


def _over_blocks(panel: Panel, rows: Rows) -> Rows:
    """Return trials with sums over the blocks of the days, none where these are too short."""
    if panel.blocks.too_short:
        rows = rows.at(slice(0))
    return rows.grouped(panel.block_windows)


def _merged_rows(parts: Sequence[Rows]) -> Rows:
    joined = Rows.joined(parts)
    if np.all(joined.numbers[1:] > joined.numbers[:-1]):
        return joined
    _, first = np.unique(joined.numbers, return_index=True)
    return joined.at(first)


def _merged_luck(parts: Sequence[LuckSums | None]) -> LuckSums | None:
    found = [part for part in parts if part]
    return LuckSums.merged(found) if found else None
