"""Opening and closing hedges: both legs, one quantity."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from types import MappingProxyType

from bot.execution.executor import Executor
from bot.models import CloseReason, Leg, OrderRequest, OrderResult, Position, Side, Trade
from bot.money import ZERO
from bot.pnl import formulas
from bot.pnl.tracker import PnLTracker


class PositionManager:
    """Holds the open hedges, at most one a pair, in order of opening."""

    def __init__(self, executor: Executor, tracker: PnLTracker, perp_leverage: Decimal) -> None:
        self._executor = executor
        self._tracker = tracker
        self._leverage = perp_leverage
        self._held: dict[str, Position] = {}
        self.held: Mapping[str, Position] = MappingProxyType(self._held)
        """The open hedges by symbol, in order of opening."""

    @property
    def exposure(self) -> Decimal:
        """Spot notional of the open hedges at their entry fills, quote currency."""
        return sum((position.quantity * position.spot_entry for position in self._held.values()), ZERO)

    def open(self, symbol: str, quantity: Decimal) -> Position:
        """Buy spot and sell the perp; raises ExecutionError if a leg cannot be filled."""
        spot = self._fill(symbol, Leg.SPOT, Side.BUY, quantity)
        perp = self._fill(symbol, Leg.PERP, Side.SELL, quantity)
        position = Position(
            symbol=symbol,
            opened_at_ms=perp.filled_at_ms,
            quantity=quantity,
            spot_entry=spot.price,
            perp_entry=perp.price,
            spot_cost=formulas.notional(quantity, spot.price),
            margin=formulas.locked_margin(quantity, perp.price, self._leverage),
            entry_fees=spot.fee + perp.fee,
        )
        self._held[symbol] = position
        self._tracker.record_open(position)
        return position

    def close(self, position: Position, reason: CloseReason) -> Trade:
        """Sell spot and buy the perp back."""
        spot = self._fill(position.symbol, Leg.SPOT, Side.SELL, position.quantity)
        perp = self._fill(position.symbol, Leg.PERP, Side.BUY, position.quantity)
        del self._held[position.symbol]
        return self._tracker.record_close(position, spot, perp, reason)

    def liquidate(self, position: Position) -> Trade:
        """Sell the spot leg after the exchange has taken the short."""
        spot = self._fill(position.symbol, Leg.SPOT, Side.SELL, position.quantity, forced=True)
        del self._held[position.symbol]
        return self._tracker.record_liquidation(position, spot)

    def restore(self, positions: Iterable[Position]) -> None:
        """Hold `positions`, in their order, as if they had been opened here."""
        self._held.update((position.symbol, position) for position in positions)

    def _fill(
        self, symbol: str, leg: Leg, side: Side, quantity: Decimal, *, forced: bool = False
    ) -> OrderResult:
        return self._executor.execute(OrderRequest(symbol, leg, side, quantity, forced))
