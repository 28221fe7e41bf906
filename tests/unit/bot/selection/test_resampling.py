"""Bands, block lengths and random entries: known values, and those of a published implementation."""

import math
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pytest

from bot.numbers.arrays import FloatArray
from bot.selection.days.block_length import block_length
from bot.selection.days.draws import stationary_indices
from bot.selection.evidence.bands import REPLICATES, amount_bands, consistent, quantiles, return_bands
from bot.selection.evidence.random_entries import Trips, p_random, random_trips


def autoregressive(n: int, phi: float, seed: int) -> FloatArray:
    """Return whole values that each keep a share `phi` of the one before."""
    steps = np.random.default_rng(seed).integers(-100, 101, size=n).astype(float)
    values = np.zeros(n)
    for place, step in enumerate(steps):
        values[place] = np.rint(phi * values[place - 1] + step) if place else step
    return values


@pytest.mark.parametrize("phi", [-0.4, 0.0, 0.2, 0.5, 0.9, 0.99])
@pytest.mark.parametrize("n", [81, 365, 500, 1000, 1820])
def test_block_length_is_that_of_a_published_implementation(n: int, phi: float) -> None:
    from arch.bootstrap import optimal_block_length  # seconds to load, in every process that collects tests

    # Its correlations leave out one more day of each overlap, which decides nothing here.
    values = autoregressive(n, phi, n)
    published = float(optimal_block_length(values)["stationary"].iloc[0])
    assert block_length(values) == pytest.approx(published, rel=1e-12)


def test_values_that_do_not_vary_have_blocks_of_one() -> None:
    assert block_length(np.full(100, 3.0)) == 1.0


def test_quantiles_are_values_that_occur() -> None:
    assert quantiles(np.arange(1, 1001)) == {5: 50, 25: 250, 50: 500, 75: 750, 95: 950}


def test_bands_of_amounts_are_exact_and_equal_plain_loops() -> None:
    amounts = np.random.default_rng(2).integers(-500, 600, size=90)
    found = amount_bands("key", amounts, 10_000)
    assert found is not None
    rows = stationary_indices("band/key", 90, found.mean_block, 0, REPLICATES).tolist()
    assert found.mean_block == math.ceil(block_length(amounts.astype(float)))
    ends, falls = [], []
    for row in rows:
        equity, peak, fall = 10_000, 10_000, 0.0
        for day in row:
            equity += int(amounts[day])
            peak = max(peak, equity)
            fall = max(fall, (peak - equity) / peak)
        ends.append(equity)
        falls.append(fall)
    assert [found.equity[percent][-1] for percent in (5, 50, 95)] == [sorted(ends)[i] for i in (49, 499, 949)]
    assert found.max_drawdown_pct[50] == sorted(falls)[499]
    assert found.p_loss == sum(end < 10_000 for end in ends) / 1000
    assert found.total_return[5] == sorted(ends)[49] / 10_000 - 1


def test_bands_of_a_run_sized_by_its_equity_compound() -> None:
    found = return_bands("key", np.full(60, 0.01), 100)
    assert found is not None
    assert found.equity[50][-1] == pytest.approx(100 * 1.01**60, rel=1e-12)
    assert (found.sharpe[50], found.p_loss) == (None, 0.0)


def test_bands_need_sixty_days() -> None:
    assert amount_bands("key", np.arange(59), 1000) is None
    assert return_bands("key", np.arange(59) / 100, 1000) is None


def test_later_days_are_consistent_unless_worse_than_one_draw_in_twenty() -> None:
    earlier = np.random.default_rng(3).normal(0.001, 0.01, size=200)
    assert consistent("key", earlier, earlier[:50]) is True
    assert consistent("key", earlier, np.full(50, -0.02)) is False
    assert consistent("key", earlier[:40], earlier[:50]) is None


def test_random_entries_keep_trips_lengths_and_time_in_market() -> None:
    own = Trips(100, (7, 1, 20))
    assert own.free == 69
    placements = random_trips("key", {"A": own})["A"].tolist()
    assert placements[0] == [[32, 33], [70, 77], [78, 98]]
    assert len(placements) == REPLICATES
    for trips in placements:
        assert sorted(end - entry for entry, end in trips) == [1, 7, 20]
        assert all(earlier[1] < later[0] for earlier, later in pairwise(trips))
        assert trips[0][0] >= 0
        assert trips[-1][1] < 100


def test_symbols_are_placed_from_one_stream_in_ascending_order() -> None:
    alone = random_trips("key", {"A": Trips(100, (7, 1, 20))})["A"].tolist()
    both = random_trips("key", {"B": Trips(50, (3,)), "A": Trips(100, (7, 1, 20))})["A"].tolist()
    assert both[0] == alone[0]
    assert both[1] != alone[1]


def test_chance_of_random_entries_counts_the_observed_one() -> None:
    own = {"A": Trips(100, (7,))}
    assert p_random(10, [0] * 1000, own) == 1 / 1001
    assert p_random(10, [*[0] * 998, 10, 11], own) == 3 / 1001


@pytest.mark.parametrize("own", [Trips(100, ()), Trips(3, (2,))], ids=["no trips", "no settlement to spare"])
def test_random_entries_without_a_choice_have_no_chance(own: Trips) -> None:
    drawn: Sequence[int] = [0] * 1000
    assert p_random(10, drawn, {"A": own}) is None
