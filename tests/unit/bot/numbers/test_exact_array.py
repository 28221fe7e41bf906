from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from bot.accounting import formulas
from bot.accounting.fees import FeeSchedule, FlatFees
from bot.accounting.fill_model import FillModel
from bot.models import LONG, SHORT, SPOT_PERP, Leg, Side
from bot.numbers.exact_array import ExactArray
from bot.numbers.money import exact

prices = st.decimals("0.00000001", "99999999", places=8) | st.decimals("0.01", "999999", places=2)
wild = st.decimals("1e-18", "1e12", places=18)
quantities = st.decimals("0.00001", "1000000", places=5) | st.integers(1, 10**9).map(Decimal)
rates = st.decimals("-0.03", "0.03", places=8)
amounts = st.tuples(quantities | wild, prices | wild, prices, rates)


@given(st.lists(amounts, min_size=1, max_size=8))
def test_formulas_over_many_amounts_equal_each_by_itself(rows: list[tuple[Decimal, ...]]) -> None:
    fills, fees = FillModel(Decimal("0.0005")), FlatFees(FeeSchedule(Decimal("0.001"), Decimal(0)))
    with exact():
        quantity, price, entry, rate = (
            ExactArray.from_decimals(column) for column in zip(*rows, strict=True)
        )
        sold = fills.price(Side.SELL, price)
        found = [
            formulas.hedge_value(*SPOT_PERP, quantity, price, entry, sold),
            formulas.funding_payment(SHORT, formulas.unit_funding(price, rate), quantity),
            formulas.price_pnl(LONG, quantity, formulas.notional(quantity, entry), sold, quantity),
            fees.fee(Leg.SPOT, quantity, sold),
        ]
        assert [values(column) for column in found] == [
            [formulas.hedge_value(*SPOT_PERP, q, p, e, fills.price(Side.SELL, p)) for q, p, e, _ in rows],
            [formulas.funding_payment(SHORT, formulas.unit_funding(p, r), q) for q, p, _, r in rows],
            [
                formulas.price_pnl(LONG, q, formulas.notional(q, e), fills.price(Side.SELL, p), q)
                for q, p, e, _ in rows
            ],
            [fees.fee(Leg.SPOT, q, fills.price(Side.SELL, p)) for q, p, _, _ in rows],
        ]


def values(column: ExactArray) -> list[Decimal]:
    return [Decimal(int(whole)).scaleb(column.exponent) for whole in column.mantissas.tolist()]


def test_halves_are_rounded_to_even() -> None:
    odd = ExactArray.from_decimals([Decimal(f"0.0000000{digit}") for digit in (1, 3, 5, 7)])
    with exact():
        booked = formulas.notional(ExactArray.from_decimals([Decimal("0.5")] * 4), odd * Decimal(1))
    assert booked.whole(8).tolist() == [0, 2, 2, 4]


def test_nothing_times_a_factor_beyond_64_bits_is_nothing() -> None:
    wide = Decimal(10**30 + 1)
    with exact():
        assert (ExactArray.from_decimals([Decimal(0)]) * wide).decimals() == [Decimal(0)]
        assert (
            formulas.notional(ExactArray.from_decimals([]) * wide, ExactArray.from_decimals([])).decimals()
            == []
        )


def test_a_sum_beyond_64_bits_is_exact_and_that_of_no_values_is_nothing() -> None:
    amounts = ExactArray.from_decimals([Decimal("90000000000.00000001")] * 3)
    assert amounts.total() == Decimal("270000000000.00000003")
    assert amounts[:0].total() == 0
