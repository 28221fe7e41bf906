from decimal import Decimal

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.models import DAY_MS, HOUR_MS
from bot.numbers.arrays import FloatArray
from bot.numbers.money import plain
from bot.statistics import metrics as stats
from bot.statistics.metrics import Calendar, Units, packed
from bot.statistics.returns import Returns, year_ratios
from bot.timestamps import parse_time_ms

MIDNIGHT = 19_723 * DAY_MS


def rows(*curves: list[int]) -> Units:
    return np.array(curves, dtype=np.int64)


def drawdowns(units: Units, initial: int) -> tuple[Units, FloatArray]:
    return stats.drawdowns(units, stats.running_peaks(units, initial))


def ratios(returns: FloatArray) -> FloatArray:
    return np.stack(year_ratios(Returns.of_matrix(returns), 365))


def hourly(*hours: int) -> Calendar:
    return Calendar.of([MIDNIGHT + hour * HOUR_MS for hour in hours])


def days(count: int) -> Calendar:
    return Calendar.of([MIDNIGHT + day * DAY_MS for day in range(count)])


def test_drawdown_is_measured_from_a_peak_that_starts_at_the_capital() -> None:
    falls, shares = drawdowns(rows([90, 95, 120, 105], [101, 101, 102, 102]), 100)
    assert falls.tolist() == [15, 0]
    assert shares.tolist() == [0.125, 0.0]


def test_deepest_money_and_deepest_share_can_be_different_falls() -> None:
    falls, shares = drawdowns(rows([50, 1000, 940]), 100)
    assert (falls[0], shares[0]) == (60, 0.5)


@pytest.mark.parametrize(
    ("curve", "lasting"),
    [
        ([100, 101, 102, 103], 0),
        ([100, 99, 99, 100], 3),
        ([99, 98, 97, 96], 3),
        ([110, 110, 100, 111], 2),
        ([100, 90, 100, 90], 2),
    ],
)
def test_a_drawdown_lasts_from_its_peak_to_its_recovery(curve: list[int], lasting: int) -> None:
    assert stats.longest_drawdowns_ms(
        rows(curve), stats.running_peaks(rows(curve), 100), days(4)
    ).tolist() == [lasting * DAY_MS]


def test_a_point_at_midnight_belongs_to_the_day_that_begins() -> None:
    returns = stats.daily_returns(rows([110, 121, 60, 121]), 100, hourly(0, 16, 24, 32))
    assert returns.tolist() == [[0.21, 0.0]]


def test_days_without_points_repeat_the_day_before() -> None:
    assert stats.daily_returns(rows([110, 121]), 100, hourly(0, 72)).tolist() == [[0.1, 0.0, 0.0, 0.1]]


def test_no_returns_on_equity_that_is_not_positive() -> None:
    returns = stats.daily_returns(rows([0, 10], [10, -5]), 100, days(2))
    assert np.isnan(returns[0]).all()
    assert returns[1].tolist() == [-0.9, -1.5]


@pytest.mark.parametrize("count", [0, 1])
def test_ratios_of_fewer_than_two_days_are_undefined(count: int) -> None:
    assert np.isnan(ratios(np.full((1, count), 0.1))).all()


def test_ratios_without_deviation_or_loss_are_undefined() -> None:
    flat, gains = np.zeros((1, 3)), np.array([[0.1, 0.2]])
    assert ratios(flat)[0].tolist() == [0.0]
    assert np.isnan(ratios(flat)[1:]).all()
    assert ratios(np.full((1, 3), 0.1))[0].tolist() == [0.0]
    assert np.isnan(ratios(np.full((1, 3), 0.1))[1:]).all()
    assert np.isnan(ratios(gains)[2]).all()


def test_ratios_of_equity_that_is_not_positive_are_undefined_for_that_curve_alone() -> None:
    returns = np.array([[np.nan, np.nan, np.nan], [0.1, 0.0, -0.1]])
    assert np.isnan(ratios(returns)[:, 0]).all()
    assert ratios(returns)[:, 1].tolist() == ratios(returns[1:])[:, 0].tolist()


def test_periods_without_change_count_as_returns_of_zero() -> None:
    returns = np.array([[0.0, 0.03, 0.0, -0.01, 0.0]])
    year, [row] = 365**0.5, returns
    assert ratios(returns)[:, 0] == pytest.approx(
        [
            row.std(ddof=1) * year,
            row.mean() / row.std(ddof=1) * year,
            row.mean() / (np.minimum(row, 0) ** 2).mean() ** 0.5 * year,
        ],
        rel=1e-14,
    )


def test_months_are_utc_and_start_from_the_month_before() -> None:
    calendar = Calendar.of(
        [parse_time_ms(day) for day in ("2024-01-30", "2024-01-31", "2024-02-01", "2024-04-01")]
    )
    assert stats.best_month_units(rows([101, 103, 102, 110], [90, 80, 79, 78]), 100, calendar).tolist() == [
        8,
        -1,
    ]


def test_a_share_is_of_a_profit_only() -> None:
    assert stats.best_share(30, 20) == 1.5
    assert stats.best_share(5, 0) is None
    assert stats.best_share(0, -3) is None


def test_break_even_counts_average_settlements() -> None:
    assert stats.settlements_to_break_even(60, 2, 100, 50) == 15
    assert stats.settlements_to_break_even(60, 2, -1, 50) is None
    assert stats.settlements_to_break_even(0, 0, 0, 0) is None


curves = st.lists(st.integers(1, 10**15), min_size=7, max_size=7)


@given(st.lists(curves, min_size=1, max_size=6), st.integers(1, 10**15))
def test_each_row_has_the_same_bits_alone_and_among_others(drawn: list[list[int]], initial: int) -> None:
    calendar = hourly(0, 8, 30, 31, 60, 61, 100)
    together, alone = rows(*drawn), [rows(curve) for curve in drawn]

    def bits(units: Units) -> list[bytes]:
        returns = stats.daily_returns(units, initial, calendar)
        columns = (
            drawdowns(units, initial)[1],
            *ratios(returns),
        )
        return [np.array(values).tobytes() for values in zip(*columns, strict=True)]

    assert bits(together) == [bits(units)[0] for units in alone]


@given(st.lists(curves, min_size=1, max_size=3))
def test_amounts_beyond_int64_give_the_same_statistics(drawn: list[list[int]]) -> None:
    small = rows(*drawn)
    wide = small.astype(object)
    calendar = days(7)
    assert [c.tolist() for c in drawdowns(small, 5)] == [c.tolist() for c in drawdowns(wide, 5)]
    assert np.array_equal(
        stats.daily_returns(small, 5, calendar), stats.daily_returns(wide, 5, calendar), equal_nan=True
    )


def test_units_are_packed_as_integers_of_any_size() -> None:
    assert packed([1, -5]).dtype == np.int64
    assert packed([2**70, 1]).tolist() == [2**70, 1]


WHOLE = st.integers(-(2**70), 2**70) | st.integers(-(2**63) + 1, 2**63 - 1) | st.integers(-(10**16), 10**16)


@given(st.lists(WHOLE | st.integers(-(10**6), 10**6) | st.integers(-300, 300).map(lambda n: n * 10**7)))
@example([0, 1, -1, 10**5, 10**5 - 1, 10**8, 10**8 + 1, 10**15 - 1, 10**15, 10**15 + 1, -(2**63) + 1])
def test_units_are_written_as_the_amounts_they_stand_for(drawn: list[int]) -> None:
    units = np.array(
        [*drawn, *drawn[-1:]], dtype=np.int64 if np.abs(drawn).max(initial=0) < 2**63 else object
    )
    assert stats.units_texts(units) == [plain(stats.from_units(whole)) for whole in units.tolist()]


def test_more_than_eight_places_are_no_units() -> None:
    assert stats.money_units(Decimal("1.00000001")) == 100000001
    assert stats.from_units(100000001) == Decimal("1.00000001")
    with pytest.raises(ValueError, match="0.000000001 has more than 8 places"):
        stats.money_units(Decimal("1E-9"))


@pytest.mark.parametrize(
    ("columns", "times", "exact"),
    [
        (([2**61 - 1], [-(2**61)]), 1, False),
        (([2**61], [-(2**61)]), 1, True),
        (([2**60 - 1],), 4, False),
        (([-(2**60)],), 4, True),
        (([], [3]), 1_000, False),
    ],
)
def test_columns_are_added_as_python_integers_where_a_sum_might_not_fit(
    columns: tuple[list[int], ...], times: int, *, exact: bool
) -> None:
    found = stats.addable(*(np.array(one, dtype=np.int64) for one in columns), times=times)
    assert [one.tolist() for one in found] == [*columns]
    assert {one.dtype == object for one in found} == {exact}
