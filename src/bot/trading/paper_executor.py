"""Execution against live prices without sending anything to an exchange."""

from bot.accounting.fees import FeeModel
from bot.accounting.fill_model import FillModel
from bot.clock import Clock
from bot.market.tickers import TickerService
from bot.models import OrderRequest, OrderResult
from bot.trading.executor import SimulatedExecutor
from bot.trading.order_errors import OrderRejectedError


class PaperExecutor(SimulatedExecutor):
    """Fills at live prices, and refuses prices that are older than `max_age_ms` on the clock."""

    def __init__(
        self, tickers: TickerService, fills: FillModel, fees: FeeModel, clock: Clock, max_age_ms: int
    ) -> None:
        super().__init__(tickers, fills, fees)
        self._clock = clock
        self._max_age_ms = max_age_ms

    def execute(self, order: OrderRequest) -> OrderResult:
        """Return the fill of `order`; raises OrderRejectedError on a price that is too old to trust.

        Forced orders fill at any age.
        """
        age_ms = self._clock.now_ms() - self._tickers.latest(order.symbol).t_ms
        if age_ms > self._max_age_ms and not order.forced:
            raise OrderRejectedError(
                order,
                f"{order.symbol}: the newest price is {age_ms} ms old, "
                f"at most {self._max_age_ms} ms are accepted",
            )
        return super().execute(order)
