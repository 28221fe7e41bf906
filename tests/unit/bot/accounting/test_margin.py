from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.accounting.margin import RiskManager
from bot.models import Position
from bot.numbers.money import exact

MMR = Decimal("0.005")
SHORT = Position(
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
    assert RiskManager(Decimal("0.8")).must_exit(SHORT, Decimal(price), MMR) is must


def test_a_lost_balance_exits_without_any_maintenance() -> None:
    assert RiskManager(Decimal(1)).must_exit(SHORT, Decimal(125), Decimal(0))
    assert not RiskManager(Decimal(1)).must_exit(SHORT, Decimal("124.99"), Decimal(0))


def test_liquidation_begins_exactly_where_maintenance_no_longer_fits() -> None:
    risk = RiskManager(Decimal("0.8"))
    assert not risk.is_liquidated(SHORT, Decimal("124.9999999"), Decimal(0))
    assert risk.is_liquidated(SHORT, Decimal(125), Decimal(0))
    assert risk.is_liquidated(SHORT, Decimal("124.4"), MMR)
    assert not risk.is_liquidated(SHORT, Decimal("124.3"), MMR)


margins = st.decimals("0.01", "500", places=8)
prices = st.decimals("0.01", "1000", places=2)
shares = st.decimals("0.01", "1", places=2)


@given(margins, prices, prices, shares, st.decimals("0", "0.9", places=3))
def test_prices_at_which_margin_ends_a_short_follow_from_the_terms(
    margin: Decimal, entry: Decimal, price: Decimal, ratio: Decimal, mmr: Decimal
) -> None:
    short = SHORT._replace(margin=margin, perp_entry=entry)
    risk, facts = RiskManager(ratio), (margin, short.quantity, entry, mmr)
    with exact():
        forced, fatal = risk.exit_terms(*facts), risk.liquidation_terms(*facts)
        guards = risk.guards(short, mmr)
        assert risk.must_exit(short, price, mmr) is (price * forced[1] >= forced[0])
        assert risk.is_liquidated(short, price, mmr) is (price * fatal[1] >= fatal[0])
        assert price >= guards.margin_exit or not risk.must_exit(short, price, mmr)
        assert price >= guards.liquidation or not risk.is_liquidated(short, price, mmr)
