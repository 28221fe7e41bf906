"""Sums that judge trials, of any part of them: parts merge in any order."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from bot.numbers.arrays import BoolArray, FloatArray, IntArray
from bot.numbers.numbering import occurring
from bot.selection.choices import Choices
from bot.selection.days.digests import Digests, first_of_equals
from bot.selection.days.equal_rows import equal_rows
from bot.selection.days.segments import SegmentSums
from bot.selection.days.whole_returns import WholeReturns, whole_parts
from bot.selection.luck import LuckSums
from bot.selection.panel import Panel
from bot.selection.ranking import Rows
from bot.selection.sharpe import PowerSums
from bot.selection.track.track_record import TrackRecord
from bot.selection.week_shifts import Shifting, drawn_shifts

NO_OBJECTIVE = int(np.iinfo(np.int64).min)
"""Objective in whole units of a trial that has none."""

_FEW_ROWS = 300
"""Rows up to which sums are not worth being condensed: that takes some ms, however few they are."""

_MOST_RETURNS = 125_000
"""Daily returns of different rows that are judged at a time: 1 MB for each of some ten copies of them."""


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

    def whole(self, pairs: IntArray) -> tuple[WholeReturns, WholeReturns]:
        """Return the returns of some pairs of rows as whole numbers, and those less the ones of hold."""
        own, held = (pairs, pairs) if self.pairs is None else (places[pairs] for places in self.pairs)
        count, days = len(pairs), self.returns.shape[1]
        return (
            whole_parts(count, days, lambda some: self.returns[own[some]]),
            whole_parts(count, days, lambda some: self.returns[own[some]] - self.hold[held[some]]),
        )

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
    def of(cls, panel: Panel, trials: TrialReturns, shifting: Shifting = drawn_shifts) -> Self:
        """Return the sums of some trials; `shifting` works out the shifts of their Sharpe ratios.

        Raises ValueError for returns of another number of days than the panel's.
        """
        if trials.returns.shape[1] != panel.calendar.days:
            raise ValueError(f"{trials.returns.shape[1]} days of returns in a panel of {panel.calendar.days}")
        first, place = equal_rows(trials.returns, trials.hold, trials.pairs)
        if trials.row_of is not None:
            place = place[trials.row_of]
        most = max(1, _MOST_RETURNS // max(panel.calendar.days, 1))
        parts = []
        for row in range(0, max(len(first), 1), most):
            mine = np.flatnonzero((place >= row) & (place < row + most))
            rows = first[row : row + most]
            parts.append(cls._of_rows(panel, trials.at(mine), rows, place[mine] - row, shifting))
        return parts[0] if len(parts) == 1 else cls.merged(parts)

    @classmethod
    def _of_rows(
        cls, panel: Panel, trials: TrialReturns, first: IntArray, place: IntArray, shifting: Shifting
    ) -> Self:
        """Return the sums of trials with the pairs of rows `first`, each the one at its `place`."""
        own, lead = trials.whole(first)
        eligible = _eligible(panel, trials, own.usable[place])
        numbers, asked = _lowest(trials.numbers, place, eligible, len(first))
        distinct, digests = _distinct(numbers, own, asked)
        judged = panel.calendar.unfit is None
        cash = LuckSums.of(panel.calendar, numbers, own, asked, shifting) if judged else None
        hold = LuckSums.of(panel.calendar, numbers, lead, asked, shifting) if judged else None
        every, usable = _lowest(trials.numbers, place, own.usable[place], len(first))
        others, _ = _distinct(every, own, usable)
        rows = np.concatenate([distinct, others])
        named, kept = np.unique(np.concatenate([numbers[distinct], every[others]]), return_index=True)
        of_days = Rows(named, own.exponents[rows[kept]], panel.segments.sums(own.values[rows[kept]]))
        return cls(
            of_days,
            _over_blocks(panel, of_days.at(np.searchsorted(named, numbers[distinct]))),
            trials.numbers[eligible],
            numbers[distinct],
            digests,
            cash,
            hold,
            _best(panel, trials, eligible, place, (own, cash), (lead, hold)),
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

    def condensed(self, panel: Panel, few: int = _FEW_ROWS) -> Self:
        """Return the sums with the rows alone of trials that are the best of their part somewhere.

        A judgement chooses no others, and ranks trials by their blocks. Of thousands of rows some dozen are
        left; as `few` as that stay.
        """
        if len(self.rows.numbers) <= few:
            return self
        chosen = Choices(panel).take(self.rows, self.distinct).numbers
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


def _lowest(numbers: IntArray, place: IntArray, asked: BoolArray, count: int) -> tuple[IntArray, BoolArray]:
    """Return the lowest number in `asked` of the trials at each of `count` places, and where there is one."""
    nobody = np.iinfo(np.int64).max
    lowest = np.full(count, nobody)
    np.minimum.at(lowest, place[asked], numbers[asked])
    return lowest, lowest < nobody


def _distinct(numbers: IntArray, own: WholeReturns, asked: BoolArray) -> tuple[IntArray, Digests]:
    """Return the rows of the trials in `asked`, of equal ones the lowest number, and their digests."""
    rows = np.flatnonzero(asked)
    digests = own.digests(rows)
    firsts = first_of_equals(numbers[rows], digests)
    return rows[firsts], digests[firsts]


def _best(
    panel: Panel,
    trials: TrialReturns,
    eligible: BoolArray,
    place: IntArray,
    *benchmarks: tuple[WholeReturns, LuckSums | None],
) -> Candidate | None:
    rows = np.flatnonzero(eligible & trials.defined)
    if not len(rows):
        return None
    best = rows[trials.objectives[rows] == trials.objectives[rows].max()]
    row = int(best[trials.numbers[best].argmin()])
    records = [_record(panel, int(place[row]), *one) for one in benchmarks]
    return Candidate(int(trials.numbers[row]), trials.objectives[row].item(), records[0], records[1])


def _record(panel: Panel, row: int, returns: WholeReturns, luck: LuckSums | None) -> TrackRecord | None:
    if luck is None:
        return None
    alike = (luck.digests == returns.digests(np.array([row]))).all(axis=1)
    tau = float(luck.tau[alike.argmax()]) if alike.any() else math.nan
    return TrackRecord.of(PowerSums.of(returns.values[row, panel.calendar.sample_start :]), tau)


def _over_blocks(panel: Panel, rows: Rows) -> Rows:
    """Return trials with sums over the blocks of the days, none where these are too short."""
    if panel.blocks.too_short:
        rows = rows.at(slice(0))
    return rows.grouped(panel.block_windows)


def _merged_rows(parts: Sequence[Rows]) -> Rows:
    joined = Rows(
        np.concatenate([part.numbers for part in parts]),
        np.concatenate([part.exponents for part in parts]),
        SegmentSums.joined([part.sums for part in parts]),
    )
    if np.all(joined.numbers[1:] > joined.numbers[:-1]):
        return joined
    _, first = np.unique(joined.numbers, return_index=True)
    return joined.at(first)


def _merged_luck(parts: Sequence[LuckSums | None]) -> LuckSums | None:
    found = [part for part in parts if part]
    return LuckSums.merged(found) if found else None
