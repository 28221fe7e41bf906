"""Cells of a heatmap are exact, however they are computed for many at once."""

from collections import defaultdict
from decimal import Decimal
from statistics import median

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.numbers.money import EXACT, book, exact
from sweeps.analysis.grouping import Aggregate, Groups, group_levels, summarize
from sweeps.storage.columns import money_of_units

LARGEST = 2**63 - 1
AMOUNTS = st.one_of(
    st.integers(-LARGEST, LARGEST), st.integers(-(10**16), 10**16), st.integers(-(10**6), 10**6)
)
TRIALS = st.lists(st.tuples(st.integers(0, 3), AMOUNTS), min_size=1, max_size=30)


@pytest.mark.parametrize("aggregate", [Aggregate.MEAN, Aggregate.MEDIAN])
@given(TRIALS)
@example([(0, LARGEST), (0, LARGEST), (1, -LARGEST), (1, -LARGEST + 1), (2, 1), (2, 2), (3, -1), (3, -2)])
def test_means_and_medians_of_money_are_rounded_like_a_booked_division(
    aggregate: Aggregate, trials: list[tuple[int, int]]
) -> None:
    ids, units = (np.array(column, dtype=np.int64) for column in zip(*trials, strict=True))
    found = summarize(Groups("net_pnl", True, np.arange(len(ids)), units, ids, 4), aggregate).one_by_one()
    behind: dict[int, list[int]] = defaultdict(list)
    for group, one in trials:
        behind[group].append(one)
    expected = [(group, naive(behind[group], aggregate), len(behind[group])) for group in sorted(behind)]
    assert [(one.group, one.value, one.count) for one in found] == expected


def naive(units: list[int], aggregate: Aggregate) -> Decimal:
    amounts = [money_of_units(one) for one in units]
    with exact():
        if aggregate is Aggregate.MEDIAN:
            return book(median(amounts))
        return book(EXACT.divide(sum(amounts, Decimal(0)), Decimal(len(amounts))))


@pytest.mark.parametrize("aggregate", Aggregate)
def test_settings_are_sorted_by_amounts_that_floats_cannot_tell_apart(aggregate: Aggregate) -> None:
    units = np.array([2**60 + 1, 2**60, 2**60 + 2])
    groups = Groups("net_pnl", True, np.arange(3), units, np.arange(3), 3)
    assert group_levels(groups, aggregate).argsort().tolist() == [1, 0, 2]
