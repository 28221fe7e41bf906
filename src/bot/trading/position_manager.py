"""Opening and closing hedges: both legs, one quantity, and no leg left alone."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from decimal import Decimal
from types import MappingProxyType

from bot.accounting import formulas
from bot.models import CloseReason, Leg, OrderRequest, OrderResult, Position, Side, Trade
from bot.numbers.money import ZERO
from bot.trading.account import Aim, LegFills, UnfinishedHedge, UnwoundSpot
from bot.trading.executor import Executor
from bot.trading.leg_worker import LegWorker, after
from bot.trading.order_errors import OrderIncompleteError
from bot.trading.tracker import PnLTracker


class PositionManager:
    """Holds the hedges, at most one a pair, in order of opening.

    Orders may be filled in part, refused, or stay unknown. Whatever happens, the legs are brought to one
    quantity; where that does not succeed at once the hedge is `unfinished`, and `mend` goes on with it.
    """

    def __init__(self, executor: Executor, tracker: PnLTracker, perp_leverage: Decimal) -> None:
        self._worker = LegWorker(executor)
        self._tracker = tracker
        self._leverage = perp_leverage
        self._held: dict[str, Position] = {}
        self._unfinished: dict[str, UnfinishedHedge] = {}
        self.held: Mapping[str, Position] = MappingProxyType(self._held)
        """The open hedges by symbol, in order of opening."""
        self.unfinished: Mapping[str, UnfinishedHedge] = MappingProxyType(self._unfinished)
        """Hedges by symbol whose legs are not at their aim; none of them is among those held."""

    @property
    def exposure(self) -> Decimal:
        """Spot notional of the open hedges at their entry fills, quote currency."""
        return sum([position.quantity * position.spot_entry for position in self._held.values()], ZERO)

    @property
    def orders(self) -> int:
        """Number of the newest order."""
        return self._worker.orders

    def open(self, symbol: str, quantity: Decimal) -> Position | None:
        """Buy spot and sell the perp; return the hedge, None if there is none (yet)."""
        try:
            spot = self._worker.order(symbol, Leg.SPOT, Side.BUY, quantity)
        except OrderIncompleteError as error:
            return self._go_on_opening(after(UnfinishedHedge(symbol, Aim.OPEN, quantity), error))
        try:
            perp = self._worker.order(symbol, Leg.PERP, Side.SELL, quantity)
        except OrderIncompleteError as error:
            hedge = UnfinishedHedge(symbol, Aim.OPEN, quantity).filled(spot)
            return self._go_on_opening(after(hedge, error))
        return self._hold(symbol, quantity, spot.price, perp, spot.fee + perp.fee)

    def close(self, position: Position, reason: CloseReason) -> Trade | None:
        """Sell spot and buy the perp back; return the trade, None if it has not ended (yet)."""
        symbol, quantity = position.symbol, position.quantity
        try:
            spot = self._worker.order(symbol, Leg.SPOT, Side.SELL, quantity)
        except OrderIncompleteError as error:
            hedge = UnfinishedHedge(symbol, Aim.CLOSE, quantity, position, reason)
            return self._go_on_closing(after(hedge, error))
        try:
            perp = self._worker.order(symbol, Leg.PERP, Side.BUY, quantity)
        except OrderIncompleteError as error:
            hedge = UnfinishedHedge(symbol, Aim.CLOSE, quantity, position, reason).filled(spot)
            return self._go_on_closing(after(hedge, error))
        del self._held[symbol]
        return self._tracker.record_close(position, spot, perp, reason)

    def liquidate(self, position: Position) -> Trade | None:
        """Sell the spot leg after the exchange has taken the short; None if that is still to be done."""
        symbol, quantity = position.symbol, position.quantity
        try:
            spot = self._worker.order(symbol, Leg.SPOT, Side.SELL, quantity, forced=True)
        except OrderIncompleteError as error:
            hedge = UnfinishedHedge(symbol, Aim.CLOSE, quantity, position, CloseReason.LIQUIDATION)
            taken = replace(hedge, perp_bought=LegFills(quantity))
            return self._go_on_closing(after(taken, error))
        del self._held[symbol]
        return self._tracker.record_liquidation(position, spot)

    def delist(self, position: Position, perp: OrderResult) -> Trade | None:
        """Sell the spot leg as the exchange closes the short by `perp`; None if that is still to be done."""
        symbol, quantity = position.symbol, position.quantity
        try:
            spot = self._worker.order(symbol, Leg.SPOT, Side.SELL, quantity, forced=True)
        except OrderIncompleteError as error:
            hedge = UnfinishedHedge(symbol, Aim.CLOSE, quantity, position, CloseReason.DELISTED)
            return self._go_on_closing(after(hedge.filled(perp), error))
        del self._held[symbol]
        return self._tracker.record_close(position, spot, perp, CloseReason.DELISTED)

    def mend(self) -> None:
        """Go on with the unfinished hedges: those being closed are, what has no short is sold."""
        for hedge in tuple(self._unfinished.values()):
            if hedge.aim is Aim.CLOSE:
                self._go_on_closing(hedge)
            else:
                self._go_on_opening(replace(hedge, aim=Aim.UNWIND))

    def short(self, symbol: str) -> Decimal:
        """Return the quantity that a pair's perp is short."""
        if symbol in self._held:
            return self._held[symbol].quantity
        return self._unfinished[symbol].perp_short if symbol in self._unfinished else ZERO

    def restore(
        self, positions: Iterable[Position], unfinished: Iterable[UnfinishedHedge] = (), orders: int = 0
    ) -> None:
        """Hold what was held, in its order, as if it had been opened here."""
        self._held.update((position.symbol, position) for position in positions)
        self._unfinished.update((hedge.symbol, hedge) for hedge in unfinished)
        self._worker.orders = orders

    def _go_on_opening(self, hedge: UnfinishedHedge) -> Position | None:
        hedge = self._worker.work(hedge)
        if hedge.unknown is not None or hedge.spot_long != hedge.perp_short:
            self._unfinished[hedge.symbol] = hedge
            self._tracker.expect(hedge.symbol)
            return None
        self._unfinished.pop(hedge.symbol, None)
        bought, short = hedge.spot_bought, hedge.perp_sold
        position = None
        if short.quantity:
            perp = _as_fill(hedge.symbol, Leg.PERP, Side.SELL, short)
            position = self._hold(hedge.symbol, short.quantity, bought.price, perp, bought.fees + short.fees)
        self._unwound(hedge, ZERO if position else bought.fees)
        return position

    def _unwound(self, hedge: UnfinishedHedge, entry_fees: Decimal) -> None:
        sold = hedge.spot_sold
        if sold.quantity:
            entry = hedge.spot_bought.price
            price_pnl = formulas.notional(sold.quantity, sold.price) - formulas.notional(sold.quantity, entry)
            fees = entry_fees + sold.fees
            self._tracker.record_unwound(
                UnwoundSpot(
                    hedge.symbol, sold.filled_at_ms, sold.quantity, entry, sold.price, fees, price_pnl
                )
            )

    def _go_on_closing(self, hedge: UnfinishedHedge) -> Trade | None:
        hedge = self._worker.work(hedge)
        position, symbol = hedge.position, hedge.symbol
        if position is None or hedge.reason is None:
            raise ValueError(f"{symbol} is closed without a position")
        if hedge.unknown is None and hedge.spot_long == hedge.perp_short == hedge.quantity:
            self._unfinished.pop(symbol, None)
            self._held[symbol] = position
            return None
        self._held.pop(symbol, None)
        if hedge.unknown is not None or hedge.spot_long or hedge.perp_short:
            self._unfinished[symbol] = hedge
            return None
        self._unfinished.pop(symbol, None)
        spot = _as_fill(symbol, Leg.SPOT, Side.SELL, hedge.spot_sold)
        if hedge.reason is CloseReason.LIQUIDATION:
            return self._tracker.record_liquidation(position, spot)
        perp = _as_fill(symbol, Leg.PERP, Side.BUY, hedge.perp_bought)
        return self._tracker.record_close(position, spot, perp, hedge.reason)

    def _hold(
        self, symbol: str, quantity: Decimal, spot_entry: Decimal, perp: OrderResult, fees: Decimal
    ) -> Position:
        cost = formulas.notional(quantity, spot_entry)
        margin = formulas.locked_margin(quantity, perp.price, self._leverage)
        position = Position(symbol, perp.filled_at_ms, quantity, spot_entry, perp.price, cost, margin, fees)
        self._held[symbol] = position
        self._tracker.record_open(position)
        return position


def _as_fill(symbol: str, leg: Leg, side: Side, fills: LegFills) -> OrderResult:
    order = OrderRequest(symbol, leg, side, fills.quantity)
    return OrderResult(order, fills.price, fills.fees, fills.filled_at_ms)
