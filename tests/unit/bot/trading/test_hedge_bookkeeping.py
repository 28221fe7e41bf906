"""Positions and their ledger, by hand: 2 units bought at 100, perp sold at 101, leverage 2, no slippage."""

from decimal import Decimal

import pytest

from bot.accounting.fees import FeeSchedule, FlatFees
from bot.accounting.fill_model import FillModel
from bot.backtest.executor import BacktestExecutor
from bot.market.tickers import TickerService
from bot.models import CloseReason, FundingRate, Leg, OrderRequest, OrderResult, Side, Ticker
from bot.trading.position_manager import PositionManager
from bot.trading.tracker import PnLTracker


class Desk:
    def __init__(self) -> None:
        self.tickers = TickerService()
        fees = FlatFees(FeeSchedule(Decimal("0.001"), Decimal("0.0005")))
        executor = BacktestExecutor(self.tickers, FillModel(Decimal(0)), fees)
        self.tracker = PnLTracker(Decimal(1000))
        self.positions = PositionManager(executor, self.tracker, Decimal(2))

    def prices(self, t_ms: int, spot: str, perp: str) -> None:
        closes = (Decimal(spot), Decimal(perp), Decimal(perp))
        self.tickers.update({"X": Ticker("X", t_ms, *closes, fresh=True, volume_24h=Decimal(0))})

    def fund(self, rate: str, mark: str) -> Decimal:
        position = self.positions.held.get("X")
        assert position is not None
        record = FundingRate("X", 2, Decimal(rate), 8, Decimal(mark), Decimal(rate))
        return self.tracker.record_funding(position.quantity, record, Decimal(mark))


@pytest.fixture
def desk() -> Desk:
    opened = Desk()
    opened.prices(1, "100", "101")
    opened.positions.open("X", Decimal(2))
    return opened


def test_opening_pays_spot_and_fees_and_locks_margin(desk: Desk) -> None:
    assert desk.tracker.cash == Decimal(1000) - 200 - Decimal("0.2") - Decimal("0.101")
    assert desk.tracker.margin_locked == 101
    assert desk.tracker.free_cash == Decimal("698.699")
    assert desk.positions.exposure == 200


def test_price_moves_cancel_in_the_equity(desk: Desk) -> None:
    for spot, perp in (("50", "51"), ("100", "101"), ("400", "401")):
        desk.prices(2, spot, perp)
        assert desk.tracker.equity(desk.positions.held.values(), desk.tickers) == Decimal("999.699")


def test_funding_is_received_when_positive_and_paid_when_negative(desk: Desk) -> None:
    assert desk.fund("0.001", "102") == Decimal("0.204")
    assert desk.fund("-0.002", "102") == Decimal("-0.408")
    assert desk.tracker.equity(desk.positions.held.values(), desk.tickers) == Decimal("999.495")


def test_closing_turns_everything_into_cash(desk: Desk) -> None:
    desk.fund("0.001", "102")
    desk.prices(3, "110", "110.5")
    position = desk.positions.held.get("X")
    assert position is not None
    trade = desk.positions.close(position, CloseReason.SIGNAL)
    assert trade is not None
    assert trade.price_pnl == 220 - 200 + 2 * (Decimal(101) - Decimal("110.5"))
    assert trade.fees == Decimal("0.301") + Decimal("0.22") + Decimal("0.1105")
    assert trade.funding == Decimal("0.204")
    assert trade.net_pnl == trade.price_pnl + trade.funding - trade.fees
    assert desk.tracker.cash == 1000 + trade.net_pnl
    assert desk.tracker.margin_locked == 0
    assert not desk.positions.held


def test_a_liquidation_loses_the_margin_and_sells_the_spot(desk: Desk) -> None:
    desk.prices(3, "160", "161")
    position = desk.positions.held.get("X")
    assert position is not None
    trade = desk.positions.liquidate(position)
    assert trade is not None
    assert (trade.perp_exit, trade.reason, trade.closed_at_ms) == (None, CloseReason.LIQUIDATION, 3)
    assert trade.price_pnl == 320 - 200 - 101
    assert trade.fees == Decimal("0.301") + Decimal("0.32")
    assert desk.tracker.cash == 1000 + trade.net_pnl


def test_a_delisting_settles_the_short_as_told_and_sells_the_spot(desk: Desk) -> None:
    desk.prices(3, "160", "161")
    trade = desk.positions.delist(desk.positions.held["X"], settled(Decimal(2), "158", "0.5"))
    assert trade is not None
    assert (trade.perp_exit, trade.reason, trade.closed_at_ms) == (158, CloseReason.DELISTED, 3)
    assert trade.price_pnl == 320 - 200 + 2 * (101 - 158)
    assert trade.fees == Decimal("0.301") + Decimal("0.32") + Decimal("0.5")
    assert desk.tracker.cash == 1000 + trade.net_pnl


def settled(quantity: Decimal, price: str, fee: str) -> OrderResult:
    order = OrderRequest("X", Leg.PERP, Side.BUY, quantity, forced=True)
    return OrderResult(order, Decimal(price), Decimal(fee), 3)
