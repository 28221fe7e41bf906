"""Brings the legs of an unfinished hedge together, a bounded number of orders at a time."""

from collections import Counter
from dataclasses import replace
from decimal import Decimal

from bot.accounting.order_style import OrderStyle
from bot.models import Leg, OrderRequest, OrderResult, Side, closing_order, opening_order
from bot.trading.account import Aim, UnfinishedHedge
from bot.trading.executor import Executor
from bot.trading.order_errors import OrderIncompleteError, OrderUnknownError, PartlyFilledError

ATTEMPTS = 3
"""Orders sent in one go for one side of a leg, and questions asked about an unknown order."""

Step = tuple[Leg, Side, Decimal]


class LegWorker:
    """Sends the orders of one account, numbered from `orders` on."""

    def __init__(self, executor: Executor, style: OrderStyle) -> None:
        self.orders = 0
        self.style = style
        self._executor = executor

    def order(
        self,
        symbol: str,
        leg: Leg,
        side: Side,
        quantity: Decimal,
        *,
        forced: bool = False,
        maker: bool = False,
    ) -> OrderResult:
        """Send an order and return its fill; raises OrderIncompleteError for less than the whole."""
        self.orders += 1
        return self._executor.execute(OrderRequest(symbol, leg, side, quantity, forced, self.orders, maker))

    def work(self, hedge: UnfinishedHedge) -> UnfinishedHedge:
        """Return the hedge after all that could be done for it now; none of it waits.

        An order whose fate is unknown is never sent again: nothing else happens until it is known.
        """
        hedge = self._asked(hedge)
        sent: Counter[tuple[Leg, Side]] = Counter()
        while hedge.unknown is None and (step := next_step(hedge)) is not None:
            leg, side, quantity = step
            if sent[leg, side] < ATTEMPTS:
                sent[leg, side] += 1
                hedge = self._sent(hedge, leg, side, quantity)
            elif hedge.aim is Aim.OPEN:
                hedge = _giving_up(hedge, leg, side)
            else:
                break
        return hedge

    def _sent(self, hedge: UnfinishedHedge, leg: Leg, side: Side, quantity: Decimal) -> UnfinishedHedge:
        forced = hedge.aim is not Aim.OPEN and not hedge.is_even
        maker = not forced and self._is_made(hedge, leg)
        try:
            return hedge.filled(self.order(hedge.symbol, leg, side, quantity, forced=forced, maker=maker))
        except OrderIncompleteError as error:
            return self._asked(after(hedge, error))

    def _is_made(self, hedge: UnfinishedHedge, leg: Leg) -> bool:
        """Return whether the next order for a leg is a maker order; a leg left alone is closed by takers."""
        if hedge.aim is Aim.OPEN:
            return self.style.opens(leg)
        return hedge.aim is Aim.CLOSE and self.style.closes(leg, hedge.reason)

    def _asked(self, hedge: UnfinishedHedge) -> UnfinishedHedge:
        for _ in range(ATTEMPTS):
            if hedge.unknown is None:
                break
            try:
                fill = self._executor.outcome(hedge.unknown)
            except OrderUnknownError:
                continue
            hedge = replace(hedge, unknown=None)
            hedge = hedge if fill is None else hedge.filled(fill)
        return hedge


def after(hedge: UnfinishedHedge, error: OrderIncompleteError) -> UnfinishedHedge:
    """Return the hedge after an order that was not wholly filled."""
    if isinstance(error, PartlyFilledError):
        return hedge.filled(error.fill)
    return replace(hedge, unknown=error.order) if isinstance(error, OrderUnknownError) else hedge


def next_step(hedge: UnfinishedHedge) -> Step | None:
    """Return the order that brings a hedge nearer to its aim, None if it is there.

    Legs are made equal before anything else, so that no more than one order's fill is ever unhedged.
    """
    spot, perp = hedge.held(Leg.SPOT), hedge.held(Leg.PERP)
    opening = hedge.aim is Aim.OPEN
    if perp > spot:
        return _closing(hedge, Leg.PERP, perp - spot)
    if spot > perp:
        gap = spot - perp
        return _opening(hedge, Leg.PERP, gap) if opening else _closing(hedge, Leg.SPOT, gap)
    if opening and spot < hedge.quantity:
        return _opening(hedge, Leg.SPOT, hedge.quantity - spot)
    if hedge.aim is Aim.CLOSE and spot:
        return _closing(hedge, Leg.SPOT, spot)
    return None


def _opening(hedge: UnfinishedHedge, leg: Leg, quantity: Decimal) -> Step:
    return leg, opening_order(hedge.structure.side(leg)), quantity


def _closing(hedge: UnfinishedHedge, leg: Leg, quantity: Decimal) -> Step:
    return leg, closing_order(hedge.structure.side(leg)), quantity


def _giving_up(hedge: UnfinishedHedge, leg: Leg, side: Side) -> UnfinishedHedge:
    """Return an opening hedge that is content with its spot leg, or closes of it what found no perp leg."""
    if leg is Leg.PERP and side is opening_order(hedge.structure.perp):
        return replace(hedge, aim=Aim.UNWIND)
    return replace(hedge, quantity=hedge.entry(Leg.SPOT).quantity)
