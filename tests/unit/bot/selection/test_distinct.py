"""Distinct trials of many parts: the lowest number of equal ones, few digests and parts held at a time."""

import json
import weakref
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from judging import judged, lifetime_of, part_of, trials_of

from bot.selection import distinct, trial_sums
from bot.selection.distinct import DigestedTrials, TrialSet, distinct_trials
from bot.selection.judging import judge
from bot.selection.stored.packed_sums import sums_bytes
from bot.selection.trial_sums import TrialSums

TRIALS, EQUAL, DAYS, PART = 120, 40, 420, 12


def keyed(numbers: Sequence[int], digests: Sequence[int]) -> DigestedTrials:
    """Return trials whose digests are whole numbers, with their number as a figure."""
    column = np.array(numbers, dtype=np.float64)
    # Times an odd number, so that neighbours do not all fall into one share.
    words = np.array([(one * 0x9E3779B97F4A7C15 % 2**64, 0) for one in digests], dtype=np.uint64)
    return DigestedTrials.of(np.array(numbers, dtype=np.int64), words.reshape(-1, 2), column)


@pytest.mark.parametrize("most", [1, 3, 1_000])
def test_lowest_number_of_equal_trials_stays_in_whichever_part_it_is(most: int) -> None:
    parts = [keyed([5, 9, 7], [1, 2, 1]), keyed([], []), keyed([3, 8, 4], [2, 3, 1]), keyed([8], [3])]
    others = [keyed([1], [7]), keyed([], []), keyed([2, 0], [7, 4]), keyed([6], [9])]
    found = list(distinct_trials(lambda: zip(parts, others, strict=True), most=most))
    for kind, numbers in enumerate(([3, 4, 8], [0, 1, 6])):
        shares = [share[kind] for share in found]
        assert sorted(number for share in shares for number in share.numbers.tolist()) == numbers
        assert all(share.figures[:, 0].tolist() == share.numbers.tolist() for share in shares)


def test_no_more_digests_are_compared_at_a_time_than_the_share_asked_for() -> None:
    random = np.random.default_rng(1)
    parts = [
        keyed(range(at, at + 100), random.integers(0, 2**60, 100).tolist()) for at in range(0, 10_000, 100)
    ]
    sizes = [len(share.numbers) for (share,) in distinct_trials(lambda: zip(parts), most=1_000)]
    assert sum(sizes) == 10_000
    assert len(sizes) == 10
    assert max(sizes) < 1_150, sizes


def test_numbers_are_taken_from_a_set_once() -> None:
    numbers = TrialSet()
    for some in ([4, 2], [], [9, 4]):
        numbers.add(np.array(some, dtype=np.int64))
    assert len(numbers) == 3
    assert numbers.has(np.array([2, 3, 2, 100])).tolist() == [True, False, True, False]
    left = numbers.copy()
    assert left.take(np.array([2, 3, 100])).tolist() == [True, False, False]
    assert left.take(np.array([2, 9])).tolist() == [False, True]
    assert (len(left), len(numbers)) == (1, 3)
    assert numbers.numbers.tolist() == [2, 4, 9]
    assert [numbers.below(number) for number in (2, 3, 9, 100)] == [0, 1, 2, 3]
    assert len(TrialSet(np.array([], dtype=np.int64)).numbers) == 0


def test_numbers_of_a_set_are_found_by_their_place() -> None:
    found = np.random.default_rng(5).permutation(200_000)[:150_000]
    numbers, ascending = TrialSet(found), np.sort(found)
    assert np.array_equal(np.concatenate(list(numbers.pieces())), ascending)
    places = (0, 1, 70_000, 149_999)
    assert [numbers.at(place) for place in places] == ascending[list(places)].tolist()
    with pytest.raises(IndexError):
        numbers.at(150_000)


class Loaded(Sequence[TrialSums]):
    """Parts made whenever they are asked for; `most` is how many were in memory at a time."""

    def __init__(self, trials: Any, panel: Any) -> None:
        self._trials, self._panel = trials, panel
        self._alive: list[weakref.ref[Any]] = []
        self.most = 0

    def __len__(self) -> int:
        return TRIALS // PART

    def __getitem__(self, place: Any) -> Any:
        if place >= len(self):
            raise IndexError
        rows = list(range(place * PART, (place + 1) * PART))
        part = TrialSums.of(self._panel, part_of(self._trials, rows))
        self._alive = [one for one in self._alive if one() is not None]
        self._alive.append(weakref.ref(part.rows.sums.squares))
        self.most = max(self.most, len(self._alive))
        return part

    def __iter__(self) -> Iterator[TrialSums]:
        return (self[place] for place in range(len(self)))


@pytest.mark.parametrize("most", [7, 500_000])
def test_report_from_parts_loaded_one_by_one_is_that_of_all_at_once(
    monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    random = np.random.default_rng(2)
    returns = random.normal(0.0003, 0.01, (TRIALS, DAYS))
    returns[EQUAL:] = returns[random.integers(0, EQUAL, TRIALS - EQUAL)]
    trials = trials_of(returns, hold=random.normal(0, 0.01, DAYS))
    panel = judged(trials).panel
    whole = judge(panel, [TrialSums.of(panel, trials)], lifetime_of(DAYS, TRIALS))
    assert whole.distinct == EQUAL
    assert None not in (whole.cash, whole.hold, whole.pbo, whole.cv, whole.walk_forward)
    monkeypatch.setattr(distinct, "MOST_AT_ONCE", most)
    parts = Loaded(trials, panel)
    report = judge(panel, parts, lifetime_of(DAYS, TRIALS))
    assert json.dumps(report.document()) == json.dumps(whole.document())
    assert parts.most <= 3  # one that a loop has ended with, one it goes on from, and the next


@pytest.mark.parametrize("rows", [1, 7, 1_000])
def test_trials_judged_some_rows_at_a_time_are_judged_as_all_at_once(
    monkeypatch: pytest.MonkeyPatch, rows: int
) -> None:
    random = np.random.default_rng(3)
    returns = random.normal(0.0003, 0.01, (EQUAL, DAYS))
    returns[5] = 0.0
    returns[6] = np.nan
    trials = replace(
        trials_of(returns, hold=random.normal(0, 0.01, DAYS)),
        numbers=np.arange(TRIALS)[::-1],
        total_trades=random.integers(0, 20, TRIALS),
        funding_payments=np.full(TRIALS, 400),
        objectives=random.normal(0, 1, TRIALS),
        row_of=random.integers(0, EQUAL, TRIALS),
    )
    panel = judged(trials_of(returns)).panel
    whole = judge(panel, [TrialSums.of(panel, trials)], lifetime_of(DAYS, TRIALS))
    monkeypatch.setattr(trial_sums, "_MOST_RETURNS", rows * DAYS)
    found = judge(panel, [TrialSums.of(panel, trials)], lifetime_of(DAYS, TRIALS))
    assert json.dumps(found.document()) == json.dumps(whole.document())
    assert (found.eligible, found.winner) == (whole.eligible, whole.winner)
    assert 10 < found.distinct < EQUAL


def test_trials_that_name_their_rows_are_judged_as_those_with_rows_of_their_own() -> None:
    random = np.random.default_rng(4)
    returns, holds = random.normal(0.0003, 0.01, (EQUAL, DAYS)), random.normal(0, 0.01, (3, DAYS))
    own, held = random.integers(1, EQUAL, TRIALS), random.integers(0, 3, TRIALS)
    returns[0] = 1e308  # no trial names it
    apart = trials_of(returns[own], hold=holds[held])
    pairs = replace(apart, returns=returns, hold=holds, pairs=(own, held))
    panel = judged(apart).panel
    found = [TrialSums.of(panel, one) for one in (pairs, apart)]
    whole = [judge(panel, [one], lifetime_of(DAYS, TRIALS)) for one in found]
    assert sums_bytes(pairs.numbers, found[0]) == sums_bytes(apart.numbers, found[1])
    assert json.dumps(whole[0].document()) == json.dumps(whole[1].document())
