from decimal import Decimal

from contracts.fee_model import FeeModelContract

from bot.accounting.fees import FeeModel, FeeSchedule, FlatFees
from bot.accounting.fill_model import FillModel
from bot.models import Leg, Side

TAKER = FeeSchedule(Decimal("0.001"), Decimal("0.0005"))
MAKER = FeeSchedule(Decimal("-0.0001"), Decimal("0.0002"))


class TestFlatFees(FeeModelContract):
    def model(self) -> FeeModel:
        return FlatFees(TAKER, MAKER)


def test_without_rates_for_makers_they_pay_as_takers() -> None:
    assert FlatFees(TAKER).rate(Leg.SPOT, maker=True, t_ms=0) == Decimal("0.001")


def test_a_maker_whose_slippage_is_negative_buys_lower_and_sells_higher_than_the_last_price() -> None:
    fills = FillModel(Decimal("0.0005"), Decimal("-0.0002"))
    last = Decimal(100)
    assert [fills.price(side, last, maker=True) for side in (Side.BUY, Side.SELL)] == [
        Decimal("99.98"),
        Decimal("100.02"),
    ]
    assert [fills.price(side, last) for side in (Side.BUY, Side.SELL)] == [
        Decimal("100.05"),
        Decimal("99.95"),
    ]
    assert fills.last_price(Side.SELL, Decimal("100.02"), maker=True) == last
