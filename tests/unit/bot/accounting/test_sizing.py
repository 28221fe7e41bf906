from decimal import Decimal
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from bot.accounting.fees import FeeSchedule, FlatFees
from bot.accounting.fill_model import FillModel
from bot.accounting.sizing import PositionSizer, SizingLimits
from bot.accounting.trading_costs import TradingCosts
from bot.models import Instrument, Ticker

FEES = FeeSchedule(Decimal("0.001"), Decimal("0.00055"))
NO_FEES = FeeSchedule(Decimal(0), Decimal(0))


def ticker(spot: str, perp: str) -> Ticker:
    return Ticker("X", 0, Decimal(spot), Decimal(perp), Decimal(perp), fresh=True, volume_24h=Decimal(0))


def sizer(
    fees: FeeSchedule = NO_FEES, leverage: str = "1", slots: int = 1, **caps: Decimal | None
) -> PositionSizer:
    limits = SizingLimits(
        Decimal(1), slots, caps.get("max_position_size"), caps.get("max_portfolio_exposure")
    )
    return PositionSizer(limits, TradingCosts(FlatFees(fees), FillModel(Decimal(0))), Decimal(leverage))


def quantity(chosen: PositionSizer, instrument: Instrument | None = None, **account: str) -> Decimal:
    values = {"base": "1000", "fraction": "1", "free_cash": "1000", "exposure": "0", **account}
    exact = {name: Decimal(value) for name, value in values.items()}
    return chosen.quantity(ticker("100", "100"), instrument or Instrument(), **exact)


def test_a_budget_that_fits_exactly_is_used_whole() -> None:
    assert quantity(sizer()) == 5


def test_leverage_leaves_more_for_the_spot_leg() -> None:
    assert quantity(sizer(leverage="3")) == Decimal("7.5")


def test_a_third_of_leverage_is_floored_exactly() -> None:
    tight = Instrument(qty_step=Decimal("0.5"))
    assert quantity(sizer(leverage="3"), tight, base="1000.00000001") == Decimal("7.5")
    assert quantity(sizer(leverage="3"), tight, base="999.99999999") == 7


def test_slots_share_the_base_but_never_exceed_free_cash() -> None:
    assert quantity(sizer(slots=2)) == Decimal("2.5")
    assert quantity(sizer(slots=2), free_cash="100") == Decimal("0.5")


def test_caps_bound_position_and_portfolio() -> None:
    assert quantity(sizer(max_position_size=Decimal(250))) == Decimal("2.5")
    assert quantity(sizer(max_portfolio_exposure=Decimal(400)), exposure="300") == 1
    assert quantity(sizer(max_portfolio_exposure=Decimal(400)), exposure="500") == 0


def test_what_is_below_the_exchange_minimum_is_not_opened() -> None:
    assert quantity(sizer(), base="9.9") == 0
    assert quantity(sizer(), base="10") == Decimal("0.05")
    assert quantity(sizer(), Instrument(min_qty=Decimal(6))) == 0


def test_without_free_cash_nothing_is_opened() -> None:
    assert quantity(sizer(), free_cash="-1") == 0


def test_without_a_price_nothing_is_opened() -> None:
    blank = Ticker("X", 0, None, None, None, fresh=False, volume_24h=Decimal(0))
    assert sizer().quantity(blank, Instrument(), *map(Decimal, ("1000", "1", "1000", "0"))) == 0


@given(
    spot=st.decimals("0.0001", "100000", places=4),
    perp=st.decimals("0.0001", "100000", places=4),
    leverage=st.integers(1, 50),
    base=st.decimals("10", "100000000", places=2),
)
def test_one_step_more_would_exceed_the_budget(
    spot: Decimal, perp: Decimal, leverage: int, base: Decimal
) -> None:
    rules = Instrument(min_qty=Decimal(0), min_notional=Decimal(0))
    limits = SizingLimits(Decimal("0.9"), 3, None, None)
    costs = TradingCosts(FlatFees(FEES), FillModel(Decimal("0.0005")))
    chosen = PositionSizer(limits, costs, Decimal(leverage))
    found = chosen.quantity(ticker(str(spot), str(perp)), rules, base, Decimal(1), base, Decimal(0))
    unit = Fraction(spot) * Fraction("1.0005") * Fraction("1.001") + Fraction(perp) * Fraction("0.9995") * (
        Fraction(1, leverage) + Fraction("0.00055")
    )
    budget = Fraction(base) * Fraction("0.9") / 3
    assert Fraction(found) * unit <= budget < (Fraction(found) + Fraction("0.00001")) * unit
