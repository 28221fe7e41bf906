"""Books of an account of hedges: what opening, settling, moving margin and closing a leg books.

Source: docs/domain.md, sections 4 and 6.
"""

from decimal import Decimal

from bot.hedges.arithmetic import multiple_below
from bot.hedges.contracts import Record
from bot.hedges.costs import OrderCosts, fill_price
from bot.hedges.markets import HedgeMarket, LegMarket, Pair
from bot.hedges.positions import (
    HedgeTrade,
    HeldPerp,
    OpenHedge,
    OpenLeg,
    WaitingEntry,
    held_perps,
    reference_place,
    trade_of,
)
from bot.hedges.wallets import Wallets
from bot.models import HOUR_MS, CloseReason, FundingPayment
from bot.numbers.money import ONE, ZERO, book


class HedgeAccount:
    """Wallets, open hedges in order of opening, waiting entries, and the trades so far.

    Call inside `exact_products()`.
    """

    def __init__(self, wallets: Wallets, costs: OrderCosts) -> None:
        self.wallets = wallets
        self.costs = costs
        self.hedges: list[OpenHedge] = []
        self.waiting: list[WaitingEntry] = []
        self.trades: list[HedgeTrade] = []
        self.payments: list[FundingPayment] = []
        self.held_perps: list[HeldPerp] = []
        self.opened = 0

    @property
    def names(self) -> set[str]:
        """Names of the hedges that are open or waiting."""
        names = {hedge.name for hedge in self.hedges}
        names.update(entry.market.name for entry in self.waiting)
        return names

    def free(self) -> dict[str, Decimal]:
        """Return the cash of each wallet that nothing locks or reserves."""
        free = dict(self.wallets.cash)
        for hedge in self.hedges:
            for leg in hedge.open_legs:
                free[leg.market.exchange] -= leg.market.kind.lock(leg)
        for entry in self.waiting:
            for market, amount in zip(entry.market.legs, entry.reserved, strict=True):
                free[market.exchange] -= amount
        return free

    def exposure(self, t_ms: int) -> Decimal:
        """Return the notionals of open hedges at entry, and those of waiting ones at the prices of `t_ms`."""
        total = ZERO
        for hedge in self.hedges:
            leg = hedge.reference()
            total += leg.quantity * leg.entry
        for entry in self.waiting:
            contract = entry.contracts[reference_place(entry.market)]
            total += entry.quantity * contract.known_price(t_ms)
        return total

    def values_by_exchange(self, hedge: OpenHedge, t_ms: int) -> list[tuple[str, Decimal]]:
        """Return with their exchanges the amounts that an open hedge adds to cash at the newest prices."""
        if not hedge.market.structure.is_inverse:
            return [
                (leg.market.exchange, leg.market.kind.worth(leg, leg.contract.known_price(t_ms)))
                for leg in hedge.open_legs
            ]
        if not hedge.long.is_open:
            return []
        coins = hedge.coins
        if hedge.short.is_open:
            price = hedge.short.contract.known_price(t_ms)
            coins += hedge.short.market.kind.gain(hedge.short, price)
        return [(hedge.long.market.exchange, book(coins * hedge.long.contract.known_price(t_ms)))]

    def equity(self, t_ms: int) -> Decimal:
        """Return cash and the worth of all open legs."""
        total = self.wallets.total
        for hedge in self.hedges:
            for _, worth in self.values_by_exchange(hedge, t_ms):
                total += worth
        return total

    def equities(self, t_ms: int) -> dict[str, Decimal]:
        """Return the equity of each wallet: its cash and the worth of its own legs."""
        found = dict(self.wallets.cash)
        for hedge in self.hedges:
            for exchange, worth in self.values_by_exchange(hedge, t_ms):
                found[exchange] += worth
        return found

    def has_contract(self, market: HedgeMarket, pair: Pair, quantity: Decimal, t_ms: int) -> bool:
        """Return False for an inverse leg of a quantity that not one contract fits into."""
        leg = market.short
        if not leg.kind.in_coins:
            return True
        fill = self._opening_fill(leg, pair, quantity, t_ms)
        return _contracts(quantity * fill, leg) > 0

    def open(self, market: HedgeMarket, pair: Pair, quantity: Decimal, t_ms: int) -> OpenHedge:
        """Open both legs at the prices of `t_ms`."""
        prices = pair.long.known_price(t_ms), pair.short.known_price(t_ms)
        long, short = (
            OpenLeg(
                leg.side,
                quantity,
                self._opening_fill(leg, pair, quantity, t_ms),
                market=leg,
                contract=contract,
                tested_ms=t_ms,
            )
            for leg, contract in zip(market.legs, pair, strict=True)
        )
        hedge = OpenHedge(market, self.opened, t_ms, quantity, prices, long, short)
        self.opened += 1
        for leg in hedge.legs:
            kind = leg.market.kind
            if kind.in_coins:
                hedge.coins = quantity
                leg.contracts = _contracts(quantity * leg.entry, leg.market)
            leg.margin = kind.margin(leg, leg.market.leverage)
            flow = kind.opening_flow(leg)
            self._pay(hedge, leg, flow)
            if not kind.is_perp:
                leg.pnl += flow
            self._fee(hedge, leg, quantity, leg.entry, t_ms, maker=self.costs.opens_as_maker(leg.market))
        self.hedges.append(hedge)
        return hedge

    def settle(self, hedge: OpenHedge, leg: OpenLeg, record: Record, t_ms: int) -> Decimal:
        """Book the funding of a leg, and return its amount in quote currency."""
        mark = leg.contract.known_mark(t_ms) if record.mark is None else record.mark
        amount = leg.market.kind.funding(leg, mark, record.rate)
        if leg.market.kind.in_coins:
            hedge.coins += amount
            amount = self._in_quote(hedge, amount, t_ms)
        else:
            self._pay(hedge, leg, amount)
        hedge.funding += amount
        hedge.payments += 1
        facts = t_ms, hedge.name, record.rate, record.interval_hours, mark
        self.payments.append(FundingPayment(*facts, leg.quantity * -leg.side, amount))
        return amount

    def close(self, hedge: OpenHedge, reason: CloseReason, t_ms: int) -> None:
        """Close what is open of a hedge at the prices of `t_ms`; an inverse leg comes before its coins."""
        for leg in hedge.open_legs[:: -1 if hedge.market.structure.is_inverse else 1]:
            self.close_leg(hedge, leg, reason, t_ms, maker=self.costs.closes_as_maker(leg.market, reason))

    def close_leg(
        self, hedge: OpenHedge, leg: OpenLeg, reason: CloseReason, t_ms: int, *, maker: bool = False
    ) -> None:
        """Close a leg at the price of `t_ms`, at once and whole."""
        quantity = self._held(hedge, leg)
        buys = leg.side < 0 or quantity < 0
        fill = self._closing_fill(leg, abs(quantity), t_ms, buys=buys, maker=maker)
        self._book_closing(hedge, leg, leg.quantity, fill)
        self._fee(hedge, leg, abs(quantity), fill, t_ms, maker=maker)
        self._leave(hedge, leg, reason, t_ms, fill)

    def take_leg(
        self, hedge: OpenHedge, leg: OpenLeg, reason: CloseReason, t_ms: int, price: Decimal, *, fee: bool
    ) -> None:
        """Let an exchange close a leg at a price without slippage, for the taker fee or for none."""
        self._book_closing(hedge, leg, leg.quantity, price)
        if fee:
            self._fee(hedge, leg, leg.quantity, price, t_ms, maker=False)
        else:
            self._note(leg, leg.quantity, price, t_ms)
        self._leave(hedge, leg, reason, t_ms, price)

    def liquidate(
        self, hedge: OpenHedge, leg: OpenLeg, t_ms: int, extreme: Decimal, fee_rate: Decimal | None
    ) -> None:
        """Let an exchange liquidate a leg whose mark price reached `extreme`.

        The margin is lost, unless with a fee its gain there less the fee is better.
        """
        kind, result, fee = leg.market.kind, -leg.margin, ZERO
        if fee_rate is not None:
            gain, charged = kind.gain(leg, extreme), kind.fee_amount(leg, leg.quantity, extreme, fee_rate)
            if gain - charged > result:
                result, fee = gain, charged
        if kind.in_coins:
            hedge.coins += result - fee
            hedge.fees += self._in_quote(hedge, fee, t_ms)
        else:
            proceeds = kind.opening_flow(leg)
            self._pay(hedge, leg, result - proceeds - fee)
            leg.pnl += result - proceeds
            hedge.fees += fee
        self._leave(hedge, leg, CloseReason.LIQUIDATION, t_ms, None)

    def charge_interest(self, hedge: OpenHedge, leg: OpenLeg, t_ms: int, begun_ms: int) -> None:
        """Book the interest of a borrowed leg for the hour begun at `begun_ms`."""
        rate = leg.market.interest(begun_ms) or ZERO
        amount = book(leg.quantity * leg.contract.known_price(t_ms) * rate)
        self._pay(hedge, leg, -amount)
        hedge.borrow_cost += amount

    def reduce(self, hedge: OpenHedge, quantity: Decimal, kept: OpenLeg, t_ms: int) -> None:
        """Reduce both legs as taker to a quantity; the leg `kept` keeps its margin, another one its share."""
        for leg in hedge.legs:
            part, kind = leg.quantity - quantity, leg.market.kind
            fill = self._closing_fill(leg, part, t_ms, buys=leg.side < 0, maker=False)
            self._book_closing(hedge, leg, part, fill)
            self._fee(hedge, leg, part, fill, t_ms, maker=False)
            if leg is not kept and kind.is_margined:
                leg.margin = book(leg.margin * quantity / leg.quantity)
            leg.quantity = quantity
        hedge.reductions += 1

    def top_up(
        self, hedge: OpenHedge, leg: OpenLeg, amount: Decimal, fee: Decimal, t_ms: int, delay_ms: int
    ) -> None:
        """Move an amount to the margin of a leg, at once or to arrive after a delay."""
        self.wallets.cash[leg.market.exchange] -= fee
        hedge.transfer_cost += fee
        hedge.top_ups += 1
        if delay_ms:
            leg.incoming, leg.arrives_ms = amount, t_ms + delay_ms
        else:
            leg.margin += amount

    def level(
        self, source: str, target: str, amount: Decimal, fee: Decimal, t_ms: int, delay_ms: int
    ) -> None:
        """Move cash from one wallet to another, at once or to arrive after a delay."""
        self.wallets.send(source, target, amount, fee, t_ms + delay_ms)
        if not delay_ms:
            self.wallets.arrive(t_ms)

    def finish(self) -> list[HedgeTrade]:
        """Return the trades of the hedges that are over, in order of opening, and drop those."""
        over = [hedge for hedge in self.hedges if hedge.is_over]
        if not over:
            return []
        ended = [trade_of(hedge) for hedge in over]
        self.held_perps += (held for hedge in over for held in held_perps(hedge))
        self.hedges = [hedge for hedge in self.hedges if not hedge.is_over]
        self.trades += ended
        return ended

    def _opening_fill(self, leg: LegMarket, pair: Pair, quantity: Decimal, t_ms: int) -> Decimal:
        contract = pair.long if leg.side > 0 else pair.short
        maker = self.costs.opens_as_maker(leg)
        adverse = self.costs.adverse(quantity, contract.day_volume(t_ms), maker=maker)
        return fill_price(contract.known_price(t_ms), adverse, buys=leg.side > 0)

    def _closing_fill(
        self, leg: OpenLeg, quantity: Decimal, t_ms: int, *, buys: bool, maker: bool
    ) -> Decimal:
        adverse = self.costs.adverse(quantity, leg.contract.day_volume(t_ms), maker=maker)
        return fill_price(leg.contract.known_price(t_ms), adverse, buys=buys)

    def _held(self, hedge: OpenHedge, leg: OpenLeg) -> Decimal:
        """Return the quantity that closing a leg trades: all coins of an inverse hedge for its spot leg."""
        is_coins = hedge.market.structure.is_inverse and leg is hedge.long
        return hedge.coins if is_coins else leg.quantity

    def _book_closing(self, hedge: OpenHedge, leg: OpenLeg, part: Decimal, fill: Decimal) -> None:
        """Book what closing a part of a leg moves, and the gain that it shows for the leg."""
        kind = leg.market.kind
        if kind.in_coins:
            hedge.coins += kind.gain(leg, fill)
            return
        flow = kind.closing_flow(leg, part, fill)
        leg.pnl += flow
        if hedge.market.structure.is_inverse:
            flow = kind.closing_flow(leg, hedge.coins, fill)
        self._pay(hedge, leg, flow)

    def _fee(
        self, hedge: OpenHedge, leg: OpenLeg, quantity: Decimal, fill: Decimal, t_ms: int, *, maker: bool
    ) -> None:
        kind, rate = leg.market.kind, self.costs.fee_rate(leg.market, t_ms, maker=maker)
        amount = kind.fee_amount(leg, quantity, fill, rate)
        if kind.in_coins:
            hedge.coins -= amount
            amount = self._in_quote(hedge, amount, t_ms)
        else:
            self._pay(hedge, leg, -amount)
        hedge.fees += amount
        self._note(leg, quantity, fill, t_ms)

    def _note(self, leg: OpenLeg, quantity: Decimal, fill: Decimal, t_ms: int) -> None:
        """Count a fill towards fee tiers: liquidations alone are none."""
        self.costs.note(leg.market, t_ms, leg.market.kind.traded(leg, quantity, fill))

    def _in_quote(self, hedge: OpenHedge, coins: Decimal, t_ms: int) -> Decimal:
        return book(coins * hedge.long.contract.known_price(t_ms))

    def _pay(self, hedge: OpenHedge, leg: OpenLeg, amount: Decimal) -> None:
        self.wallets.cash[leg.market.exchange] += amount
        hedge.flow += amount

    def _leave(
        self, hedge: OpenHedge, leg: OpenLeg, reason: CloseReason, t_ms: int, fill: Decimal | None
    ) -> None:
        if leg.market.kind.borrows and t_ms % HOUR_MS:
            self.charge_interest(hedge, leg, t_ms, t_ms - t_ms % HOUR_MS)
        leg.exit, leg.left_ms = fill, t_ms
        if hedge.reason is None:
            hedge.reason = reason


def _contracts(notional: Decimal, leg: LegMarket) -> Decimal:
    """Return the most contracts that a notional buys, as a quote amount."""
    return multiple_below(notional, ONE, leg.instrument.contract_size)
