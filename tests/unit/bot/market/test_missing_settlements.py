"""Settlements that fell due and are not recorded; coverage counts the same ones."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.market.gaps import funding_gaps, missing_settlements
from bot.models import HOUR_MS


def missing(records: list[tuple[int, int]], until_h: int) -> list[int]:
    t_ms = np.array([at * HOUR_MS for at, _ in records], dtype=np.int64)
    interval_ms = np.array([hours * HOUR_MS for _, hours in records], dtype=np.int64)
    return [int(t) // HOUR_MS for t in missing_settlements(t_ms, interval_ms, until_h * HOUR_MS)]


@pytest.mark.parametrize(
    ("records", "until_h", "due_h"),
    [
        ([(0, 8), (8, 8)], 15, []),
        ([(0, 8), (8, 8)], 16, [16]),
        ([(0, 8), (32, 8)], 32, [8, 16, 24]),
        ([(0, 8), (32, 8)], 49, [8, 16, 24, 40, 48]),
        ([(0, 8), (8, 8), (12, 4), (20, 4)], 20, [16]),
        ([(0, 8), (8, 1)], 8, [1, 2, 3, 4, 5, 6, 7]),
        ([(0, 1), (8, 8)], 8, []),
        ([], 48, []),
    ],
)
def test_a_step_lacks_what_the_interval_in_force_at_its_end_asks_for(
    records: list[tuple[int, int]], until_h: int, due_h: list[int]
) -> None:
    assert missing(records, until_h) == due_h


@given(st.lists(st.tuples(st.integers(1, 40), st.sampled_from((1, 2, 4, 8))), min_size=1, max_size=20))
def test_gaps_of_the_coverage_report_hold_the_same_settlements(steps: list[tuple[int, int]]) -> None:
    t_ms = np.cumsum([step for step, _ in steps]) * HOUR_MS
    interval_ms = np.array([hours for _, hours in steps], dtype=np.int64) * HOUR_MS
    found = missing_settlements(t_ms, interval_ms, int(t_ms[-1])).tolist()
    assert found == sorted(set(found) - set(t_ms.tolist()))
    gaps = funding_gaps(t_ms, interval_ms)
    assert len(found) == sum(gap.missing for gap in gaps)
    assert {gap.from_ms for gap in gaps} <= {*found}
