"""Funding figures against sums and counts computed row by row with Python's own numbers."""

import csv
import statistics
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.accounting.fees import FeeSchedule
from bot.market.rows import Rows, SeriesKind, funding_series, funding_values
from bot.market.series import FundingSeries
from bot.market_store.pair_figures.funding import (
    autocorrelations,
    boxes_by_hour,
    boxes_by_month,
    distribution,
    funding_figures,
    months_of_funding,
    rates_8h,
    round_trip_cost,
    settlements_to_repay,
)
from bot.models import HOUR_MS
from bot.numbers.money import plain
from bot.timestamps import parse_time_ms

START = parse_time_ms("2024-01-31")
FEES = FeeSchedule(Decimal("0.001"), Decimal("0.00055"))

Settlement = tuple[int, int, Decimal]


def series(*settlements: Settlement) -> FundingSeries:
    """Return settlements of (hours since the start, interval, rate)."""
    values = [funding_values(rate, hours, None) for _, hours, rate in settlements]
    times = [START + at * HOUR_MS for at, _, _ in settlements]
    return funding_series(Rows.of(times, values, SeriesKind.FUNDING))


def every(hours: int, *rates: str) -> FundingSeries:
    return series(*((n * hours, hours, Decimal(rate)) for n, rate in enumerate(rates)))


def test_carry_is_the_sum_of_the_rates_over_the_hours_they_settled() -> None:
    # 8 h, then hourly, with a hole of a day in between that dilutes nothing.
    found = funding_figures(
        series((0, 8, Decimal("0.0004")), (8, 8, Decimal("-0.0001")), (32, 1, Decimal("0.0002")))
    )
    assert found is not None
    assert (found.settlements, found.hours, found.interval_hours) == (3, 17, 1)
    assert found.total == Decimal("0.0005")
    assert found.carry_per_year == float(Fraction(5, 10_000) * 8760 / 17)
    assert found.mean_8h == float(Fraction(5, 10_000) * 8 / 17)
    assert (found.lowest_8h, found.median_8h, found.highest_8h) == (-0.0001, 0.0004, 0.0016)


def test_runs_and_persistence_are_counted_by_settlement() -> None:
    rates = ("0.0001", "0.0002", "-0.0001", "-0.0002", "-0.0003", "0", "0.0001", "-0.0001")
    found = funding_figures(every(8, *rates))
    assert found is not None
    assert found.positive_share == 3 / 8
    assert found.persistence == 1 / 3
    assert found.longest_negative == 3


def test_lone_settlement_has_a_level_and_nothing_that_needs_two() -> None:
    found = funding_figures(every(8, "0.0001"))
    assert found is not None
    assert found.carry_per_year == 0.0001 * 1095
    assert (found.deviation_8h, found.persistence, found.autocorrelation) == (None, None, None)
    assert funding_figures(every(8)) is None
    assert distribution(every(8)) is None


def test_constant_rates_have_no_autocorrelation() -> None:
    assert autocorrelations(rates_8h(every(8, *["0.0001"] * 50)), 10) == []


def test_alternating_rates_oppose_their_neighbour_and_repeat_the_one_before() -> None:
    first, second, third = autocorrelations(np.array([1.0, -1.0] * 50), 3)
    assert (first, second, third) == pytest.approx((-0.99, 0.98, -0.97), abs=1e-12)


@given(st.lists(st.integers(-500, 500), min_size=3, max_size=60), st.integers(1, 10))
def test_autocorrelation_is_the_textbook_sum(values: list[int], lags: int) -> None:
    found = autocorrelations(np.array(values, dtype=float), lags)
    mean = Fraction(sum(values), len(values))
    spread = sum((value - mean) ** 2 for value in values)
    if not spread:
        assert found == []
        return
    expected = [
        sum((a - mean) * (b - mean) for a, b in zip(values, values[lag:], strict=False)) / spread
        for lag in range(1, min(lags, len(values) - 1) + 1)
    ]
    assert found == pytest.approx([float(one) for one in expected], abs=1e-9)


rates = st.decimals("-0.02", "0.02", places=8, allow_nan=False, allow_infinity=False)


@given(st.lists(st.tuples(rates, st.sampled_from([1, 2, 4, 8])), min_size=1, max_size=80))
def test_every_rate_is_counted_in_the_bin_it_lies_in(rows: list[tuple[Decimal, int]]) -> None:
    found = distribution(series(*((n * 8, hours, rate) for n, (rate, hours) in enumerate(rows))))
    assert found is not None
    last = len(found.counts) - 1
    expected = [0] * (last + 1)
    for rate, hours in rows:
        at = (Fraction(rate) * 8 / hours - Fraction(found.start)) // Fraction(found.width)
        expected[min(max(at, 0), last)] += 1
    assert list(found.counts) == expected
    assert last <= 49


def test_rate_on_the_edge_of_two_bins_belongs_to_the_upper_one() -> None:
    found = distribution(every(8, "0", "0.0001", "0.0002", "0.0003"))
    assert found is not None
    assert (found.start, found.width) == (0, Decimal("0.00001"))
    assert [at for at, count in enumerate(found.counts) if count] == [0, 10, 20, 30]


def test_months_are_those_of_utc() -> None:
    first, second = months_of_funding(every(8, "0.0001", "0.0002", "0.0003", "0.0004"))
    assert (first.month, first.settlements, first.total, first.hours) == (202401, 3, Decimal("0.0006"), 24)
    assert (second.month, second.settlements, second.total) == (202402, 1, Decimal("0.0004"))
    assert first.carry_per_year == float(Fraction(6, 10_000) * 365)


def test_boxes_are_quartiles_of_the_rates_of_an_hour_and_of_a_month() -> None:
    rates = every(8, "0.0001", "0.0002", "0.0003", "0.0005", "0.0002")
    assert [(box.group, box.settlements, box.median) for box in boxes_by_hour(rates)] == [
        (0, 2, pytest.approx(0.0003)),
        (8, 2, pytest.approx(0.0002)),
        (16, 1, pytest.approx(0.0003)),
    ]
    january, february = boxes_by_month(rates)
    assert (january.group, february.group, january.settlements) == (202401, 202402, 3)
    assert [january.low, january.first, january.third] == pytest.approx([0.00011, 0.00015, 0.00025])


def test_break_even_repays_four_fees_and_four_slippages_with_the_average_rate() -> None:
    cost = round_trip_cost(FEES, Decimal("0.0005"))
    assert cost == Decimal("0.0051")
    assert settlements_to_repay(cost, Decimal("0.0102"), 100) == 50
    assert settlements_to_repay(cost, Decimal("0.0000000000001"), 1) == 51_000_000_000
    assert settlements_to_repay(cost, Decimal(0), 100) is None
    assert settlements_to_repay(cost, Decimal("-0.01"), 100) is None


@pytest.mark.real_data
def test_recorded_pair_with_switches_agrees_with_its_file(real_data: Path) -> None:
    with (real_data / "binance" / "ORCAUSDT-funding.csv").open() as file:
        rows = list(csv.DictReader(file))
    per_8h = [Fraction(row["funding_rate"]) * 8 / int(row["interval_hours"]) for row in rows]
    hours = sum(int(row["interval_hours"]) for row in rows)
    total = sum(Decimal(row["funding_rate"]) for row in rows)
    values = [funding_values(Decimal(row["funding_rate"]), int(row["interval_hours"]), None) for row in rows]
    times = [int(row["timestamp_ms"]) for row in rows]
    found = funding_figures(funding_series(Rows.of(times, values, SeriesKind.FUNDING)))
    assert found is not None
    assert (found.settlements, found.hours, plain(found.total)) == (3240, hours, "-1.28944218")
    assert found.total == total
    assert found.carry_per_year == pytest.approx(float(total) / hours * 8760, rel=1e-12)
    assert found.deviation_8h == pytest.approx(statistics.stdev(map(float, per_8h)), rel=1e-9)
    assert found.median_8h == float(sorted(per_8h)[len(per_8h) // 2 - 1])
    assert found.positive_share == sum(rate > 0 for rate in per_8h) / len(per_8h)
    follow = [after > 0 for before, after in pairwise(per_8h) if before > 0]
    assert found.persistence == sum(follow) / len(follow)
    runs = "".join("n" if rate < 0 else " " for rate in per_8h).split()
    assert found.longest_negative == max(map(len, runs))
