"""Brings the legs of an unfinished hedge together, a bounded number of orders at a time."""

from collections import Counter
from dataclasses import replace
from decimal import Decimal

from bot.models import Leg, OrderRequest, OrderResult, Side
from bot.trading.account import Aim, UnfinishedHedge
from bot.trading.executor import Executor
from bot.trading.order_errors import OrderIncompleteError, OrderUnknownError, PartlyFilledError

ATTEMPTS = 3
"""Orders sent in one go for one side of a leg, and questions asked about an unknown order."""

Step = tuple[Leg, Side, Decimal]


class LegWorker:
    """Sends the orders of one account, numbered from `orders` on."""

    def __init__(self, executor: Executor) -> None:
        self.orders = 0
        self._executor = executor

    def order(
        self, symbol: str, leg: Leg, side: Side, quantity: Decimal, *, forced: bool = False
    ) -> OrderResult:
        """Send an order and return its fill; raises OrderIncompleteError for less than the whole."""
        self.orders += 1
        return self._executor.execute(OrderRequest(symbol, leg, side, quantity, forced, self.orders))

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
                hedge = _giving_up(hedge, side)
            else:
                break
        return hedge

    def _sent(self, hedge: UnfinishedHedge, leg: Leg, side: Side, quantity: Decimal) -> UnfinishedHedge:
        forced = hedge.aim is not Aim.OPEN and hedge.spot_long != hedge.perp_short
        try:
            return hedge.filled(self.order(hedge.symbol, leg, side, quantity, forced=forced))
        except OrderIncompleteError as error:
            return self._asked(after(hedge, error))

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
    long, short = hedge.spot_long, hedge.perp_short
    if short > long:
        return Leg.PERP, Side.BUY, short - long
    if long > short:
        opening = hedge.aim is Aim.OPEN
        return (Leg.PERP if opening else Leg.SPOT), Side.SELL, long - short
    if hedge.aim is Aim.OPEN and long < hedge.quantity:
        return Leg.SPOT, Side.BUY, hedge.quantity - long
    if hedge.aim is Aim.CLOSE and long:
        return Leg.SPOT, Side.SELL, long
    return None


def _giving_up(hedge: UnfinishedHedge, side: Side) -> UnfinishedHedge:
    """Return an opening hedge that is content with what was bought, or sells what found no short."""
    if side is Side.BUY:
        return replace(hedge, quantity=hedge.spot_bought.quantity)
    return replace(hedge, aim=Aim.UNWIND)
