"""End of a contract, from candles with and without volume."""

import pytest
from builders import candle_series

from bot.market.contract_end import derived_end_ms, last_live_close_ms
from bot.market.series import CandleSeries
from bot.models import DAY_MS, HOUR_MS


def perp(volumes: list[int], hours: int = 1) -> CandleSeries:
    """Return candles that open at 0, `hours`, 2 * `hours`, ... with these volumes."""
    rows = [(at * hours * HOUR_MS, "5", "5", "5", "5", str(volume)) for at, volume in enumerate(volumes)]
    return candle_series(rows, hours * HOUR_MS, 10**15)


@pytest.mark.parametrize(
    ("volumes", "hours", "until_h", "closed_h"),
    [
        ([3, 2, 0, 0], 1, 9, 2),
        ([3, 0, 1, 0], 1, 9, 3),
        ([3, 0, 1, 0], 1, 2, 1),
        ([0, 0, 0], 1, 9, 3),
        ([0, 0, 0], 1, 2, 2),
        ([3, 2, 0], 8, 24, 16),
        ([3, 2, 4], 8, 23, 16),
    ],
)
def test_the_last_live_candle_is_the_newest_closed_one_with_volume_or_of_all_where_none_has_any(
    volumes: list[int], hours: int, until_h: int, closed_h: int
) -> None:
    assert last_live_close_ms(perp(volumes, hours), until_h * HOUR_MS) == closed_h * HOUR_MS


def test_no_candle_has_closed_before_the_first_has() -> None:
    assert last_live_close_ms(perp([3]), HOUR_MS - 1) is None
    assert derived_end_ms(perp([]), DAY_MS) is None


def test_a_contract_has_ended_only_if_a_day_and_more_passed_since_its_last_live_candle() -> None:
    flat = perp([3, 2, *[0] * 40])
    assert derived_end_ms(flat, 2 * HOUR_MS + DAY_MS) is None
    assert derived_end_ms(flat, 2 * HOUR_MS + DAY_MS + 1) == 2 * HOUR_MS


@pytest.mark.parametrize("hours", [1, 8])
def test_candles_that_merely_stop_are_an_end_as_well(hours: int) -> None:
    stopped = perp([3, 2], hours)
    assert derived_end_ms(stopped, 2 * hours * HOUR_MS + DAY_MS) is None
    assert derived_end_ms(stopped, 2 * hours * HOUR_MS + DAY_MS + 1) == 2 * hours * HOUR_MS
