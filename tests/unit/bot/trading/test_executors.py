from decimal import Decimal

import pytest
from contracts.executor import NOW_MS, TICKER, ExecutorContract

from bot.accounting.fees import FeeSchedule, FlatFees
from bot.accounting.fill_model import FillModel
from bot.backtest.executor import BacktestExecutor
from bot.clock import SimulatedClock
from bot.errors import ExecutionError
from bot.market.tickers import TickerService
from bot.models import Leg, OrderRequest, Side, Ticker
from bot.trading.executor import Executor
from bot.trading.paper_executor import PaperExecutor

FEES = FlatFees(FeeSchedule(Decimal("0.001"), Decimal("0.0005")))
FILLS = FillModel(Decimal("0.0005"))


def service(*tickers: Ticker) -> TickerService:
    known = TickerService()
    known.update({ticker.symbol: ticker for ticker in tickers})
    return known


def paper(now_ms: int, *tickers: Ticker) -> PaperExecutor:
    return PaperExecutor(service(*tickers), FILLS, FEES, SimulatedClock(now_ms), max_age_ms=5_000)


class TestBacktestExecutor(ExecutorContract):
    def executor(self, *tickers: Ticker) -> Executor:
        return BacktestExecutor(service(*tickers), FILLS, FEES)


class TestPaperExecutor(ExecutorContract):
    def executor(self, *tickers: Ticker) -> Executor:
        return paper(NOW_MS + 1_000, *tickers)

    def test_a_price_that_is_too_old_is_not_traded_on(self) -> None:
        with pytest.raises(ExecutionError, match="5001 ms old, at most 5000"):
            paper(NOW_MS + 5_001, TICKER).execute(OrderRequest("X", Leg.SPOT, Side.BUY, Decimal(1)))

    def test_what_an_exchange_forces_is_filled_at_any_age(self) -> None:
        order = OrderRequest("X", Leg.SPOT, Side.SELL, Decimal(1), forced=True)
        assert paper(NOW_MS + 5_001, TICKER).execute(order).filled_at_ms == NOW_MS
