from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from bot.accounting import formulas
from bot.models import LONG, SHORT, SPOT_PERP, Leg, Side, closing_order, opening_order
from bot.numbers.money import exact

prices = st.decimals("0.01", "99999", places=4)
quantities = st.decimals("0.001", "1000", places=3)
rates = st.decimals("-0.03", "0.03", places=8)


@given(quantities, prices, prices, rates)
def test_what_a_short_gains_a_long_of_the_same_quantity_loses(
    quantity: Decimal, entry: Decimal, price: Decimal, rate: Decimal
) -> None:
    with exact():
        per_unit = formulas.unit_funding(price, rate)
        paid = [formulas.funding_payment(side, per_unit, quantity) for side in (LONG, SHORT)]
        made = [formulas.leg_pnl(side, quantity, entry, price) for side in (LONG, SHORT)]
    assert (sum(paid), sum(made)) == (0, 0)


def test_a_short_receives_a_positive_rate_and_gains_as_the_price_falls() -> None:
    with exact():
        per_unit = formulas.unit_funding(Decimal(100), Decimal("0.0001"))
        assert formulas.funding_payment(SHORT, per_unit, Decimal(3)) == Decimal("0.03")
        assert formulas.leg_pnl(SHORT, Decimal(3), Decimal(100), Decimal(90)) == 30
        assert formulas.spot_pnl(LONG, Decimal(3), Decimal(300), Decimal(90)) == -30


@given(quantities, prices, prices, prices)
def test_a_mirrored_hedge_is_worth_the_opposite(
    quantity: Decimal, spot: Decimal, entry: Decimal, perp: Decimal
) -> None:
    with exact():
        carried = formulas.hedge_value(*SPOT_PERP, quantity, spot, entry, perp)
        assert formulas.hedge_value(SHORT, LONG, quantity, spot, entry, perp) == -carried


def test_a_long_leg_is_bought_and_sold_again_and_a_short_one_the_other_way_round() -> None:
    assert (opening_order(LONG), closing_order(LONG)) == (Side.BUY, Side.SELL)
    assert (opening_order(SHORT), closing_order(SHORT)) == (Side.SELL, Side.BUY)
    assert (SPOT_PERP.side(Leg.SPOT), SPOT_PERP.side(Leg.PERP)) == (LONG, SHORT)
