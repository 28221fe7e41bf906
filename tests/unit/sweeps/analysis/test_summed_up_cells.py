"""Cells of a heatmap are exact, however they are computed for many at once."""

from collections import defaultdict
from decimal import Decimal
from statistics import median
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.numbers.money import EXACT, book, exact
from sweeps.analysis.grouping import Aggregate, Groups, summarize
from sweeps.storage.blocks import packed, unpacked
from sweeps.storage.column_cache import OVERHEAD, ColumnCache
from sweeps.storage.columns import money_of_units

LARGEST = 2**63 - 1
AMOUNTS = st.one_of(
    st.integers(-LARGEST, LARGEST), st.integers(-(10**16), 10**16), st.integers(-(10**6), 10**6)
)
TRIALS = st.lists(st.tuples(st.integers(0, 3), AMOUNTS), min_size=1, max_size=30)
BLOBS = [[packed(np.arange(first, first + 50))] for first in (0, 100, 200)]


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


def read(kept: ColumnCache, at: int, kind: str = "whole") -> Any:
    return kept.get(BLOBS[at], kind, lambda: unpacked(BLOBS[at], real=kind == "real"))


def test_a_column_is_unpacked_once_until_there_is_no_room() -> None:
    kept = ColumnCache(most_bytes=2 * (50 * 8 + OVERHEAD))
    first = read(kept, 0)
    assert first.tolist() == list(range(50))
    assert read(kept, 0) is first
    second = read(kept, 1)
    read(kept, 0)
    read(kept, 2)
    assert read(kept, 0) is first
    assert kept.size == 2 * (50 * 8 + OVERHEAD)
    assert read(kept, 1) is not second


def test_the_same_bytes_of_another_kind_are_another_column() -> None:
    kept = ColumnCache()
    assert read(kept, 0).dtype == np.int64
    assert read(kept, 0, "real").dtype == np.float64


def test_kept_columns_refuse_to_be_written_to() -> None:
    with pytest.raises(ValueError, match="read-only"):
        read(ColumnCache(), 0)[0] = 1
