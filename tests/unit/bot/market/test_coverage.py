import json
from decimal import Decimal
from typing import Any

import pytest

from bot.errors import InsufficientDataError
from bot.market.coverage import check_coverage, coverage
from bot.market.gaps import Gap
from bot.market.rows import Rows, SeriesKind, candle_series, funding_series, funding_values
from bot.market.series import HeldRange, SymbolData
from bot.models import HOUR_MS, Instrument
from bot.timestamps import parse_time_ms

DAY = parse_time_ms("2024-01-01")
BTC = "BTC/USDT:USDT"


def hours(*marks: float) -> list[int]:
    return [DAY + int(mark * HOUR_MS) for mark in marks]


def candles(opens: list[int], timeframe_ms: int = HOUR_MS) -> Any:
    values = [(Decimal(10),) * 4 + (Decimal(1),)] * len(opens)
    return candle_series(Rows.of(opens, values, SeriesKind.PERP), timeframe_ms)


def symbol(
    funding: list[tuple[float, int]], spot: list[int], perp: list[int], mark: list[int] | None = None
) -> SymbolData:
    values = [funding_values(Decimal("0.0001"), interval, None) for _, interval in funding]
    rows = Rows.of(hours(*(at for at, _ in funding)), values, SeriesKind.FUNDING)
    return SymbolData(
        symbol=BTC,
        instrument=Instrument(),
        funding=funding_series(rows),
        spot=candles(spot),
        perp=candles(perp),
        mark=None if mark is None else candles(mark),
        fingerprint="",
        synthetic=False,
        held=(HeldRange("funding", DAY, DAY + HOUR_MS),),
    )


def funding_only(*records: tuple[float, int]) -> SymbolData:
    return symbol(list(records), hours(0), hours(0))


@pytest.mark.parametrize(
    ("records", "first", "last", "found", "expected"),
    [
        ([(0, 8), (8, 8), (16, 8), (24, 8)], 0, 24, 4, 4),
        ([(0, 8), (8, 8), (16, 8), (24, 8)], 1, 23, 2, 2),
        ([(0, 8), (24, 8)], 0, 24, 2, 4),
        ([(16, 8)], 0, 32, 1, 5),
        ([(16, 8)], 1, 31, 1, 3),
        ([(0, 8), (8, 8), (12, 4), (16, 4), (24, 8)], 0, 24, 5, 5),
        ([(0, 8), (8, 8), (16, 4)], 0, 16, 3, 4),
        ([(0, 8), (5, 8)], 0, 5, 2, 2),
        ([(-8, 4)], 0, 12, 0, 4),
        ([], 0, 24, 0, 4),
        ([(0, 8), (48, 4)], 8, 40, 0, 5),
    ],
)
def test_settlements_expected_follow_the_interval_in_force(
    records: list[tuple[float, int]], first: float, last: float, found: int, expected: int
) -> None:
    start, end = hours(first, last)
    report = coverage(funding_only(*records), start, end)
    assert (report.funding.found, report.funding.expected) == (found, expected)
    assert sum(gap.missing for gap in report.funding.gaps) == expected - found


def test_settlements_at_both_ends_of_the_window_count() -> None:
    start, end = hours(0, 16)
    report = coverage(funding_only((0, 8), (8, 8), (16, 8)), start, end)
    assert (report.first_ms, report.last_ms) == (start, end)


def test_candles_count_that_open_and_close_inside_the_window() -> None:
    data = symbol([(0, 8)], hours(0, 1, 2, 5, 6), hours(*range(10)))
    start, end = hours(0.5, 7)
    report = coverage(data, start, end)
    assert (report.spot.found, report.spot.expected) == (4, 6)
    assert report.spot.gaps == (Gap(*hours(3, 4), 2),)
    assert (report.perp.found, report.perp.expected, report.perp.gaps) == (6, 6, ())


def test_missing_ends_of_a_leg_are_gaps_too() -> None:
    data = symbol([(0, 8)], hours(2, 3), hours(0))
    report = coverage(data, *hours(0, 6))
    assert (report.spot.found, report.spot.expected) == (2, 6)
    assert report.spot.gaps == (Gap(*hours(0, 1), 2), Gap(*hours(4, 5), 2))


def test_leg_without_candles_in_the_window_is_one_gap() -> None:
    report = coverage(symbol([(0, 8)], [], hours(100)), *hours(0, 6))
    assert (report.spot.found, report.spot.expected) == (report.perp.found, report.perp.expected) == (0, 6)
    assert report.spot.gaps == (Gap(*hours(0, 5), 6),)


def test_document_is_json_with_every_count() -> None:
    start, end = hours(0, 8)
    data = symbol([(0, 8), (8, 8)], hours(*range(8)), hours(*range(8)), mark=hours(*range(7)))
    shown = json.loads(json.dumps(coverage(data, start, end).document()))
    assert {finding["name"] for finding in shown.pop("findings")} == {"flat"}
    assert shown == {
        "first_ms": start,
        "last_ms": end,
        "funding_found": 2,
        "funding_expected": 2,
        "spot_found": 8,
        "spot_expected": 8,
        "perp_found": 8,
        "perp_expected": 8,
        "mark_found": 7,
        "mark_expected": 8,
        "timeframes_ms": {"spot": HOUR_MS, "perp": HOUR_MS, "mark": HOUR_MS},
        "spot_units": 1,
        "gaps": [{"leg": "mark", "from_ms": end - HOUR_MS, "to_ms": end - HOUR_MS, "missing": 1}],
    }


def check(data: SymbolData, first: float, last: float, least: str) -> None:
    start, end = hours(first, last)
    check_coverage(data, coverage(data, start, end), start, end, Decimal(least))


def test_coverage_is_compared_exactly() -> None:
    nine_of_ten = funding_only(*((8 * n, 8) for n in range(10) if n != 4))
    check(nine_of_ten, 0, 72, "0.9")
    with pytest.raises(InsufficientDataError, match=r"only 9 of 10 settlements .* min_coverage 0\.901"):
        check(nine_of_ten, 0, 72, "0.901")


def test_refusal_names_symbol_range_held_and_range_asked() -> None:
    with pytest.raises(InsufficientDataError) as refusal:
        check(funding_only((0, 8)), 0, 240, "0.9")
    (error,) = refusal.value.errors
    assert error.field == "symbols"
    assert error.message.startswith("BTC/USDT:USDT: only 1 of 31 settlements")
    assert "asked, 2024-01-01T00:00:00Z to 2024-01-11T00:00:00Z" in error.message
    assert "held: funding 2024-01-01T00:00:00Z to 2024-01-01T01:00:00Z" in error.message


@pytest.mark.parametrize(("spot", "perp", "leg"), [([], [0, 1], "spot"), ([0, 1], [50], "perp")])
def test_leg_without_any_candle_is_refused_however_low_the_coverage_asked(
    spot: list[float], perp: list[float], leg: str
) -> None:
    data = symbol([(0, 8), (8, 8)], hours(*spot), hours(*perp))
    with pytest.raises(InsufficientDataError, match=f"no {leg} candles are recorded"):
        check(data, 0, 8, "0")


def test_symbol_listed_inside_the_window_passes_once_the_coverage_asked_is_lowered() -> None:
    data = symbol([(40, 8), (48, 8)], hours(*range(33, 48)), hours(*range(33, 48)))
    check(data, 0, 48, "0.2")
    with pytest.raises(InsufficientDataError):
        check(data, 0, 48, "0.9")


def test_window_of_one_settlement_needs_no_candle_of_its_own() -> None:
    check(symbol([(8, 8)], hours(6, 7), hours(6, 7)), 8, 8, "1")
