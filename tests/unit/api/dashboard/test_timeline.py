"""Coverage in thousandths of an axis: bars where rows are, holes where they are not."""

from api.dashboard.market.timeline import Axis, Bar
from bot.market.gaps import Gap
from bot.market.intervals import IntervalSpan
from bot.market_store.listing import SeriesListing
from bot.models import DAY_MS, HOUR_MS
from bot.timestamps import parse_time_ms

START = parse_time_ms("2024-01-01")


def candles(days: int, *gaps: Gap) -> SeriesListing:
    last = START + days * DAY_MS - HOUR_MS
    return SeriesListing("spot", HOUR_MS, START, last, 0, 0, gaps)


def funding(*spans: IntervalSpan) -> SeriesListing:
    return SeriesListing("funding", 0, spans[0].from_ms, spans[-1].to_ms, 0, 0, (), intervals=spans)


def test_candles_reach_to_the_close_of_the_last_one() -> None:
    series = candles(100)
    lane = Axis.over([series], 0).lane(series)
    assert lane.label == "spot 1h"
    assert lane.held == (Bar(0, 1000, "candles", "spot 1h, 2024-01-01 to 2024-04-10"),)


def test_hole_lies_where_rows_are_missing_and_is_wide_enough_to_be_seen() -> None:
    hole = Gap(START + 50 * DAY_MS, START + 50 * DAY_MS, 1)
    series = candles(100, hole)
    (bar,) = Axis.over([series], 0).lane(series).holes
    assert (bar.left, bar.width, bar.look) == (500, 1.6, "hole")
    assert bar.text == "spot 1h: 1 row missing, 2024-02-20 00:00 to 2024-02-20 00:00"


def test_holes_that_no_screen_can_tell_apart_are_one_with_both_counts() -> None:
    near = [Gap(START + n * HOUR_MS, START + n * HOUR_MS, 1) for n in (100, 102, 1200)]
    series = candles(100, *near)
    first, second = Axis.over([series], 0).lane(series).holes
    assert "2 rows missing, in 2 gaps" in first.text
    assert "1 row missing" in second.text


def test_funding_is_cut_at_its_switches_without_a_hole_between() -> None:
    spans = (
        IntervalSpan(8, START, START + 10 * DAY_MS, 31),
        IntervalSpan(1, START + 10 * DAY_MS + HOUR_MS, START + 20 * DAY_MS, 240),
    )
    series = funding(*spans)
    slow, fast = Axis.over([series], 0).lane(series).held
    assert (slow.look, fast.look) == ("h8", "h1")
    assert round(slow.left + slow.width, 2) == fast.left
    assert round(fast.left + fast.width) == 1000


def test_newest_days_cut_what_is_older() -> None:
    series = candles(100, Gap(START + DAY_MS, START + DAY_MS, 1))
    axis = Axis.over([series], 30)
    assert axis.from_ms == START + 70 * DAY_MS
    lane = axis.lane(series)
    assert (lane.held[0].left, lane.held[0].width) == (0, 1000)
    assert lane.holes == ()


def test_marks_are_round_dates_of_a_step_that_leaves_them_readable() -> None:
    assert [tick.text for tick in Axis(START, parse_time_ms("2029-06-01")).ticks()] == [
        *("2024", "2025", "2026", "2027", "2028", "2029")
    ]
    assert [tick.text for tick in Axis(START, parse_time_ms("2024-06-15")).ticks()] == [
        *("2024-01", "2024-02", "2024-03", "2024-04", "2024-05", "2024-06")
    ]
    assert [tick.text for tick in Axis(START, parse_time_ms("2024-01-05")).ticks()] == [
        *("2024-01-01", "2024-01-02", "2024-01-03", "2024-01-04", "2024-01-05")
    ]
    assert Axis(START, parse_time_ms("2026-01-01")).ticks()[0].left == 0
