from decimal import Decimal

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from bot.numbers.columns import DecimalColumn

decimals = st.decimals(allow_nan=False, allow_infinity=False, places=9, min_value=-(10**14), max_value=10**14)
wide = st.builds(lambda n, e: Decimal(n).scaleb(e), st.integers(-(10**30), 10**30), st.integers(-30, 5))
columns = st.lists(st.one_of(decimals, wide), max_size=12)


def same(one: DecimalColumn, other: DecimalColumn) -> bool:
    return (
        one.exponent == other.exponent
        and one.mantissas.dtype == other.mantissas.dtype
        and one.mantissas.tolist() == other.mantissas.tolist()
    )


@given(columns)
def test_column_gives_back_what_went_in(values: list[Decimal]) -> None:
    column = DecimalColumn.from_decimals(values)
    assert column.decimals() == values
    assert [column.decimal(i) for i in range(len(column))] == values


@given(columns)
def test_equal_values_make_equal_columns_however_they_are_written(values: list[Decimal]) -> None:
    written = [value.as_tuple() for value in values]
    padded = [Decimal((w.sign, (*w.digits, 0, 0, 0), int(w.exponent) - 3)) for w in written]
    assert same(DecimalColumn.from_decimals(values), DecimalColumn.from_decimals(padded))


@given(columns, columns)
def test_joined_columns_are_the_column_of_all_values(first: list[Decimal], second: list[Decimal]) -> None:
    joined = DecimalColumn.concat([DecimalColumn.from_decimals(first), DecimalColumn.from_decimals(second)])
    assert same(joined, DecimalColumn.from_decimals(first + second))


@given(columns, st.integers(0, 12), st.integers(0, 12))
def test_part_of_a_column_is_the_column_of_that_part(values: list[Decimal], start: int, stop: int) -> None:
    column = DecimalColumn.from_decimals(values)
    assert same(column[start:stop], DecimalColumn.from_decimals(values[start:stop]))
    chosen = np.arange(len(values))[::-2]
    assert same(column[chosen], DecimalColumn.from_decimals(values[::-2]))


def test_narrow_values_are_machine_integers_and_wide_ones_stay_exact() -> None:
    assert DecimalColumn.from_decimals([Decimal("1.50")]).mantissas.dtype == np.int64
    widened = DecimalColumn.from_decimals([Decimal("1e15"), Decimal("1e-9")])
    assert widened.decimals() == [Decimal("1e15"), Decimal("1e-9")]
    assert widened[:1].mantissas.dtype == np.int64


def test_zero_with_a_far_exponent_costs_nothing() -> None:
    column = DecimalColumn.from_decimals([Decimal("0E-300"), Decimal("0E+300"), Decimal(7)])
    assert (column.exponent, column.mantissas.tolist()) == (0, [0, 0, 7])
