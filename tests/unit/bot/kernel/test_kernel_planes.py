"""Columns are split by the compiled library as NumPy splits them."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.kernel import planes
from bot.kernel.loading import Library
from bot.kernel.planes import fastest_split, split_by
from bot.numbers.planes import Column, SplitColumn, split_columns

KINDS: tuple[Callable[[np.random.Generator, int], Column], ...] = (
    lambda random, count: random.integers(0, 50, count),
    lambda random, count: random.integers(-(2**63), 2**63 - 1, count),
    lambda random, count: random.integers(0, 2**20, count) << 30,
    lambda random, count: random.normal(size=count),
    lambda random, count: np.resize(random.normal(size=count // 2 + 1), count),
    lambda random, count: np.repeat(random.normal(size=count // 7 + 1), 7)[:count],
    lambda random, count: np.where(random.random(count) < 0.5, np.nan, random.normal(size=count)),
    lambda random, count: np.full(count, random.integers(-9, 9)),
)


def plain(found: list[SplitColumn]) -> list[tuple[int, int, bytes, bytes]]:
    return [(one.constant, one.noise, one.plain, one.others.tobytes()) for one in found]


def test_drawn_columns_are_split_as_numpy_splits_them(library: Library) -> None:
    @settings(max_examples=60, derandomize=True)
    @given(
        count=st.integers(0, 40) | st.sampled_from([511, 512, 1_000, 2_049]),
        kinds=st.lists(st.sampled_from(KINDS), max_size=20),
        seed=st.integers(0, 2**32),
    )
    def compare(count: int, kinds: list[Callable[..., Column]], seed: int) -> None:
        random = np.random.default_rng(seed)
        columns = [kind(random, count) for kind in kinds]
        assert plain(split_by(library)(columns)) == plain(split_columns(columns))

    compare()


def test_numpy_splits_without_a_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(planes, "usable", lambda: None)
    assert fastest_split() is split_columns
