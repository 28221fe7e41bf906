"""Opening and closing hedges: both legs, one quantity, and no leg left alone."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from decimal import Decimal
from types import MappingProxyType

from bot.accounting import formulas
from bot.accounting.order_style import OrderStyle
from bot.models import (
    LEGS,
    PERP,
    SPOT,
    SPOT_PERP,
    CloseReason,
    Leg,
    OrderRequest,
    OrderResult,
    Position,
    Side,
    Trade,
    closing_order,
    opening_order,
)
from bot.numbers.money import ZERO
from bot.trading.account import Aim, LegFills, UnfinishedHedge, UnwoundSpot
from bot.trading.executor import Executor
from bot.trading.leg_worker import LegWorker, after
from bot.trading.order_errors import OrderIncompleteError
from bot.trading.tracker import PnLTracker

_ENTRIES = {leg: opening_order(SPOT_PERP.side(leg)) for leg in LEGS}
_EXITS = {leg: closing_order(SPOT_PERP.side(leg)) for leg in LEGS}
"""Sides of the orders that open and close a leg; every hedge has the same structure."""


class PositionManager:
    """Holds the hedges, at most one a pair, in order of opening.

    Orders may be filled in part, refused, or stay unknown. Whatever happens, the legs are brought to one
    quantity; where that does not succeed at once the hedge is `unfinished`, and `mend` goes on with it.
    """

    def __init__(
        self,
        executor: Executor,
        tracker: PnLTracker,
        perp_leverage: Decimal,
        style: OrderStyle | None = None,
    ) -> None:
        self._style = style or OrderStyle()
        self._worker = LegWorker(executor, self._style)
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
        """Open the spot leg, then the perp leg; return the hedge, None if there is none (yet)."""
        order, made = self._worker.order, self._style.entries
        try:
            spot = order(symbol, SPOT, _ENTRIES[SPOT], quantity, maker=SPOT in made)
        except OrderIncompleteError as error:
            return self._go_on_opening(after(UnfinishedHedge(symbol, Aim.OPEN, quantity), error))
        try:
            perp = order(symbol, PERP, _ENTRIES[PERP], quantity, maker=PERP in made)
        except OrderIncompleteError as error:
            hedge = UnfinishedHedge(symbol, Aim.OPEN, quantity).filled(spot)
            return self._go_on_opening(after(hedge, error))
        return self._hold(symbol, quantity, spot.price, perp, spot.fee + perp.fee)

    def close(self, position: Position, reason: CloseReason) -> Trade | None:
        """Close the spot leg, then the perp leg; return the trade, None if it has not ended (yet)."""
        symbol, quantity = position.symbol, position.quantity
        order, made = self._worker.order, self._style.made_exits(reason)
        try:
            spot = order(symbol, SPOT, _EXITS[SPOT], quantity, maker=SPOT in made)
        except OrderIncompleteError as error:
            hedge = UnfinishedHedge(symbol, Aim.CLOSE, quantity, position, reason)
            return self._go_on_closing(after(hedge, error))
        try:
            perp = order(symbol, PERP, _EXITS[PERP], quantity, maker=PERP in made)
        except OrderIncompleteError as error:
            hedge = UnfinishedHedge(symbol, Aim.CLOSE, quantity, position, reason).filled(spot)
            return self._go_on_closing(after(hedge, error))
        del self._held[symbol]
        return self._tracker.record_close(position, spot, perp, reason)

    def liquidate(self, position: Position) -> Trade | None:
        """Close the spot leg after the exchange has taken the perp; None if that is still to be done."""
        symbol = position.symbol
        try:
            spot = self._close_spot(position)
        except OrderIncompleteError as error:
            hedge = UnfinishedHedge(symbol, Aim.CLOSE, position.quantity, position, CloseReason.LIQUIDATION)
            return self._go_on_closing(after(hedge.left(PERP), error))
        del self._held[symbol]
        return self._tracker.record_liquidation(position, spot)

    def delist(self, position: Position, perp: OrderResult) -> Trade | None:
        """Close the spot leg as the exchange closes the perp by `perp`; None if that is still to be done."""
        symbol = position.symbol
        try:
            spot = self._close_spot(position)
        except OrderIncompleteError as error:
            hedge = UnfinishedHedge(symbol, Aim.CLOSE, position.quantity, position, CloseReason.DELISTED)
            return self._go_on_closing(after(hedge.filled(perp), error))
        del self._held[symbol]
        return self._tracker.record_close(position, spot, perp, CloseReason.DELISTED)

    def mend(self) -> None:
        """Go on with the unfinished hedges: those being closed are, a spot leg without a perp is closed."""
        for hedge in tuple(self._unfinished.values()):
            if hedge.aim is Aim.CLOSE:
                self._go_on_closing(hedge)
            else:
                self._go_on_opening(replace(hedge, aim=Aim.UNWIND))

    def perp_held(self, symbol: str) -> Decimal:
        """Return the quantity of a pair's perp leg that is open."""
        if symbol in self._held:
            return self._held[symbol].quantity
        return self._unfinished[symbol].held(PERP) if symbol in self._unfinished else ZERO

    def restore(
        self, positions: Iterable[Position], unfinished: Iterable[UnfinishedHedge] = (), orders: int = 0
    ) -> None:
        """Hold what was held, in its order, as if it had been opened here."""
        self._held.update((position.symbol, position) for position in positions)
        self._unfinished.update((hedge.symbol, hedge) for hedge in unfinished)
        self._worker.orders = orders

    def _go_on_opening(self, hedge: UnfinishedHedge) -> Position | None:
        hedge = self._worker.work(hedge)
        if hedge.unknown is not None or not hedge.is_even:
            self._unfinished[hedge.symbol] = hedge
            self._tracker.expect(hedge.symbol)
            return None
        self._unfinished.pop(hedge.symbol, None)
        spot, perp = hedge.entry(SPOT), hedge.entry(PERP)
        position = None
        if perp.quantity:
            fill = _as_fill(hedge.symbol, PERP, _ENTRIES[PERP], perp)
            position = self._hold(hedge.symbol, perp.quantity, spot.price, fill, spot.fees + perp.fees)
        self._unwound(hedge, ZERO if position else spot.fees)
        return position

    def _unwound(self, hedge: UnfinishedHedge, entry_fees: Decimal) -> None:
        closed = hedge.exit(SPOT)
        if closed.quantity:
            entry, quantity, price = hedge.entry(SPOT).price, closed.quantity, closed.price
            cost, fees = formulas.notional(quantity, entry), entry_fees + closed.fees
            gain = formulas.spot_pnl(hedge.structure.spot, quantity, cost, price)
            self._tracker.record_unwound(
                UnwoundSpot(hedge.symbol, closed.filled_at_ms, quantity, entry, price, fees, gain)
            )

    def _go_on_closing(self, hedge: UnfinishedHedge) -> Trade | None:
        hedge = self._worker.work(hedge)
        position, symbol = hedge.position, hedge.symbol
        if position is None or hedge.reason is None:
            raise ValueError(f"{symbol} is closed without a position")
        spot_held, perp_held = hedge.held(SPOT), hedge.held(PERP)
        if hedge.unknown is None and spot_held == perp_held == hedge.quantity:
            self._unfinished.pop(symbol, None)
            self._held[symbol] = position
            return None
        self._held.pop(symbol, None)
        # An unknown order leaves its leg open in the books: it need not be asked for here.
        if spot_held or perp_held:
            self._unfinished[symbol] = hedge
            return None
        self._unfinished.pop(symbol, None)
        spot = _as_fill(symbol, SPOT, _EXITS[SPOT], hedge.exit(SPOT))
        if hedge.reason is CloseReason.LIQUIDATION:
            return self._tracker.record_liquidation(position, spot)
        perp = _as_fill(symbol, PERP, _EXITS[PERP], hedge.exit(PERP))
        return self._tracker.record_close(position, spot, perp, hedge.reason)

    def _close_spot(self, position: Position) -> OrderResult:
        """Close the spot leg of a hedge whose perp leg its exchange takes."""
        return self._worker.order(position.symbol, SPOT, _EXITS[SPOT], position.quantity, forced=True)

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
