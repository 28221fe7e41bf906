"""Contract of every Executor."""

from abc import ABC, abstractmethod
from decimal import Decimal

import pytest

from bot.errors import ExecutionError
from bot.models import Leg, OrderRequest, Side, Ticker
from bot.trading.executor import Executor

NOW_MS = 1_704_067_200_000
TICKER = Ticker("X", NOW_MS, Decimal(100), Decimal(101), Decimal(102), fresh=True, volume_24h=Decimal(0))


class ExecutorContract(ABC):
    """Inherit, and build the executor under test."""

    @abstractmethod
    def executor(self, *tickers: Ticker) -> Executor:
        """Return an executor that knows `tickers`, 5 bp slippage, 0.1 % spot and 0.05 % perp fees."""

    @pytest.mark.parametrize(
        ("leg", "side", "price", "fee"),
        [
            (Leg.SPOT, Side.BUY, "100.05", "0.2001"),
            (Leg.SPOT, Side.SELL, "99.95", "0.1999"),
            (Leg.PERP, Side.BUY, "101.0505", "0.1010505"),
            (Leg.PERP, Side.SELL, "100.9495", "0.1009495"),
        ],
    )
    def test_each_side_of_each_leg_fills_against_us_and_pays_its_fee(
        self, leg: Leg, side: Side, price: str, fee: str
    ) -> None:
        order = OrderRequest("X", leg, side, Decimal(2))
        filled = self.executor(TICKER).execute(order)
        assert (filled.request, filled.filled_at_ms) == (order, NOW_MS)
        assert (filled.price, filled.fee) == (Decimal(price), Decimal(fee))

    def test_a_leg_without_a_price_is_not_filled(self) -> None:
        blank = Ticker("X", NOW_MS, None, None, None, fresh=False, volume_24h=Decimal(0))
        with pytest.raises(ExecutionError, match="X has no spot price"):
            self.executor(blank).execute(OrderRequest("X", Leg.SPOT, Side.BUY, Decimal(1)))

    def test_an_unknown_pair_is_not_filled(self) -> None:
        with pytest.raises(ExecutionError, match="Y has no ticker"):
            self.executor(TICKER).execute(OrderRequest("Y", Leg.SPOT, Side.BUY, Decimal(1)))
