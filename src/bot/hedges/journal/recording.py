"""Account and trader of hedges that write a journal; what they book is what theirs book without it."""

from decimal import Decimal
from typing import NamedTuple

from bot.hedges.account import HedgeAccount
from bot.hedges.contracts import Record
from bot.hedges.costs import OrderCosts, fill_price
from bot.hedges.journal.leg_parts import CoinFlow, Entry, OpenJournal, hedge_parts, slippage_of
from bot.hedges.journal.records import (
    InterestCharge,
    Journal,
    JournaledHedge,
    LegAction,
    LegFacts,
    LegMove,
    LegName,
    LegPayment,
    MarginTest,
    TopUp,
    WalletMove,
)
from bot.hedges.maintenance import shortfall
from bot.hedges.mark_tests import worst_candles
from bot.hedges.markets import HedgeMarket, Pair
from bot.hedges.positions import HedgeTrade, OpenHedge, OpenLeg
from bot.hedges.trader import HedgeTrader
from bot.hedges.wallets import Wallets
from bot.models import CloseReason
from bot.numbers.money import ONE, ZERO


class _Charge(NamedTuple):
    """Fee of a fill, and whether it was a maker's."""

    fee: Decimal = ZERO
    maker: bool = False


class JournalingAccount(HedgeAccount):
    """Account that writes a journal. Call inside `exact_products()`."""

    def __init__(self, wallets: Wallets, costs: OrderCosts) -> None:
        super().__init__(wallets, costs)
        self.journal = Journal(
            wallets={name: [] for name in wallets.exchanges}, free={name: [] for name in wallets.exchanges}
        )
        self._open: dict[int, OpenJournal] = {}
        self._charges: dict[int, _Charge] = {}

    def open(self, market: HedgeMarket, pair: Pair, quantity: Decimal, t_ms: int) -> OpenHedge:
        """Open both legs."""
        self._open[self.opened] = own = OpenJournal()
        hedge = super().open(market, pair, quantity, t_ms)
        for leg in hedge.legs:
            price, charge = leg.contract.known_price(t_ms), self._charge(leg)
            plain = self._plain(price, buys=leg.side > 0, maker=charge.maker)
            entry = own.entries[_name(leg)] = Entry(price, plain, leg.entry)
            move = LegMove(t_ms, _name(leg), LegAction.OPEN, None, leg.quantity, price, leg.entry, charge.fee)
            own.moves.append(slippage_of(move, leg, entry, entry))
        return hedge

    def close_leg(
        self, hedge: OpenHedge, leg: OpenLeg, reason: CloseReason, t_ms: int, *, maker: bool = False
    ) -> None:
        """Close a leg at the price of `t_ms`."""
        traded, part = self._held(hedge, leg), leg.quantity
        super().close_leg(hedge, leg, reason, t_ms, maker=maker)
        price, buys = leg.contract.known_price(t_ms), leg.side < 0 or traded < 0
        move = LegMove(t_ms, _name(leg), LegAction.CLOSE, reason, part, price, leg.exit)
        self._left(hedge, leg, move, buys=buys, shown=abs(traded))

    def take_leg(
        self, hedge: OpenHedge, leg: OpenLeg, reason: CloseReason, t_ms: int, price: Decimal, *, fee: bool
    ) -> None:
        """Let an exchange close a leg at a price."""
        super().take_leg(hedge, leg, reason, t_ms, price, fee=fee)
        charge = self._charge(leg)
        move = LegMove(t_ms, _name(leg), LegAction.TAKE, reason, leg.quantity, price, price, charge.fee)
        self._note_move(hedge, leg, move, Entry(price, price, price))

    def liquidate(
        self, hedge: OpenHedge, leg: OpenLeg, t_ms: int, extreme: Decimal, fee_rate: Decimal | None
    ) -> None:
        """Let an exchange liquidate a leg."""
        booked, fees, coins = leg.pnl, hedge.fees, hedge.coins
        super().liquidate(hedge, leg, t_ms, extreme, fee_rate)
        fee, kind = hedge.fees - fees, leg.market.kind
        if kind.in_coins:
            pnl, lost = None, coins - hedge.coins
        else:
            pnl = leg.pnl - booked
            lost = fee - pnl - kind.opening_flow(leg)
        move = LegMove(
            t_ms,
            _name(leg),
            LegAction.LIQUIDATE,
            CloseReason.LIQUIDATION,
            leg.quantity,
            extreme,
            None,
            fee,
            pnl,
            lost=lost,
        )
        own = self._open[hedge.number]
        own.moves.append(move)
        if kind.in_coins and fee:
            gain = kind.gain(leg, extreme)
            own.coins.append(CoinFlow(hedge.coins - coins - gain, -fee))

    def reduce(self, hedge: OpenHedge, quantity: Decimal, kept: OpenLeg, t_ms: int) -> None:
        """Reduce both legs."""
        parts = [leg.quantity - quantity for leg in hedge.legs]
        super().reduce(hedge, quantity, kept, t_ms)
        for leg, part in zip(hedge.legs, parts, strict=True):
            fill = self._closing_fill(leg, part, t_ms, buys=leg.side < 0, maker=False)
            price = leg.contract.known_price(t_ms)
            move = LegMove(t_ms, _name(leg), LegAction.REDUCE, None, part, price, fill)
            self._left(hedge, leg, move, buys=leg.side < 0, shown=part)

    def settle(self, hedge: OpenHedge, leg: OpenLeg, record: Record, t_ms: int) -> Decimal:
        """Book the funding of a leg."""
        coins, own = hedge.coins, self._open[hedge.number]
        amount = super().settle(hedge, leg, record, t_ms)
        own.payments.append(LegPayment(_name(leg), self.payments[-1]))
        if leg.market.kind.in_coins:
            own.coins.append(CoinFlow(hedge.coins - coins, amount))
        return amount

    def charge_interest(self, hedge: OpenHedge, leg: OpenLeg, t_ms: int, begun_ms: int) -> None:
        """Book the interest of an hour."""
        charged = hedge.borrow_cost
        super().charge_interest(hedge, leg, t_ms, begun_ms)
        price, rate = leg.contract.known_price(t_ms), leg.market.interest(begun_ms) or ZERO
        charge = InterestCharge(t_ms, begun_ms, rate, leg.quantity, price, hedge.borrow_cost - charged)
        self._open[hedge.number].interest.append(charge)

    def top_up(
        self, hedge: OpenHedge, leg: OpenLeg, amount: Decimal, fee: Decimal, t_ms: int, delay_ms: int
    ) -> None:
        """Move an amount to the margin of a leg."""
        super().top_up(hedge, leg, amount, fee, t_ms, delay_ms)
        moved = TopUp(t_ms, t_ms + delay_ms, _name(leg), amount, fee, leg.market.kind.in_coins)
        self._open[hedge.number].top_ups.append(moved)

    def level(
        self, source: str, target: str, amount: Decimal, fee: Decimal, t_ms: int, delay_ms: int
    ) -> None:
        """Move cash from one wallet to another."""
        super().level(source, target, amount, fee, t_ms, delay_ms)
        self.journal.transfers.append(WalletMove(t_ms, t_ms + delay_ms, source, target, amount, fee))

    def finish(self) -> list[HedgeTrade]:
        """Return the trades of the hedges that are over."""
        over = [hedge for hedge in self.hedges if hedge.is_over]
        ended = super().finish()
        for hedge, trade in zip(over, ended, strict=True):
            own = self._open.pop(hedge.number)
            long, short = hedge_parts(hedge, trade, own)
            self.journal.hedges.append(
                JournaledHedge(
                    hedge.number,
                    trade,
                    (_facts(hedge.long), _facts(hedge.short)),
                    long,
                    short,
                    own.moves,
                    own.payments,
                    own.interest,
                    own.top_ups,
                )
            )
        return ended

    def note_event(self, t_ms: int) -> None:
        """Take in the wallets after an event."""
        for exchange, equity in self.equities(t_ms).items():
            self.journal.wallets[exchange].append(equity)
        for exchange, cash in self.free().items():
            self.journal.free[exchange].append(cash)
        moving = self.wallets.under_way
        self.journal.under_way.append(ZERO if moving is None else moving.amount)

    def _fee(
        self, hedge: OpenHedge, leg: OpenLeg, quantity: Decimal, fill: Decimal, t_ms: int, *, maker: bool
    ) -> None:
        fees, coins = hedge.fees, hedge.coins
        super()._fee(hedge, leg, quantity, fill, t_ms, maker=maker)
        fee = hedge.fees - fees
        self._charges[id(leg)] = _Charge(fee, maker)
        if leg.market.kind.in_coins:
            self._open[hedge.number].coins.append(CoinFlow(hedge.coins - coins, -fee))

    def _left(self, hedge: OpenHedge, leg: OpenLeg, move: LegMove, *, buys: bool, shown: Decimal) -> None:
        """Note that a part of a leg was closed by an order."""
        charge = self._charge(leg)
        plain = self._plain(move.price, buys=buys, maker=charge.maker)
        left_at = Entry(move.price, plain, move.price if move.fill is None else move.fill)
        self._note_move(hedge, leg, move._replace(fee=charge.fee), left_at, shown=shown)

    def _note_move(
        self, hedge: OpenHedge, leg: OpenLeg, move: LegMove, left_at: Entry, shown: Decimal | None = None
    ) -> None:
        own = self._open[hedge.number]
        found = slippage_of(move, leg, own.entries[_name(leg)], left_at)
        own.moves.append(found if shown is None else found._replace(quantity=shown))
        if leg.market.kind.in_coins:
            own.left_at = left_at

    def _charge(self, leg: OpenLeg) -> _Charge:
        return self._charges.pop(id(leg), _Charge())

    def _plain(self, price: Decimal, *, buys: bool, maker: bool) -> Decimal:
        """Return the fill of an order too small to move the price."""
        return fill_price(price, self.costs.adverse(ZERO, ONE, maker=maker), buys=buys)


class JournalingTrader(HedgeTrader):
    """Trader whose account writes a journal, with the margins of its legs and its wallets."""

    account: JournalingAccount

    @property
    def journal(self) -> Journal:
        """Bookings of the run so far."""
        return self.account.journal

    def make_account(self, wallets: Wallets, costs: OrderCosts) -> JournalingAccount:
        """Return an account that writes a journal."""
        return JournalingAccount(wallets, costs)

    def _end(self, t_ms: int) -> Decimal:
        equity = super()._end(t_ms)
        self.account.note_event(t_ms)
        return equity

    def _liquidate(self, now: int) -> None:
        for hedge in self.account.hedges:
            for leg in hedge.open_legs:
                if leg.market.kind.is_margined:
                    self._test(hedge, leg, now)
        super()._liquidate(now)

    def _test(self, hedge: OpenHedge, leg: OpenLeg, now: int) -> None:
        tests = []
        for level, worst, closed_ms in worst_candles(leg, now):
            if level.price is not None:
                missing = shortfall(leg.market.kind, leg, worst, level.brackets)
                facts = level.price, worst, closed_ms, leg.margin, missing
                tests.append(MarginTest(now, hedge.number, _name(leg), *facts))
        if tests:
            self.journal.margins.append(min(tests, key=lambda test: test.distance))


def _name(leg: OpenLeg) -> LegName:
    return LegName.LONG if leg.side > 0 else LegName.SHORT


def _facts(leg: OpenLeg) -> LegFacts:
    market = leg.market
    return LegFacts(_name(leg), market.exchange, market.symbol, market.kind.name, market.kind.in_coins)
