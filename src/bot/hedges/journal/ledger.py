"""Ledger of a run of hedges: every booked amount by time; together they are the net P&L to the last digit."""

from collections.abc import Iterator
from decimal import Decimal
from typing import NamedTuple

from bot.hedges.journal.records import Journal, JournaledHedge, LegAction, LegName
from bot.numbers.money import ZERO, exact


class LedgerEntry(NamedTuple):
    """A booked amount in quote currency, received if positive.

    `booking` says what for: `open`, `reduce`, `close`, `take` and `liquidate` move a leg, their `fee` stands
    apart; `coins` is the worth in which an inverse leg's coins were sold, beyond funding and fees. `price` is
    the fill, the mark price of a settlement, or the spot price of interest.
    """

    t_ms: int
    symbol: str
    leg: str
    market: str
    booking: str
    quantity: Decimal | None
    price: Decimal | None
    rate: Decimal | None
    amount: Decimal


def ledger_entries(journal: Journal) -> list[LedgerEntry]:
    """Return the ledger of a run, oldest first; at one moment in the order of the trades."""
    with exact():
        found = [entry for hedge in journal.hedges for entry in _entries(hedge)]
    for move in journal.transfers:
        facts = f"{move.source} to {move.target}", None, None, None
        found.append(LedgerEntry(move.t_ms, "", "", facts[0], "transfer fee", *facts[1:], -move.fee))
    return sorted(found, key=lambda entry: entry.t_ms)


def _entries(hedge: JournaledHedge) -> Iterator[LedgerEntry]:
    name = hedge.trade.symbol

    def entry(t_ms: int, leg: LegName, booking: str, *facts: Decimal | None) -> LedgerEntry:
        quantity, price, rate, amount = facts
        market = hedge.facts(leg).market
        return LedgerEntry(t_ms, name, leg, market, booking, quantity, price, rate, amount or ZERO)

    for move in hedge.moves:
        if move.pnl or (move.action is LegAction.LIQUIDATE and move.pnl is not None):
            yield entry(move.t_ms, move.leg, move.action, move.quantity, move.fill, None, move.pnl)
        if move.fee:
            yield entry(move.t_ms, move.leg, "fee", move.quantity, move.fill, None, -move.fee)
    for leg, payment in hedge.payments:
        facts = payment.quantity, payment.mark_price, payment.rate, payment.amount
        yield entry(payment.t_ms, leg, "funding", *facts)
    for charge in hedge.interest:
        facts = charge.quantity, charge.price, charge.rate, -charge.amount
        yield entry(charge.t_ms, LegName.SHORT, "interest", *facts)
    for moved in hedge.top_ups:
        if moved.fee:
            yield entry(moved.t_ms, moved.leg, "transfer fee", None, None, None, -moved.fee)
    if hedge.legs[1].in_coins:
        sold_ms = next(
            move.t_ms for move in hedge.moves if move.leg is LegName.LONG and move.action is LegAction.CLOSE
        )
        yield entry(sold_ms, LegName.SHORT, "coins", None, None, None, hedge.trade.short_pnl)
