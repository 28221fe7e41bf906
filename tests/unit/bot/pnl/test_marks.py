from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from bot.data.columns import DecimalColumn
from bot.money import exact
from bot.pnl import formulas
from bot.pnl.marks import hedge_values

prices = st.decimals("0.00000001", "99999999", places=8) | st.decimals("0.01", "999999", places=2)
wild = st.decimals("1e-18", "1e12", places=18)
quantities = st.decimals("0.00001", "1000000", places=5) | st.integers(1, 10**9).map(Decimal)


@given(quantities, prices | wild, st.lists(st.tuples(prices | wild, prices), min_size=1, max_size=8))
def test_many_values_equal_each_by_itself(
    quantity: Decimal, entry: Decimal, pairs: list[tuple[Decimal, Decimal]]
) -> None:
    spots, perps = ([Decimal(price) for price in leg] for leg in zip(*pairs, strict=True))
    with exact():
        expected = [formulas.hedge_value(quantity, s, entry, p) for s, p in zip(spots, perps, strict=True)]
        if max(map(abs, expected)) > 10**9:
            return
        columns = (DecimalColumn.from_decimals(spots), DecimalColumn.from_decimals(perps))
        found = hedge_values(quantity, entry, *columns)
        assert found.tolist() == [int(value * 10**8) for value in expected]


def test_halves_are_rounded_to_even() -> None:
    spots = DecimalColumn.from_decimals([Decimal("0.00000001"), Decimal("0.00000003"), Decimal("0.00000005")])
    perps = DecimalColumn.from_decimals([Decimal(1)] * 3)
    assert hedge_values(Decimal("0.5"), Decimal(1), spots, perps).tolist() == [0, 2, 2]
