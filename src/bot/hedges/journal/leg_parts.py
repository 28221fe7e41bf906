"""Parts of the net P&L of each leg of a hedge, to the last digit.

What a leg gained at the last prices of its orders, what fills without the size of the order lost against
these, and what that size added, are three readings of the same flows.
"""

from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import NamedTuple

from bot.backtest.attribution import Attribution
from bot.hedges.journal.records import InterestCharge, LegAction, LegMove, LegName, LegPayment, TopUp
from bot.hedges.legs.kind import LegState
from bot.hedges.positions import HedgeTrade, OpenHedge, OpenLeg
from bot.models import CloseReason
from bot.numbers.money import ZERO, book


class Entry(NamedTuple):
    """Prices of an order: the last one, the fill of a small one, and its own fill."""

    last: Decimal
    plain: Decimal
    fill: Decimal


class CoinFlow(NamedTuple):
    """Coins that an inverse leg paid (negative) or received, and what they counted in quote currency."""

    coins: Decimal
    quote: Decimal


@dataclass(slots=True)
class OpenJournal:
    """Records of a hedge that is open; `left_at` are the prices at which its inverse leg was closed."""

    entries: dict[LegName, Entry] = field(default_factory=dict)
    moves: list[LegMove] = field(default_factory=list)
    payments: list[LegPayment] = field(default_factory=list)
    interest: list[InterestCharge] = field(default_factory=list)
    top_ups: list[TopUp] = field(default_factory=list)
    coins: list[CoinFlow] = field(default_factory=list)
    left_at: Entry | None = None


def slippage_of(move: LegMove, leg: OpenLeg, entered: Entry, order: Entry) -> LegMove:
    """Return a move with what its leg booked, and what of that is slippage and impact.

    `entered` are the prices at which the leg was opened, `order` those of the move.
    """
    if leg.market.kind.in_coins:
        return move
    last, plain, fill = (_flow(move, leg, entry, price) for entry, price in zip(entered, order, strict=True))
    return move._replace(pnl=fill, slippage=plain - last, impact=fill - plain)


def _flow(move: LegMove, leg: OpenLeg, entry: Decimal, price: Decimal) -> Decimal:
    kind = leg.market.kind
    if move.action is LegAction.OPEN:
        return ZERO if kind.is_perp else kind.opening_flow(LegState(leg.side, move.quantity, price))
    return kind.closing_flow(LegState(leg.side, move.quantity, entry), move.quantity, price)


def hedge_parts(hedge: OpenHedge, trade: HedgeTrade, own: OpenJournal) -> tuple[Attribution, Attribution]:
    """Return the parts of the long and of the short leg; together they are those of the trade.

    Call inside `exact_products()`.
    """
    return _parts(hedge, trade, own, LegName.LONG), _parts(hedge, trade, own, LegName.SHORT)


def _parts(hedge: OpenHedge, trade: HedgeTrade, own: OpenJournal, leg: LegName) -> Attribution:
    """Return the parts of a leg; where an exchange took one of the two, what both gained counts apart."""
    is_long = leg is LegName.LONG
    moves = [move for move in own.moves if move.leg is leg]
    found = Attribution(
        funding=sum((one.payment.amount for one in own.payments if one.leg is leg), ZERO),
        fees=-sum((move.fee for move in moves if move.action is not LegAction.LIQUIDATE), ZERO),
        liquidation_fees=-sum((move.fee for move in moves if move.action is LegAction.LIQUIDATE), ZERO),
        slippage=sum((move.slippage for move in moves), ZERO),
        impact=sum((move.impact for move in moves), ZERO),
        borrow_cost=ZERO if is_long else -trade.borrow_cost,
        transfer_cost=-sum((one.fee for one in own.top_ups if one.leg is leg), ZERO),
    )
    if not is_long and hedge.short.market.kind.in_coins:
        found = _in_coins(hedge, trade, own, found)
    gained = (trade.long_pnl if is_long else trade.short_pnl) - found.slippage - found.impact - found.coins
    if any(move.action is LegAction.LIQUIDATE for move in own.moves):
        return replace(found, liquidations=gained)
    if any(move.reason is CloseReason.ADL and move.action is LegAction.TAKE for move in own.moves):
        return replace(found, adl=gained)
    return replace(found, basis=gained)


def _in_coins(hedge: OpenHedge, trade: HedgeTrade, own: OpenJournal, found: Attribution) -> Attribution:
    """Return the parts of an inverse leg with what its coins did.

    Its gain, in coins, counts at the last price at which the hedge's coins were sold. Slippage is the rest:
    what its fills lost, and those coins beyond the ones bought.
    """
    leg, kind = hedge.short, hedge.short.market.kind
    sold = next(move for move in own.moves if move.leg is LegName.LONG and move.action is LegAction.CLOSE)
    coins = sum((book(flow.coins * sold.price) - flow.quote for flow in own.coins), ZERO)
    left = next(move for move in own.moves if move.leg is LegName.SHORT and move.action is not LegAction.OPEN)
    if left.fill is None:
        return replace(found, coins=coins)
    entered, order = own.entries[LegName.SHORT], own.left_at
    last, plain, fill = (
        book(kind.gain(LegState(leg.side, leg.quantity, entry, contracts=leg.contracts), price) * sold.price)
        for entry, price in zip(entered, order or entered, strict=True)
    )
    impact = fill - plain
    return replace(found, coins=coins, impact=impact, slippage=trade.short_pnl - last - impact - coins)
