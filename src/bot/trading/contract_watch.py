"""Contracts of the pairs of an account: which may be entered, and which end when."""

from collections.abc import Mapping

from bot.accounting.fees import FeeModel
from bot.errors import ExecutionError
from bot.models import ContractEnd, Leg, OrderRequest, OrderResult, Position, SettlementView, closing_order


class ContractWatch:
    """Knows which contracts end when, and what their perp legs are settled at.

    `untraded` are pairs that the account may still hold, and no longer enters; `all_live` says that any pair
    can be entered at all times.
    """

    __slots__ = ("_ends", "_fees", "all_live", "untraded")

    def __init__(
        self, ends: Mapping[str, ContractEnd], fees: FeeModel, untraded: frozenset[str] = frozenset()
    ) -> None:
        self._ends = ends
        self._fees = fees
        self.untraded = untraded
        self.all_live = not ends and not untraded

    def due(self, symbol: str, after_ms: int, until_ms: int) -> ContractEnd | None:
        """Return the end of a pair's contract if it falls in (after_ms, until_ms]."""
        end = self._ends.get(symbol)
        return end if end is not None and after_ms < end.at_ms <= until_ms else None

    def end_ms(self, symbol: str) -> int | None:
        """Return the end of a pair's contract, None if it does not end."""
        end = self._ends.get(symbol)
        return None if end is None else end.at_ms

    def lives(self, view: SettlementView) -> bool:
        """Return whether the settling pair can still be entered."""
        funding = view.funding
        end = self._ends.get(funding.symbol)
        return funding.symbol not in self.untraded and (end is None or funding.t_ms < end.at_ms)

    def settled(self, position: Position, end: ContractEnd) -> OrderResult:
        """Return the closing of a perp leg by its exchange: without slippage, for the taker fee.

        Raises: ExecutionError without a price to settle at.
        """
        if end.settle_price is None:
            raise ExecutionError(f"{position.symbol} has no price to settle its contract at")
        quantity, side = position.quantity, closing_order(position.structure.perp)
        order = OrderRequest(position.symbol, Leg.PERP, side, quantity, forced=True)
        fee = self._fees.fee(Leg.PERP, quantity, end.settle_price, t_ms=end.at_ms)
        self._fees.note(Leg.PERP, quantity, end.settle_price, end.at_ms)
        return OrderResult(order, end.settle_price, fee, end.at_ms)
