"""Funding intervals read off the settlements."""

import itertools

import pytest

from bot.market.intervals import inferred_hours, is_settled

HOUR = 3_600_000


def times(*steps: int) -> list[int]:
    return [at * HOUR for at in itertools.accumulate(steps, initial=0)]


@pytest.mark.parametrize(
    ("steps", "hours"),
    [
        ([8, 8], [8, 8, 8]),
        ([8, 4, 4], [8, 8, 4, 4]),
        ([1, 1, 4, 4], [1, 1, 1, 4, 4]),
        ([8, 4, 2, 1, 1, 8, 8], [8, 8, 4, 2, 1, 1, 8, 8]),
        ([1, 1, 2, 1], [1, 1, 1, 1, 1]),
        ([8, 8, 16, 8], [8, 8, 8, 8, 8]),
        ([8, 8, 48, 48, 8], [8, 8, 8, 8, 8, 8]),
        ([8, 8, 16], [8, 8, 8, 8]),
        ([100, 8, 8], [8, 8, 8, 8]),
        ([], [0]),
        ([60 * 24], [0, 0]),
        ([60 * 24, 8], [8, 8, 8]),
    ],
)
def test_interval_is_the_step_unless_a_longer_one_is_not_confirmed(
    steps: list[int], hours: list[int]
) -> None:
    assert inferred_hours(times(*steps)) == hours


def test_last_interval_is_certain_unless_its_step_was_longer() -> None:
    assert is_settled([8, 8, 8], times(8, 8))
    assert is_settled([8, 8, 4], times(8, 4))
    assert not is_settled([1, 1, 1], times(1, 4))
    assert not is_settled([], times())


@pytest.mark.parametrize(
    ("steps", "stated", "hours"),
    [
        ([], [8], [8]),
        ([8, 8], [0, 4, 0], [4, 4, 4]),
        ([16, 8], [8, 0, 0], [8, 8, 8]),
        ([100, 100], [0, 4, 0], [4, 4, 4]),
        ([4, 4], [8, 0, 0], [8, 4, 4]),
        ([4, 8, 8], [0, 0, 4, 0], [4, 4, 4, 4]),
        ([4, 8, 8], [0, 0, 0, 8], [4, 4, 8, 8]),
        ([4, 8, 8], [0, 0, 0, 4], [4, 4, 4, 4]),
        ([2, 4, 8], [4, 4, 8, 8], [4, 4, 8, 8]),
    ],
)
def test_stated_intervals_stay_and_the_others_follow_from_them(
    steps: list[int], stated: list[int], hours: list[int]
) -> None:
    assert inferred_hours(times(*steps), stated) == hours
