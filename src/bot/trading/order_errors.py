"""Errors of an order that the market did not fill whole."""

from bot.errors import ExecutionError
from bot.models import OrderRequest, OrderResult
from bot.numbers.money import plain


class OrderIncompleteError(ExecutionError):
    """An order of which less than the whole is known to be filled."""

    code = "order_incomplete"

    def __init__(self, order: OrderRequest, message: str) -> None:
        super().__init__(message)
        self.order = order


class OrderRejectedError(OrderIncompleteError):
    """An order of which nothing was filled, and nothing will be."""

    code = "order_rejected"


class OrderUnknownError(OrderIncompleteError):
    """An order of which nobody knows yet whether, or how far, it was filled."""

    code = "order_unknown"


class PartlyFilledError(OrderIncompleteError):
    """An order of which a part was filled, and the rest never will be."""

    code = "order_partly_filled"

    def __init__(self, order: OrderRequest, fill: OrderResult) -> None:
        done = f"{plain(fill.request.quantity)} of {plain(order.quantity)} filled"
        super().__init__(order, f"{order.symbol}: {done} ({order.side} {order.leg})")
        self.fill = fill
