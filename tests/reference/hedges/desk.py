"""Openings and closings of hedges and of single legs, interest and funding, with their bookings."""

from dataclasses import dataclass, field
from fractions import Fraction

from tests.reference.hedges.account import Account
from tests.reference.hedges.fees import Orders
from tests.reference.hedges.hedge import Hedge
from tests.reference.hedges.held import Held, HeldLeg, Trade, Waiting
from tests.reference.hedges.margins import MarginRules
from tests.reference.hedges.parameters import HOUR_MS, MINUTE_MS, Parameters
from tests.reference.hedges.signals import Signals, premium_of
from tests.reference.hedges.sizing import Sizing
from tests.reference.naive_numbers import book, divide

ZERO = Fraction(0)


@dataclass
class Desk:
    """Books fills and what follows from them."""

    parameters: Parameters
    account: Account
    orders: Orders
    margins: MarginRules
    signals: Signals
    sizing: Sizing
    ended: list[Trade] = field(default_factory=list)
    """Not yet listed."""
    trades: list[Trade] = field(default_factory=list)
    opened: list[Held] = field(default_factory=list)
    """All hedges ever opened, in that order."""

    def list_ended(self) -> None:
        """Move what has ended to the trades, in order of opening."""
        places = {id(held): place for place, held in enumerate(self.opened)}
        self.trades += sorted(self.ended, key=lambda trade: places[id(trade.held)])
        self.ended = []

    def times_opened(self, hedge: Hedge) -> int:
        """Return how often a hedge has been opened."""
        return sum(held.hedge is hedge for held in self.opened)

    def pay(self, held: Held, leg: HeldLeg, amount: Fraction) -> None:
        """Take an amount into the wallet of a leg."""
        self.account.cash[leg.leg.exchange] += amount
        held.cash_flow += amount

    def charge_fee(self, held: Held, leg: HeldLeg, fee: Fraction) -> None:
        """Take a booked fee in quote from the wallet of a leg."""
        self.pay(held, leg, -fee)
        held.fees += fee

    def charge_coins(self, held: Held, fee: Fraction, u: int) -> None:
        """Take a booked fee in coins from those of an inverse hedge."""
        held.coins -= fee
        held.fees += book(fee * held.long.contract.known_price(u))

    # Openings

    def open(self, entry: Waiting, u: int) -> None:
        """Fill an entry at `u`, unless not one contract of an inverse perp fits."""
        hedge, q = entry.hedge, entry.quantity
        made = [self.orders.is_made(leg.side, None) for leg in hedge.legs]
        fills = [
            self.orders.price(contract, u, q, buys=leg.side == "long", made=style)
            for leg, contract, style in zip(hedge.legs, entry.contracts, made, strict=True)
        ]
        sold = self.sizing.contracts_for(q, fills[1]) if hedge.is_inverse else ZERO
        if hedge.is_inverse and sold == 0:
            return
        long, short = (
            HeldLeg(leg, contract, fill)
            for leg, contract, fill in zip(hedge.legs, entry.contracts, fills, strict=True)
        )
        held = Held(hedge, u, q, q, long, short, premium_of(entry.contracts, u), contracts_sold=sold)
        self.account.held.append(held)
        self.opened.append(held)
        for leg, style in zip(held.legs, made, strict=True):
            self._open_leg(held, leg, u, made=style)

    def _open_leg(self, held: Held, leg: HeldLeg, u: int, *, made: bool) -> None:
        q, rate = held.quantity, self.orders.rate(leg.leg, u, made=made)
        if leg.leg.kind == "inverse":
            leg.margin = book(divide(q, self.margins.leverage(leg.leg)))
            self.charge_coins(held, book(divide(held.contracts_sold * rate, leg.entry)), u)
            self.orders.filled(leg.leg, u, held.contracts_sold)
            return
        notional = book(q * leg.entry)
        if leg.leg.kind in ("spot", "borrowed"):
            self.pay(held, leg, -leg.leg.sign * notional)
            leg.pnl -= leg.leg.sign * notional
        if leg.leg.is_margined:
            leg.margin = book(divide(q * leg.entry, self.margins.leverage(leg.leg)))
        if held.hedge.is_inverse:
            held.coins = q
        self.charge_fee(held, leg, book(q * leg.entry * rate))
        self.orders.filled(leg.leg, u, notional)

    # Closings

    def close(self, held: Held, u: int, reason: str) -> None:
        """Close what is left of a hedge for `reason`, in the style that it asks for."""
        held.reason = held.reason or reason
        order = (held.short, held.long) if held.hedge.is_inverse else held.legs
        for leg in order:
            if leg.is_open:
                self.close_leg(held, leg, u, made=self.orders.is_made(leg.leg.side, reason))
        self.finish(held, u)

    def close_leg(self, held: Held, leg: HeldLeg, u: int, *, made: bool) -> None:
        """Close one leg at the usual fill."""
        coins = held.hedge.is_inverse and leg is held.long
        quantity = abs(held.coins) if coins else held.quantity
        buys = held.coins < 0 if coins else leg.leg.side == "short"
        fill = self.orders.price(leg.contract, u, quantity, buys=buys, made=made)
        self.leave_at(held, leg, u, fill, self.orders.rate(leg.leg, u, made=made))

    def leave_at(self, held: Held, leg: HeldLeg, u: int, fill: Fraction, rate: Fraction) -> None:
        """Book that a whole leg leaves at a price, for a fee rate."""
        if leg.leg.kind == "inverse":
            held.coins += held.gain(leg, fill)
            self.charge_coins(held, book(divide(held.contracts_sold * rate, fill)), u)
            notional = held.contracts_sold
        elif held.hedge.is_inverse:
            notional = book(abs(held.coins) * fill)
            self.pay(held, leg, book(held.coins * fill))
            self.charge_fee(held, leg, book(abs(held.coins) * fill * rate))
            held.coins = ZERO
        else:
            notional = self.close_part(held, leg, fill, held.quantity, rate)
        self.orders.filled(leg.leg, u, notional)
        leg.exit = fill
        self._left(held, leg, u)

    def close_part(
        self, held: Held, leg: HeldLeg, fill: Fraction, quantity: Fraction, rate: Fraction
    ) -> Fraction:
        """Book that a quantity of a leg is closed at a price, for a fee rate; return its notional."""
        notional = book(quantity * fill)
        gain = held.gain(leg, fill, quantity) if leg.leg.kind == "linear" else leg.leg.sign * notional
        self.pay(held, leg, gain)
        leg.pnl += gain
        self.charge_fee(held, leg, book(quantity * fill * rate))
        return notional

    def liquidate(self, held: Held, leg: HeldLeg, u: int, price: Fraction) -> None:
        """Book that the exchange takes a leg that the price of a mark candle has wiped out."""
        loss, fee = -leg.margin, ZERO
        rate = self.parameters["liquidation_fee"]
        if rate is not None:
            inverse = leg.leg.kind == "inverse"
            asked = book(
                divide(held.contracts_sold * rate, price) if inverse else held.quantity * price * rate
            )
            gain = held.gain(leg, price)
            if gain - asked > loss:
                loss, fee = gain, asked
        if leg.leg.kind == "inverse":
            held.coins += loss
            self.charge_coins(held, fee, u)
        else:
            proceeds = book(held.quantity * leg.entry) if leg.leg.kind == "borrowed" else ZERO
            self.pay(held, leg, loss - proceeds)
            leg.pnl += loss - proceeds
            self.charge_fee(held, leg, fee)
        self._left(held, leg, u)
        self.take(held, leg, u, "liquidation", self.parameters["leg_out_delay_minutes"])

    def take(self, held: Held, leg: HeldLeg, u: int, reason: str, delay_minutes: Fraction) -> None:
        """Note that the exchange has taken a leg at `u`: the other is to be closed, or the hedge is over."""
        held.reason = held.reason or reason
        held.close_reason = held.close_due = None
        other = held.other(leg)
        if not other.is_open:
            self.finish(held, u)
        elif delay_minutes:
            held.second_due = other.contract.trades.closes_from(u + int(delay_minutes * MINUTE_MS))
        else:
            held.second_due = u

    def finish(self, held: Held, u: int) -> None:
        """End a hedge that has no leg left."""
        self.account.held.remove(held)
        self.ended.append(Trade(held, u))

    def _left(self, held: Held, leg: HeldLeg, u: int) -> None:
        if leg.leg.kind == "borrowed" and u % HOUR_MS and u > held.opened_at:
            self.charge_interest(held, leg, u - u % HOUR_MS, u)
        leg.is_open = False
        leg.margin = ZERO
        leg.under_way = []

    # Interest and funding

    def charge_interest(self, held: Held, leg: HeldLeg, began: int, u: int) -> None:
        """Book the interest of the hour that began at `began`, at the price of `u`."""
        rate = self.signals.borrow_rate(held.hedge, began) or ZERO
        interest = book(held.quantity * leg.contract.known_price(u) * rate)
        self.pay(held, leg, -interest)
        held.borrow_cost += interest

    def fund(self, held: Held, leg: HeldLeg, t: int) -> Fraction:
        """Book the funding of a leg that settles at `t`, and return it in quote."""
        record = leg.contract.settled_at[t]
        mark = leg.contract.settlement_mark(record)
        if leg.leg.kind == "inverse":
            coins = book(divide(held.contracts_sold * record.rate, mark))
            held.coins += coins
            payment = book(coins * held.long.contract.known_price(t))
        else:
            payment = book(held.quantity * mark * record.rate) * -leg.leg.sign
            self.pay(held, leg, payment)
        held.funding += payment
        held.payments += 1
        return payment

    # Reductions

    def reduce(self, held: Held, short_of_margin: HeldLeg, quantity: Fraction, t: int) -> None:
        """Close a part of both legs as taker, so that `quantity` is left of them."""
        part = held.quantity - quantity
        for leg in held.legs:
            fill = self.orders.price(leg.contract, t, part, buys=leg.leg.side == "short", made=False)
            notional = self.close_part(held, leg, fill, part, self.orders.rate(leg.leg, t, made=False))
            self.orders.filled(leg.leg, t, notional)
            if leg.leg.is_margined and leg is not short_of_margin:
                leg.margin = book(divide(leg.margin * quantity, held.quantity))
        held.quantity = quantity
        held.reductions += 1
