"""Port of every order, and the simulated executor that replays and paper trading share."""

from abc import ABC, abstractmethod

from bot.accounting.fees import FeeModel
from bot.accounting.fill_model import FillModel
from bot.errors import ExecutionError
from bot.market.tickers import TickerService
from bot.models import SPOT, OrderRequest, OrderResult


class Executor(ABC):
    """Turns an order into a fill."""

    @abstractmethod
    def execute(self, order: OrderRequest) -> OrderResult:
        """Return the fill of the whole order.

        Raises: PartlyFilledError, OrderRejectedError or OrderUnknownError for what markets do;
        ExecutionError for an order that should not have been made.
        """

    @abstractmethod
    def outcome(self, order: OrderRequest) -> OrderResult | None:
        """Return the final fill of an order that was left unknown, None if nothing was filled.

        Raises: OrderUnknownError as long as nobody knows.
        """


class SimulatedExecutor(Executor):
    """Fills orders at the newest known price through the fill model, for the fees of their kind."""

    def __init__(self, tickers: TickerService, fills: FillModel, fees: FeeModel) -> None:
        self._tickers = tickers
        self._fills = fills
        self._fees = fees

    def execute(self, order: OrderRequest) -> OrderResult:
        """Return the whole order filled at once."""
        ticker = self._tickers.latest(order.symbol)
        last_price = ticker.spot if order.leg is SPOT else ticker.perp
        if last_price is None:
            raise ExecutionError(f"{order.symbol} has no {order.leg} price to fill at")
        fees, maker, t_ms = self._fees, order.maker, ticker.t_ms
        price = self._fills.price(order.side, last_price, maker=maker)
        fee = fees.fee(order.leg, order.quantity, price, maker=maker, t_ms=t_ms)
        if fees.varies:
            fees.note(order.leg, order.quantity, price, t_ms)
        return OrderResult(order, price, fee, t_ms)

    def outcome(self, order: OrderRequest) -> OrderResult | None:
        """Raise ExecutionError: an order is filled at once or never."""
        raise ExecutionError(f"order {order.number} for {order.symbol} was never left unknown")
