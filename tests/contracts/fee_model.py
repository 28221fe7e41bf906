"""Contract of every FeeModel."""

from abc import ABC, abstractmethod
from decimal import Decimal

import pytest

from bot.accounting.fees import FeeModel
from bot.models import Leg
from bot.numbers.money import exact

T_MS = 1_704_067_200_000


class FeeModelContract(ABC):
    """Inherit, and build the model under test."""

    @abstractmethod
    def model(self) -> FeeModel:
        """Return a model: spot taker 0.1 %, maker -0.01 %; perp taker 0.05 %, maker 0.02 %, at T_MS."""

    @pytest.mark.parametrize(
        ("leg", "maker", "fee"),
        [
            (Leg.SPOT, False, "0.30000001"),
            (Leg.SPOT, True, "-0.03"),
            (Leg.PERP, False, "0.15"),
            (Leg.PERP, True, "0.06"),
        ],
    )
    def test_each_kind_of_order_of_each_leg_pays_or_gets_its_own_rate_booked(
        self, leg: Leg, maker: bool, fee: str
    ) -> None:
        model, quantity, price = self.model(), Decimal(3), Decimal("100.000002")
        with exact():
            booked = model.fee(leg, quantity, price, maker=maker, t_ms=T_MS)
            assert booked == Decimal(fee)
            rate = model.rate(leg, maker=maker, t_ms=T_MS)
            assert abs(booked - quantity * price * rate) <= Decimal("0.000000005")

    def test_orders_are_takers_unless_they_are_said_to_be_makers(self) -> None:
        model = self.model()
        with exact():
            taken = model.fee(Leg.PERP, Decimal(1), Decimal(100), t_ms=T_MS)
            assert taken == model.fee(Leg.PERP, Decimal(1), Decimal(100), maker=False, t_ms=T_MS)
