"""Prices that jump tenfold between two candles or legs: exactly at the limit and just below it."""

from decimal import Decimal

import pytest
from builders import candle_series

from bot.market.jumps import JumpMoment, fold, jump_moments, leg_jumps
from bot.market.quality import candle_findings, legs_apart
from bot.market.series import CandleSeries
from bot.models import HOUR_MS
from bot.timestamps import parse_time_ms

START = parse_time_ms("2024-01-01")


def candles(*prices: str, first: int = 0, opens: dict[int, str] | None = None) -> CandleSeries:
    """Hourly candles of these closes that move half a percent each; `opens` are those that differ from it."""
    rows = []
    for place, close in enumerate(prices):
        opened = (opens or {}).get(place, close)
        high, low = max(opened, close, key=Decimal), min(opened, close, key=Decimal)
        rows.append((START + (first + place) * HOUR_MS, opened, f"{Decimal(high) * 2}", low, close, "1"))
    return candle_series(rows, HOUR_MS, START + 10**10)


@pytest.mark.parametrize("closes", [("100", "1000"), ("1000", "100"), ("0.00000001", "0.0000001")])
def test_close_that_is_ten_times_the_last_or_a_tenth_of_it_is_a_jump(closes: tuple[str, str]) -> None:
    [jump] = leg_jumps(candles("100" if closes[0] == "100" else closes[0], *closes))
    assert (jump.before, jump.after) == (Decimal(closes[0]), Decimal(closes[1]))
    assert (jump.before_ms, jump.after_ms) == (START + 2 * HOUR_MS, START + 3 * HOUR_MS)


@pytest.mark.parametrize("closes", [("100", "999.99999999"), ("1000", "100.00000001"), ("5", "5")])
def test_change_of_a_little_less_than_ten_times_is_none(closes: tuple[str, str]) -> None:
    assert leg_jumps(candles(*closes)) == []


def test_open_that_jumps_and_a_close_that_comes_back_are_a_jump_to_the_open() -> None:
    [jump] = leg_jumps(candles("100", "101", opens={1: "1000"}))
    assert (jump.before, jump.after) == (Decimal(100), Decimal(1000))


def test_jump_over_missing_candles_lasts_as_long_as_they_are_missing() -> None:
    found = leg_jumps(candle_series([*_row(0, "1"), *_row(25, "1000")], HOUR_MS, START + 10**10))
    assert [(one.before_ms, one.after_ms) for one in found] == [(START + HOUR_MS, START + 26 * HOUR_MS)]


def test_prices_of_so_many_digits_that_ten_times_them_would_not_fit_are_compared_exactly() -> None:
    assert len(leg_jumps(candles("999999999999999999", "9999999999999999990"))) == 1
    assert leg_jumps(candles("999999999999999999", "9999999999999999989")) == []


def test_jump_of_a_leg_is_a_finding_that_says_by_how_much_and_when() -> None:
    found = [one for one in candle_findings("spot", candles("2", "2000")) if one.name == "price_jump"]
    [(leg, count, first, detail)] = [(one.leg, one.count, one.from_ms, one.detail) for one in found]
    assert (leg, count, first) == ("spot", 1, START + HOUR_MS)
    assert detail.startswith("up 1000-fold to 2024-01-01T02:00:00Z: a redenomination or another coin")


def test_fold_says_up_or_down() -> None:
    assert fold(Decimal(1), Decimal(1000)) == "up 1000-fold"
    assert fold(Decimal("12.5"), Decimal(1)) == "down 12.5-fold"


@pytest.mark.parametrize(("perp", "shown"), [("1000", 1), ("999", 0), ("10", 1), ("10.1", 0)])
def test_perp_that_closes_ten_times_from_spot_is_apart(perp: str, shown: int) -> None:
    found = list(legs_apart(candles("100"), candles(perp), slice(0, 1)))
    assert [(one.leg, one.name, one.count) for one in found] == [("perp", "legs_apart", 1)] * shown


def test_perp_before_the_first_spot_close_is_not_compared() -> None:
    assert list(legs_apart(candles("100", first=5), candles("1000", "1000"), slice(0, 2))) == []


def test_jumps_of_both_legs_at_once_are_one_moment_with_the_prices_around_it() -> None:
    legs = {"spot": candles("1", "1000"), "perp": candles("2", "2002")}
    found = jump_moments([jump for leg in legs.values() for jump in leg_jumps(leg)], legs)
    prices = Decimal(1), Decimal(2), Decimal(1000), Decimal(2002)
    assert found == (JumpMoment(START + HOUR_MS, START + 2 * HOUR_MS, *prices),)
    assert JumpMoment.of(found[0].document()) == found[0]


def test_jumps_of_the_legs_one_after_the_other_are_two_moments() -> None:
    legs = {"spot": candles("1", "1000", "1000"), "perp": candles("1", "1", "1000")}
    found = jump_moments([jump for leg in legs.values() for jump in leg_jumps(leg)], legs)
    assert [(one.before_ms, one.after_ms) for one in found] == [
        (START + HOUR_MS, START + 2 * HOUR_MS),
        (START + 2 * HOUR_MS, START + 3 * HOUR_MS),
    ]


def test_price_of_a_leg_that_has_not_closed_yet_is_unknown() -> None:
    legs = {"spot": candles("1", "1000"), "perp": candles("1", first=9)}
    [moment] = jump_moments(leg_jumps(legs["spot"]), legs)
    assert (moment.perp_before, moment.perp_after) == (None, None)


def _row(hour: int, price: str) -> list[tuple[object, ...]]:
    return [(START + hour * HOUR_MS, price, price, price, price, "1")]
