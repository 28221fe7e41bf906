"""Luck of a search: known values, and figures worked out by plain Python."""

import math
from datetime import date
from fractions import Fraction
from itertools import pairwise
from statistics import NormalDist

import numpy as np
import pytest
from judging import FIRST_DAY, judged, trials_of

from bot.selection.days.calendar import DRAWS, Calendar
from bot.selection.days.digests import first_of_equals
from bot.selection.days.draws import draws, seed_of, stationary_indices
from bot.selection.days.segments import NO_PIECES
from bot.selection.independent_trials import expected_maximum
from bot.selection.looks import Lifetime, Look
from bot.selection.luck import LuckSums
from bot.selection.return_sums import ReturnRows, return_sums
from bot.selection.search_luck import SearchLuck, SearchSums, published_sr0
from bot.selection.sharpe import PowerSums
from bot.selection.track.track_record import TrackRecord

RUNS = ([-13] * 91 + [15] * 91) * 10


def sums_of(returns: list[list[int]]) -> LuckSums:
    """Return the sums of a search of whole returns, all of them eligible."""
    matrix = np.array(returns, dtype=float)
    calendar, numbers = Calendar(FIRST_DAY, matrix.shape[1]), np.arange(len(matrix))
    sums = return_sums(calendar, NO_PIECES, ReturnRows(matrix, numbers))
    found = LuckSums.of(calendar, numbers, sums, first_of_equals(numbers, sums.digests))
    assert found is not None
    return found


def search_of(returns: list[list[int]]) -> SearchLuck:
    """Return the luck of a search of whole returns, all of them eligible."""
    sums = SearchSums()
    sums.add(sums.take(sums_of(returns)))
    search = SearchLuck.of(Calendar(FIRST_DAY, len(returns[0])), sums)
    assert search is not None
    return search


def record_of(returns: list[int]) -> TrackRecord:
    """Return the track record of the one trial of a search over whole weeks."""
    record = TrackRecord.of(PowerSums.of(np.array(returns)), float(sums_of([returns]).tau[0]))
    assert record is not None
    return record


def shifts_by_hand(returns: list[int]) -> list[float]:
    """Return the bootstrap shifts of one trial over whole weeks, in plain Python."""
    days, weeks = len(returns), len(returns) // 7
    block, total = math.isqrt(4 * weeks), sum(returns)
    squares = sum(one * one for one in returns)
    deviation = math.sqrt((days * squares - total * total) / (days * (days - 1)))
    sums = [sum(returns[7 * week : 7 * week + 7]) for week in range(weeks)]
    stream = [int(one) for one in draws(seed_of(f"luck/{FIRST_DAY}/{weeks}"), 0, DRAWS * weeks)]
    found, place = [], 0
    for draw in range(DRAWS):
        drawn = 0
        for week in range(weeks):
            x = stream[draw * weeks + week]
            new = week == 0 or (x % 2**32) * block < 2**32
            place = ((x >> 32) * weeks) >> 32 if new else (place + 1) % weeks
            drawn += sums[place]
        found.append(weeks / (weeks - 2 * block) * (drawn - total) / days / deviation)
    return found


def test_generator_gives_the_published_numbers_of_splitmix64() -> None:
    assert [int(one) for one in draws(1234567, 0, 3)] == [
        6457827717110365317,
        3203168211198807973,
        9817491932198370423,
    ]
    assert draws(1234567, 2, 1)[0] == draws(1234567, 0, 3)[2]


def test_replicates_drawn_apart_are_those_drawn_together() -> None:
    whole = stationary_indices("luck/x/30", 30, 10, 0, 20)
    assert np.array_equal(stationary_indices("luck/x/30", 30, 10, 7, 5), whole[7:12])


def test_psr_takes_a_daily_sharpe_ratio() -> None:
    assert TrackRecord(365, 0.05, 0.0, 3.0, math.nan, 364).psr(0.0) == pytest.approx(0.829792, abs=5e-7)


def test_published_benchmark_takes_the_variance_of_daily_sharpe_ratios() -> None:
    spread = math.sqrt(0.5 / 250 * 99 / 100)
    ratios = np.array([spread, -spread] * 50)
    assert published_sr0(ratios, 100) == pytest.approx(0.113172, abs=5e-7)


def test_duplicates_of_a_trial_count_once() -> None:
    few = np.random.default_rng(1).integers(-500, 600, size=(5, 364)).tolist()
    many = [*[few[0]] * 96, *few[1:]]
    search = search_of(many)
    assert search.distinct == 5
    assert sums_of(many).numbers.tolist() == [0, 96, 97, 98, 99]
    assert expected_maximum(search.distinct) == pytest.approx(1.1926, abs=5e-5)
    assert search.published_sr0 == search_of(few).published_sr0


def test_days_out_of_the_market_are_days_of_the_sharpe_ratio() -> None:
    assert PowerSums.of(np.array([4, 0, 0, 0] * 91)).sharpe == pytest.approx(0.576557, abs=5e-7)


def test_weeks_are_the_newest_whole_ones() -> None:
    calendar = Calendar(date(2021, 1, 1), 1826)
    assert (calendar.weeks, calendar.sample_start, calendar.sample_days) == (260, 6, 1820)


@pytest.mark.parametrize(
    ("returns", "t_eff", "psr", "p_luck"),
    [
        (RUNS, 151.27, 0.810098, 0.185629),
        ([15, -13] * 910, 1819, 0.998839, 0.001996),
    ],
    ids=["runs of 91 days", "alternating days"],
)
def test_days_in_runs_are_worth_fewer_than_alternating_ones(
    returns: list[int], t_eff: float, psr: float, p_luck: float
) -> None:
    search = search_of([returns])
    record = record_of(returns)
    assert record.t_eff == pytest.approx(t_eff, abs=0.005)
    assert record.psr(0.0) == pytest.approx(psr, abs=5e-7)
    assert search.p_luck(record.sharpe) == pytest.approx(p_luck, abs=5e-7)


def test_luck_is_the_largest_shift_of_a_sharpe_ratio_and_not_of_a_studentised_one() -> None:
    random = np.random.default_rng(4)
    steady = random.integers(-500, 520, size=364).tolist()
    moody = np.repeat(random.integers(-500, 520, size=13), 28).tolist()
    search = search_of([steady, moody])
    by_hand = [shifts_by_hand(one) for one in (steady, moody)]
    sums = sums_of([steady, moody])
    assert sums.highest == pytest.approx([max(pair) for pair in zip(*by_hand, strict=True)], rel=1e-12)
    taus = [math.sqrt(sum(one * one for one in own) / DRAWS) for own in by_hand]
    assert sums.tau == pytest.approx(taus, rel=1e-12)
    assert search.luck_95 == pytest.approx(sorted(map(max, zip(*by_hand, strict=True)))[474], rel=1e-12)


def test_chance_of_luck_counts_the_observed_one_and_is_never_zero() -> None:
    search = search_of(np.random.default_rng(1).integers(-500, 500, size=(1, 364)).tolist())
    assert search.p_luck(9.0) == 1 / 501
    tied = search.highest[-1]
    assert tied > 0
    assert search.p_luck(tied) == 2 / 501


@pytest.mark.parametrize(("high", "p"), [(1020, 0.10), (1035, 0.03)])
def test_chance_of_luck_is_that_of_a_published_reality_check_but_for_the_ends_of_blocks(
    high: int, p: float
) -> None:
    from arch.bootstrap import SPA  # seconds to load, in every process that collects tests

    returns = np.random.default_rng(12).integers(-1000, high, size=(8, 1820))
    search = search_of(returns.tolist())
    weekly = returns.reshape(8, -1, 7).sum(axis=2) / returns.std(axis=1, ddof=1)[:, None]
    published = SPA(
        np.zeros(weekly.shape[1]),
        -weekly.T,
        block_size=search.calendar.mean_block,
        reps=2_000,
        bootstrap="stationary",
        studentize=False,
        seed=1,
    )
    published.compute()
    assert published.pvalues["upper"] == pytest.approx(p, abs=0.02)
    uncorrected = sums_of(returns.tolist()).sharpe.max() * search.calendar.correction
    assert search.p_luck(uncorrected) == pytest.approx(published.pvalues["upper"], abs=0.03)


def test_a_losing_winner_is_luck_for_certain() -> None:
    report = judged(trials_of([[-2 if day % 3 else 3 for day in range(364)]])).cash
    assert report is not None
    assert report.winner is not None
    assert report.winner.sharpe < 0
    assert (report.p_luck, report.p_life) == (1.0, 1.0)
    assert report.winner.min_track_days(0.0) is None
    assert sum(one < -0.001 for one in report.search.highest) > 100
    assert report.search.p_luck(-0.001) == 1.0


def test_true_differences_between_trials_are_no_luck() -> None:
    noise = np.random.default_rng(3).integers(-4000, 4001, size=(20, 364))
    noise[:, 0] = 5000
    losing = noise - np.arange(20)[:, None] * 40
    losing[:, 0] = 5000
    equal, spread = search_of(noise.tolist()), search_of(losing.tolist())
    assert spread.luck == pytest.approx(equal.luck, rel=0.02)
    assert equal.published_sr0 is not None
    assert spread.published_sr0 is not None
    assert spread.published_sr0 > 1.3 * equal.published_sr0


def test_a_trial_that_starts_late_earned_nothing_before() -> None:
    late = [0] * 182 + [15, -13] * 91
    whole = record_of(late)
    assert whole.n == 364
    assert whole.sharpe < record_of(late[182:]).sharpe


def test_looks_of_every_run_at_these_days_weigh_on_a_rerun_around_the_winner() -> None:
    own = Look("x", frozenset({"A"}), 0, 299, 10, 10)
    life = Lifetime.of(own, [Look("x", frozenset({"A", "B"}), 0, 299, 100_000, 100_000, 120.0)])
    assert life.tried == 100_010
    assert life.independent(1.3) == pytest.approx(121.3)
    assert life.p_life(0.010, 1.3) == pytest.approx(0.6085, abs=5e-5)


def test_looks_at_a_part_of_the_days_count_for_that_part() -> None:
    own = Look("x", frozenset({"A"}), 0, 299, 10, 10)
    thirds = [Look("x", frozenset({"A"}), first, first + 99, 100, 100, 10.0) for first in (0, 100, 200)]
    elsewhere = [
        Look("y", frozenset({"A"}), 0, 299, 100, 100, 10.0),
        Look("x", frozenset({"B"}), 0, 299, 100, 100, 10.0),
        Look("x", frozenset({"A"}), 300, 399, 100, 100, 10.0),
    ]
    life = Lifetime.of(own, [*thirds, *elsewhere])
    assert life.tried == 110
    assert life.independent(1.3) == pytest.approx(11.3)


def test_looks_taken_over_from_equal_runs_are_not_new_and_unjudged_ones_count_in_full() -> None:
    own = Look("x", frozenset({"A"}), 0, 299, 10, 10)
    looks = [
        Look("x", frozenset({"A"}), 0, 299, 100, 50, 10.0),
        Look("x", frozenset({"A"}), 0, 149, 7, 7),
    ]
    assert Lifetime.of(own, looks) == Lifetime(10, 10 + 54, 5.0 + 3.5)


def test_moments_are_those_of_exact_fractions() -> None:
    values = [2**20, -(2**19), 7, 0, 0, 2**20 - 1, -3] * 60
    mean = Fraction(sum(values), len(values))
    second, third, fourth = (sum((one - mean) ** k for one in values) / len(values) for k in (2, 3, 4))
    skewness, kurtosis = PowerSums.of(np.array(values)).skewness_and_kurtosis()
    assert skewness == pytest.approx(float(third) / float(second) ** 1.5, rel=1e-14)
    assert kurtosis == pytest.approx(float(fourth / second**2), rel=1e-14)


def test_expected_maximum_rises_with_trials_and_fits_the_median_of_two() -> None:
    assert expected_maximum(1) == -math.inf
    assert all(low < high for low, high in pairwise(map(expected_maximum, (1, 2, 10, 100, 1e6))))
    assert expected_maximum(100) == pytest.approx(
        (1 - 0.5772156649015329) * NormalDist().inv_cdf(0.99)
        + 0.5772156649015329 * NormalDist().inv_cdf(1 - 1 / (100 * math.e))
    )
