"""Oddities of recorded rows: each rule on rows that show it and rows that do not."""

from decimal import Decimal

from bot.market.quality import candle_findings, dead_contract, funding_findings, late_prices
from bot.market.rows import Rows, SeriesKind, candle_series, funding_series, funding_values
from bot.market.series import CandleSeries, FundingSeries
from bot.models import HOUR_MS
from bot.timestamps import parse_time_ms

DAY = parse_time_ms("2024-01-01")


def perp(*rows: tuple[int, int], timeframe: int = 1, shift: int = 0) -> CandleSeries:
    """Return candles of (close, volume); high is one more unless the volume is zero or negative."""
    values = [(Decimal(c), Decimal(c + (v > 0)), Decimal(c), Decimal(c), Decimal(abs(v))) for c, v in rows]
    opens = [DAY + (n * timeframe + shift) * HOUR_MS for n in range(len(rows))]
    return candle_series(Rows.of(opens, values, SeriesKind.PERP), timeframe * HOUR_MS)


def funding(*hours: tuple[int, int, str]) -> FundingSeries:
    values = [funding_values(Decimal(rate), interval, None) for _, interval, rate in hours]
    return funding_series(Rows.of([DAY + at * HOUR_MS for at, _, _ in hours], values, SeriesKind.FUNDING))


def test_switches_of_the_interval_are_counted_and_dated() -> None:
    (found,) = funding_findings(funding((0, 8, "0"), (8, 8, "0"), (12, 4, "0"), (20, 8, "0")))
    assert (found.name, found.count) == ("interval_switch", 2)
    assert found.detail.startswith("8 h to 4 h at 2024-01-01T12:00:00Z, 4 h to 8 h at ")
    assert list(funding_findings(funding((0, 8, "0"), (8, 8, "0")))) == []


def test_hours_without_a_trade_and_prices_that_stood_still_are_told_apart() -> None:
    found = {one.name: one for one in candle_findings("perp", perp((10, 5), (10, 0), (11, -5), (12, 5)))}
    assert (found["zero_volume"].count, found["zero_volume"].from_ms) == (1, DAY + HOUR_MS)
    assert (found["flat"].count, found["flat"].from_ms) == (1, DAY + 2 * HOUR_MS)
    assert list(candle_findings("perp", perp((10, 5), (11, 5)))) == []


def test_mark_candles_are_not_blamed_for_having_no_volume() -> None:
    assert [one.name for one in candle_findings("mark", perp((10, 0), (11, 0)))] == ["flat"]


def test_contract_without_a_trade_for_over_a_day_is_dead_and_its_income_named() -> None:
    candles = perp((10, 5), (11, 5), *[(11, 0)] * 72)
    posted = funding((0, 8, "0.002"), *((8 * n, 8, "0.0001") for n in range(1, 11)))
    (found,) = dead_contract(candles, posted, DAY + 74 * HOUR_MS)
    assert (found.name, found.count, found.from_ms) == ("dead_contract", 72, DAY + 2 * HOUR_MS)
    assert found.to_ms == DAY + 74 * HOUR_MS
    assert "no trade since 2024-01-01T02:00:00Z; 9 settlements posted since, all at 0.0001" in found.detail
    assert found.detail.endswith("or set end_dead_markets to true")


def test_quiet_spell_of_a_day_or_one_that_ends_in_a_trade_is_not_dead() -> None:
    assert list(dead_contract(perp((11, 5), *[(11, 0)] * 24), funding(), DAY + 25 * HOUR_MS)) == []
    assert list(dead_contract(perp((11, 5), *[(11, 0)] * 90, (11, 1)), funding(), DAY + 92 * HOUR_MS)) == []
    assert list(dead_contract(perp(), funding(), DAY)) == []


def test_settlements_that_go_on_after_the_candles_are_of_a_dead_contract() -> None:
    posted = funding(*((8 * n, 8, "0.0001") for n in range(1, 5)))
    (found,) = dead_contract(perp((10, 5)), posted, DAY + 32 * HOUR_MS)
    assert (found.name, found.count, found.from_ms) == ("dead_contract", 4, DAY + HOUR_MS)


def test_record_that_ends_with_all_its_series_long_before_the_window_is_no_dead_contract() -> None:
    (found,) = dead_contract(perp((10, 5)), funding((0, 8, "0.1")), DAY + 26 * HOUR_MS)
    assert (found.name, found.count, found.from_ms, found.to_ms) == (
        "record_ends",
        0,
        DAY + HOUR_MS,
        DAY + 26 * HOUR_MS,
    )
    assert list(dead_contract(perp((10, 5)), funding((0, 8, "0.1")), DAY + 25 * HOUR_MS)) == []


def test_candles_that_straddle_the_settlements_are_said_to_be_late() -> None:
    candles = perp(*[(10, 5)] * 6, timeframe=8, shift=-4)
    settled = funding(*((8 * n, 8, "0") for n in range(1, 5))).t_ms
    (found,) = late_prices("perp", candles, settled)
    assert (found.name, found.count) == ("late_prices", 4)
    assert "is 4 h old (8 h candles); max_price_age_hours" in found.detail
    assert list(late_prices("perp", perp(*[(10, 5)] * 48), settled)) == []
