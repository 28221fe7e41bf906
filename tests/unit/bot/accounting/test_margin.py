from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.accounting.margin import FlatMargin, MarginedLeg
from bot.models import LONG, SHORT, Position
from bot.numbers.money import exact

MMR = Decimal("0.005")
HEDGE = Position(
    symbol="X",
    opened_at_ms=0,
    quantity=Decimal(2),
    spot_entry=Decimal(100),
    perp_entry=Decimal(100),
    spot_cost=Decimal(200),
    margin=Decimal(50),
    entry_fees=Decimal(0),
)


@pytest.mark.parametrize(
    ("price", "must"),
    [
        ("100", False),
        ("124", False),
        ("124.2236", False),
        ("124.2237", True),
        ("125", True),
        ("200", True),
    ],
)
def test_margin_exit_begins_where_maintenance_reaches_its_share_of_the_balance(
    price: str, must: bool
) -> None:
    assert FlatMargin(MMR, Decimal("0.8")).must_leave(HEDGE, Decimal(price)) is must


def test_a_lost_balance_exits_without_any_maintenance() -> None:
    model = FlatMargin(Decimal(0), Decimal(1))
    assert model.must_leave(HEDGE, Decimal(125))
    assert not model.must_leave(HEDGE, Decimal("124.99"))


def test_liquidation_begins_exactly_where_maintenance_no_longer_fits() -> None:
    free, usual = FlatMargin(Decimal(0), Decimal("0.8")), FlatMargin(MMR, Decimal("0.8"))
    assert not free.is_liquidated(HEDGE, Decimal("124.9999999"))
    assert free.is_liquidated(HEDGE, Decimal(125))
    assert usual.is_liquidated(HEDGE, Decimal("124.4"))
    assert not usual.is_liquidated(HEDGE, Decimal("124.3"))


margins = st.decimals("0.01", "500", places=8)
prices = st.decimals("0.01", "1000", places=2)
shares = st.decimals("0.01", "1", places=2)


@given(margins, prices, prices, shares, st.decimals("0", "0.9", places=3))
def test_margin_ends_a_short_where_maintenance_takes_up_the_ratio_of_its_balance(
    margin: Decimal, entry: Decimal, price: Decimal, ratio: Decimal, mmr: Decimal
) -> None:
    hedge, model = HEDGE._replace(margin=margin, perp_entry=entry), FlatMargin(mmr, ratio)
    with exact():
        maintenance, balance = mmr * 2 * price, margin + 2 * (entry - price)
        assert model.must_leave(hedge, price) is (balance <= 0 or maintenance >= ratio * balance)
        assert model.is_liquidated(hedge, price) is (maintenance >= balance)
        if price < model.guard(hedge):
            assert not model.must_leave(hedge, price)
            assert not model.is_liquidated(hedge, price)
        assert price >= model.liquidation_guard(hedge) or not model.is_liquidated(hedge, price)


@given(margins, prices, prices, shares, st.decimals("0", "0.9", places=3))
def test_the_same_terms_hold_for_a_leg_of_either_side(
    margin: Decimal, entry: Decimal, price: Decimal, ratio: Decimal, mmr: Decimal
) -> None:
    for side in (LONG, SHORT):
        with exact():
            backing, need = FlatMargin(mmr, ratio).terms(MarginedLeg(side, margin, Decimal(2), entry), ratio)
            maintenance, balance = mmr * 2 * price, margin + side * 2 * (price - entry)
            assert (price * need >= backing) is (maintenance >= ratio * balance)
