import math
from collections.abc import Sequence
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.models import DAY_MS, HOUR_MS
from bot.statistics.growth import annualized_return, annualized_returns


def test_annualized_return_compounds_over_365_days() -> None:
    grown = annualized_return(Decimal(100), Decimal(121), 2 * 365 * DAY_MS)
    assert grown == pytest.approx(0.1, rel=1e-15)
    assert annualized_return(Decimal(100), Decimal(101), 365 * DAY_MS) == 0.01


@pytest.mark.parametrize(
    ("final", "elapsed_ms"), [("100", 0), ("0", DAY_MS), ("-1", DAY_MS), ("100000", 1), ("1e30", HOUR_MS)]
)
def test_annualized_return_is_undefined_where_it_makes_no_sense(final: str, elapsed_ms: int) -> None:
    assert annualized_return(Decimal(100), Decimal(final), elapsed_ms) is None


def growths(initial: list[int], finals: Sequence[int], elapsed_ms: int) -> list[float | None]:
    found = annualized_returns(np.array(initial), np.array(finals), elapsed_ms).tolist()
    return [None if math.isnan(one) else one for one in found]


finals = st.integers(-(10**15), 10**15) | st.integers(10**12 - 10**7, 10**12 + 10**7)


@given(
    st.lists(finals, min_size=2, max_size=40),
    st.sampled_from((10**12, 10**12 + 7, 3)),
    st.integers(0, 10**12),
)
def test_many_growths_have_the_bits_of_each_by_itself(
    drawn: list[int], initial: int, elapsed_ms: int
) -> None:
    expected = [annualized_return(initial, final, elapsed_ms) for final in drawn]
    assert growths([initial] * len(drawn), drawn, elapsed_ms) == expected
    assert growths([*([initial] * len(drawn)), 7], [*drawn, 7], elapsed_ms)[:-1] == expected


def test_a_year_of_every_small_gain_has_the_bits_of_exact_growth() -> None:
    drawn = range(10**12 - 3 * 10**9, 10**12 + 3 * 10**9, 10**6 + 7)
    expected = [annualized_return(10**12, final, 364 * DAY_MS) for final in drawn]
    assert growths([10**12] * len(drawn), drawn, 364 * DAY_MS) == expected
