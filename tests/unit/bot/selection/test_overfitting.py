"""Overfitting, cross-validation and walk-forward: known cases, and plain loops over days."""

import statistics
from fractions import Fraction
from itertools import combinations

import numpy as np
import pytest
from judging import judged, trials_of

from bot.selection.days.blocks import Blocks
from bot.selection.days.ranking import Ranking, Rows
from bot.selection.days.segments import Segments
from bot.selection.days.whole_returns import whole_returns
from bot.selection.folds import FoldDays, folds_of
from bot.selection.overfitting import HalvesInSample, Overfitting
from bot.selection.settings import ValidationSettings, WalkForwardSettings
from bot.selection.walk_forward import Fold, changes, efficiency

Days = list[list[int]]


def overfitting_of(returns: Days, count: int, by_money: bool = False) -> Overfitting | None:
    """Return the overfitting of trials of whole returns in some number of blocks."""
    whole = whole_returns(np.array(returns, dtype=float))
    blocks = Blocks(len(returns[0]), count, 1, 0, 0)
    segments = Segments.of(blocks.days, blocks.edges)
    rows = Rows(np.arange(len(returns)), whole.exponents, segments.sums(whole.values))
    halves = HalvesInSample(Ranking(by_money), blocks, segments.blocks(blocks))
    halves.take(rows)
    outside = halves.outside(len(returns))
    if outside is None:
        return None
    outside.take(rows.grouped(segments.blocks(blocks)))
    return outside.judged()


def key_by_hand(values: list[int]) -> Fraction:
    """Return the key of some days, far below all others where all are zero."""
    total, squares = sum(values), sum(one * one for one in values)
    return Fraction(total * abs(total), squares) if squares else Fraction(-(10**12))


def drawn_returns(trials: int, days: int) -> Days:
    drawn: Days = np.random.default_rng(8).integers(-1000, 1050, size=(trials, days)).tolist()
    return drawn


def test_a_trial_without_days_in_a_half_ranks_last_there() -> None:
    found = overfitting_of([[1] * 14 + [0] * 14, [0] * 14 + [1, 2] * 7, [-1, 1] * 14], 2)
    assert found is not None
    assert found.ranks == (2, 2)
    assert (found.pbo, found.document()["loss_share"]) == (1.0, 0.0)


def test_the_best_of_ten_out_of_sample_has_ten_elevenths() -> None:
    levels = [[level + (day % 2) * 10 for day in range(28)] for level in range(-5, 5)]
    found = overfitting_of(levels, 2)
    assert found is not None
    assert found.document()["median_omega"] == 10 / 11
    assert found.picked == (9, 9)


def test_halves_with_nothing_in_sample_are_left_out() -> None:
    found = overfitting_of([[0] * 14 + [1, 2] * 7, [0] * 14 + [2, 1] * 7], 2)
    assert found is not None
    assert found.picked == (0,)
    assert found.ranks == (3,)


def test_blocks_leave_a_remainder_of_the_oldest_days_out() -> None:
    blocks = Blocks(1826, 12, 2, 7, 7)
    assert (blocks.length, blocks.start) == (152, 2)
    assert blocks.span(11) == (1674, 1826)


@pytest.mark.parametrize("by_money", [False, True])
def test_overfitting_equals_plain_loops_over_days(by_money: bool) -> None:
    returns = drawn_returns(7, 45)
    returns[4] = [2 * one for one in returns[2]]
    found = overfitting_of(returns, 6, by_money)
    ranks, picked = [], []
    for half in combinations(range(6), 3):
        inside = [3 + 7 * block + day for block in half for day in range(7)]
        outside = sorted(set(range(3, 45)) - set(inside))
        key = (lambda values: Fraction(sum(values))) if by_money else key_by_hand
        keys = [key([own[day] for day in inside]) for own in returns]
        best = keys.index(max(keys))
        later = [key([own[day] for day in outside]) for own in returns]
        ranks.append(2 * sum(one < later[best] for one in later) + later.count(later[best]) + 1)
        picked.append(best)
    assert found is not None
    assert (list(found.ranks), list(found.picked)) == (ranks, picked)


def test_cross_validation_equals_plain_loops_over_days() -> None:
    returns = drawn_returns(5, 130)
    settings = ValidationSettings(blocks=6, purge_days=5, embargo_days=3)
    found = judged(trials_of(returns), settings=settings).cv
    length, start = 130 // 6, 130 - 6 * (130 // 6)
    blocks = [range(start + block * length, start + (block + 1) * length) for block in range(6)]
    chosen = {}
    for pair in combinations(range(6), 2):
        tested = {day for block in pair for day in blocks[block]}
        near = {other for day in tested for other in range(day - 5, day + 4)}
        train = [day for day in range(start, 130) if day not in near]
        keys = [key_by_hand([own[day] for day in train]) for own in returns]
        chosen[pair] = keys.index(max(keys))
    paths = []
    for path in range(5):
        days: list[int] = []
        for block, own in enumerate(blocks):
            pair = [one for one in combinations(range(6), 2) if block in one][path]
            days += [returns[chosen[pair]][day] for day in own]
        paths.append(statistics.mean(days) / statistics.stdev(days))
    assert found is not None
    assert found.splits == 15
    assert found.paths == pytest.approx(sorted(paths), rel=1e-9)


@pytest.mark.parametrize(
    ("days", "tests"),
    [(400, []), (455, [(365, 455)]), (499, [(365, 455)]), (500, [(365, 455), (455, 500)])],
)
def test_the_last_fold_is_cut_at_the_end_and_dropped_below_half(
    days: int, tests: list[tuple[int, int]]
) -> None:
    assert [fold.test for fold in folds_of(days, WalkForwardSettings())] == tests


def test_anchored_folds_train_from_the_first_day_and_gaps_lie_between() -> None:
    found = folds_of(300, WalkForwardSettings(train_days=100, test_days=90, anchored=True, gap_days=10))
    assert found == [((0, 100), (110, 200)), ((0, 190), (200, 290))]


def test_a_fold_chooses_without_hindsight_of_the_guard() -> None:
    early = [3, -1] * 100 + [0] * 300
    late = [1, -1] * 250
    report = judged(trials_of([early, late], trades=[4, 9])).document()
    assert report["trials"]["eligible"] == 1
    assert [fold["trial"] for fold in report["walk_forward"]["folds"]] == [0, 0]


def test_a_fold_without_an_active_trial_keeps_the_one_before_and_begins_in_cash() -> None:
    settings = ValidationSettings(walk_forward=WalkForwardSettings(train_days=60, test_days=60))
    only = [0] * 60 + [3, -1] * 30 + [0] * 120
    report = judged(trials_of([only, [0] * 239 + [5]]), settings=settings).document()
    assert [fold["trial"] for fold in report["walk_forward"]["folds"]] == [None, 0, 0]
    assert report["walk_forward"]["folds"][0]["train_sharpe"] is None


def test_changes_and_efficiency_of_folds() -> None:
    days = FoldDays((0, 2), (2, 4))
    ratios = [(None, None, None), (3, 0.5, 0.25), (3, 0.5, None), (7, 0.25, 0.125)]
    folds = [Fold(days, *one) for one in ratios]
    assert (changes(folds), efficiency(folds)) == (2, 0.5)
    assert efficiency(folds[:1]) is None
    assert efficiency([Fold(days, 3, -0.5, 0.25)]) is None
