from decimal import Decimal

import pytest

from bot.signals.basis import basis_score
from bot.signals.persistence import next_streak, persistence_score
from bot.signals.rate_level import rate_level_score
from bot.signals.trend import FALLING, RISING, STABLE, RateAverage, next_average, trend_score
from bot.signals.volume import volume_holds


class Volumes:
    """Hourly volumes, newest last."""

    def __init__(self, *volumes: int) -> None:
        self._volumes = volumes

    def base_volume(self, newest: int, skip: int) -> Decimal | None:
        last = len(self._volumes) - skip
        return Decimal(sum(self._volumes[last - newest : last])) if last >= newest else None


@pytest.mark.parametrize(("rate", "score"), [("0.003", 1), ("0.0015", "0.5"), ("0.01", 1)])
def test_the_rate_level_is_a_share_of_its_cap(rate: str, score: str) -> None:
    assert rate_level_score(Decimal(rate), Decimal("0.003")) == Decimal(score)


@pytest.mark.parametrize(("perp", "score"), [("100.5", "0.5"), ("101", 1), ("110", 1), ("100", 0), ("99", 0)])
def test_a_premium_scores_and_a_discount_does_not(perp: str, score: str) -> None:
    assert basis_score(Decimal(100), Decimal(perp), Decimal("0.01")) == Decimal(score)


def test_a_streak_ends_with_the_first_low_rate() -> None:
    streak = 0
    for rate in ("0.0003", "0.0004", "0.0002", "0.0003"):
        streak = next_streak(streak, Decimal(rate), Decimal("0.0003"))
    assert streak == 1
    assert persistence_score(15, 30) == Decimal("0.5")
    assert persistence_score(40, 30) == 1


def test_the_average_is_rounded_to_twelve_places_half_even() -> None:
    assert next_average(None, Decimal("0.0000000000005"), 6) == 0
    assert next_average(Decimal(0), Decimal("0.0001"), 6) == Decimal("0.000028571429")


def test_the_trend_compares_with_one_span_ago() -> None:
    average = RateAverage(2)
    for rate in ("0.0003", "0.0003"):
        average.add(Decimal(rate))
    assert average.change is None
    average.add(Decimal("0.0006"))
    assert average.change == Decimal("0.0005") - Decimal("0.0003")


@pytest.mark.parametrize(
    ("change", "score"),
    [(None, STABLE), ("0.00005", STABLE), ("-0.00005", STABLE), ("0.000051", RISING), ("-0.000051", FALLING)],
)
def test_small_moves_are_stable(change: str | None, score: Decimal) -> None:
    moved = None if change is None else Decimal(change)
    assert trend_score(moved, Decimal("0.00005")) == score


def test_volume_holds_where_the_newer_half_keeps_its_share() -> None:
    falling = Volumes(*[10] * 24, *[7] * 24)
    assert volume_holds(falling, 1, Decimal("0.7"))
    assert not volume_holds(falling, 1, Decimal("0.71"))
    assert volume_holds(Volumes(*[10] * 24, *[0] * 23), 1, Decimal(1))
