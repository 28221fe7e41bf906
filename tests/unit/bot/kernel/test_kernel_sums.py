"""Sums of trials by the compiled library have every bit of those of NumPy."""

import json
from collections.abc import Callable
from datetime import date
from hashlib import sha256
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from judging import judged, lifetime_of, trials_of

from bot.kernel import sums
from bot.kernel.loading import Library
from bot.kernel.sums import arithmetic_by, fastest_arithmetic
from bot.selection.days.calendar import Calendar
from bot.selection.days.segments import NO_PIECES, Segments
from bot.selection.days.whole_returns import MOST_DAYS
from bot.selection.judging import judge
from bot.selection.return_sums import PLAIN, ReturnRows, ReturnSums
from bot.selection.stored.packed_sums import sums_bytes
from bot.selection.trial_sums import TrialSums

SHORT, WEEKS = 100, 190
"""Days that are too few for statistics of luck, and enough."""
SCALES = (5e-324, 2.0**-1060, 1e-308, 1e-9, 0.01, 1.0, 1e154, 1.7e308)


def drawn(
    seed: int, rows: int, days: int, idle: float, scale: float
) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Return returns among which are flat rows, broken ones, odd sizes and rows that occur twice."""
    random = np.random.default_rng(seed)
    found = np.clip(random.standard_t(3, (rows, days)) / 64, -1, 1) * scale
    found[random.random((rows, days)) < idle] = 0.0
    found[random.random((rows, days)) < idle / 4] = -0.0
    found[random.random(rows) < 0.1] = scale  # every day alike: it moves, and does not vary
    for odd in (np.nan, np.inf, -np.inf):
        found[random.random(rows) < 0.1, random.integers(0, days)] = odd
    found[random.random(rows) < 0.1] = 0.0
    return found[random.integers(0, rows, rows)] if rows and seed % 2 else found


def bits(found: ReturnSums) -> list[Any]:
    """Return all that sums hold, of unusable rows as well; a sum of no size may have either sign."""
    sample = [] if found.sample is None else [found.sample.weekly + 0.0, *found.sample[1:]]
    segments = found.segments.totals, found.segments.squares, found.segments.active
    arrays = [*found[:3], *segments, *sample]
    return [(one.dtype, one.shape, one.tobytes()) for one in arrays]


def test_sums_of_drawn_rows_equal_those_of_numpy(library: Library) -> None:
    @settings(max_examples=150, derandomize=True)
    @given(
        seed=st.integers(0, 2**32),
        rows=st.integers(0, 30),
        days=st.one_of(st.integers(1, SHORT), st.integers(WEEKS, 400), st.just(2_100)),
        idle=st.floats(0, 1),
        scale=st.sampled_from(SCALES),
        edges=st.lists(st.integers(1, 2_100), max_size=12),
        lead=st.booleans(),
    )
    def compare(
        seed: int, rows: int, days: int, idle: float, scale: float, edges: list[int], lead: bool
    ) -> None:
        random, calendar = np.random.default_rng(seed), Calendar(date(2020, 1, 1), days)
        returns, hold = (drawn(one, rows, days, idle, scale) for one in (seed, seed + 1))
        places = random.integers(0, max(rows, 1), 2 * rows)
        held = (hold, random.integers(0, max(rows, 1), 2 * rows)) if lead else (None, None)
        pieces = NO_PIECES if lead else Segments.of(days, [one for one in edges if one < days])
        of = ReturnRows(returns, places, *held)
        with np.errstate(all="ignore"):
            expected = bits(PLAIN.sums(calendar, pieces, of))
        for code in (library, library.in_plain_c()):
            assert bits(arithmetic_by(code).sums(calendar, pieces, of)) == expected

    compare()


def test_sums_over_the_most_days_equal_those_of_numpy_and_more_days_are_refused(library: Library) -> None:
    longest = Calendar(date(2000, 1, 1), MOST_DAYS)
    returns = np.random.default_rng(1).normal(0, 0.01, (5, MOST_DAYS))
    most = 1 - 2.0**-30  # becomes 2**20: the largest whole returns there can be, and sums of them
    returns[0] = np.where(np.arange(MOST_DAYS) % 2, most, -most)
    returns[1] = most
    returns[2] = np.where(np.arange(MOST_DAYS) > 7, most, 0.0)
    pieces, rows = Segments.of(MOST_DAYS, [3]), ReturnRows(returns, np.arange(5))
    expected = bits(PLAIN.sums(longest, pieces, rows))
    more = Calendar(date(2000, 1, 1), MOST_DAYS + 1)
    for code in (library, library.in_plain_c()):
        assert bits(arithmetic_by(code).sums(longest, pieces, rows)) == expected
    for one in (PLAIN, arithmetic_by(library)):
        none = ReturnRows(np.zeros((1, more.days)), np.arange(0))
        assert one.sums(more, NO_PIECES, none).sample is None
        with pytest.raises(ValueError, match="more than the 8,192"):
            one.sums(more, NO_PIECES, ReturnRows(np.zeros((1, more.days)), np.arange(1)))


def test_digests_are_sha_256_of_whole_returns_and_exponent(library: Library) -> None:
    rows = ReturnRows(np.array([[0.5, -0.25, 0.0], [3.0, 1.0, 1e-9]]), np.arange(2))
    texts = [(2**19, -(2**18), 0, 20), (3 * 2**18, 2**18, 0, 18)]
    parts = [b"".join(one.to_bytes(4, "little", signed=True) for one in text[:3]) for text in texts]
    whole = [
        part + text[3].to_bytes(8, "little", signed=True) for part, text in zip(parts, texts, strict=True)
    ]
    expected = b"".join(sha256(text).digest()[:16] for text in whole)
    calendar = Calendar(date(2020, 1, 1), 3)
    for one in (PLAIN, arithmetic_by(library), arithmetic_by(library.in_plain_c())):
        assert one.sums(calendar, NO_PIECES, rows).digests.tobytes() == expected


def strided(returns: Any) -> Any:
    """Return the same returns, apart from each other in memory."""
    return np.repeat(np.repeat(returns, 2, axis=0), 3, axis=1)[::2, ::3]


@pytest.mark.parametrize(
    "laid_out", [np.asfortranarray, strided, np.float32], ids=["columns", "strided", "float32"]
)
def test_rows_laid_out_otherwise_have_the_same_sums(library: Library, laid_out: Callable[[Any], Any]) -> None:
    returns = np.float32(drawn(4, 9, 200, 0.2, 1.0)).astype(np.float64)
    calendar, pieces, places = (
        Calendar(date(2020, 1, 1), 200),
        Segments.of(200, [70]),
        np.arange(18)[::-2] // 2,
    )
    one = arithmetic_by(library)
    with np.errstate(all="ignore"):
        expected = bits(PLAIN.sums(calendar, pieces, ReturnRows(returns, places, returns, places[::-1])))
    rows = ReturnRows(laid_out(returns), places, laid_out(returns), places[::-1])
    assert bits(one.sums(calendar, pieces, rows)) == expected


def test_places_outside_the_rows_are_refused(library: Library) -> None:
    returns, one = np.zeros((3, 50)), arithmetic_by(library)
    for place in (-1, 3):
        with pytest.raises(IndexError, match="of 3 rows"):
            one.sums(Calendar(date(2020, 1, 1), 50), NO_PIECES, ReturnRows(returns, np.array([place])))
        with pytest.raises(IndexError, match="of 3 rows"):
            one.equal_rows(returns, returns, (np.array([0]), np.array([place])))


def test_equal_rows_of_drawn_pairs_are_all_found(library: Library) -> None:
    @settings(max_examples=60, derandomize=True)
    @given(
        seed=st.integers(0, 2**32),
        rows=st.integers(0, 30),
        days=st.integers(1, 40),
        idle=st.floats(0, 1),
        placed=st.booleans(),
    )
    def compare(seed: int, rows: int, days: int, idle: float, placed: bool) -> None:
        returns, hold = (drawn(one, rows, days, idle, 1.0) for one in (seed, seed + 1))
        drawn_pairs = np.random.default_rng(seed).integers(0, max(rows, 1), (2, 3 * rows))
        own, held = drawn_pairs if placed else np.stack([np.arange(rows)] * 2)
        seen: dict[bytes, int] = {}
        texts = [returns[a].tobytes() + hold[b].tobytes() for a, b in zip(own, held, strict=True)]
        firsts = [seen.setdefault(text, place) for place, text in enumerate(texts)]
        for code in (library, library.in_plain_c()):
            first, place = arithmetic_by(code).equal_rows(returns, hold, (own, held) if placed else None)
            assert first.tolist() == sorted(seen.values())
            assert first[place].tolist() == firsts

    compare()


def test_trials_are_judged_by_the_library_as_by_numpy(library: Library) -> None:
    random = np.random.default_rng(5)
    returns = random.normal(0.0003, 0.01, (60, 400))
    returns[40:] = returns[random.integers(0, 40, 20)]
    returns[3], returns[4] = 0.0, np.nan
    trials = trials_of(returns, hold=random.normal(0, 0.01, 400), trades=random.integers(0, 20, 60).tolist())
    panel = judged(trials).panel
    expected = TrialSums.of(panel, trials)
    for code in (library, library.in_plain_c()):
        found = TrialSums.of(panel, trials, arithmetic_by(code))
        assert sums_bytes(trials.numbers, found) == sums_bytes(trials.numbers, expected)
        documents = [judge(panel, [one], lifetime_of(400, 60)).document() for one in (found, expected)]
        assert json.dumps(documents[0]) == json.dumps(documents[1])


def test_numpy_works_out_the_sums_without_a_library(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sums, "usable", lambda: None)
    assert fastest_arithmetic() is PLAIN
