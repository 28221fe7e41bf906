"""Open and waiting hedges of an account, and the trades that they end as."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import NamedTuple

from bot.accounting.event_order import is_before_funding, last_due
from bot.hedges.contracts import Contract
from bot.hedges.legs.kind import LegState
from bot.hedges.maintenance import LiquidationLevel
from bot.hedges.markets import HedgeMarket, LegMarket, Pair
from bot.models import CloseReason
from bot.numbers.money import ZERO


@dataclass(slots=True)
class OpenLeg(LegState):
    """Leg of an open hedge: its market and contract, and what it has booked.

    `pnl` is without fees and funding. `tested_ms` is up to when its mark candles have been tested,
    `arrives_ms` when `incoming` reaches it. `exit` is the fill of a closed leg, None for one that an exchange
    took away; `left_ms` None while it is open.
    """

    market: LegMarket = field(kw_only=True)
    contract: Contract = field(kw_only=True)
    pnl: Decimal = ZERO
    tested_ms: int = 0
    arrives_ms: int | None = None
    exit: Decimal | None = None
    left_ms: int | None = None
    known_level: LiquidationLevel | None = None

    @property
    def is_open(self) -> bool:
        """True until it is closed or taken."""
        return self.left_ms is None

    def liquidation_level(self, t_ms: int) -> LiquidationLevel:
        """Return the prices at which it is wiped out under the brackets of `t_ms`."""
        brackets = self.market.maintenance.at(t_ms)
        known = self.known_level
        if known is None or not known.holds_for(self, brackets):
            state = LegState(self.side, self.quantity, self.entry, self.margin, contracts=self.contracts)
            known = self.known_level = LiquidationLevel(self.market.kind, state, brackets)
        return known


class Closing(NamedTuple):
    """Order to close a hedge that waits to be filled; `due_ms` is None until the candles for it have come."""

    reason: CloseReason
    decided_ms: int
    due_ms: int | None
    number: int


@dataclass(slots=True)
class OpenHedge:
    """A hedge from its opening until both legs have left.

    `number` is its place in order of opening. `quantity` is that of the opening, `prices` the long and the
    short price then. `coins` are those of an inverse hedge. `flow` is the cash that it has moved, transfers
    of margin apart. `signals` counts exit signals in a row. Once a leg has left, `reason` says why. The other
    one follows at `second_ms`, which is at or after `follows_ms`, None until a candle for it has come.
    """

    market: HedgeMarket
    number: int
    opened_ms: int
    quantity: Decimal
    prices: tuple[Decimal, Decimal]
    long: OpenLeg
    short: OpenLeg
    coins: Decimal = ZERO
    flow: Decimal = ZERO
    funding: Decimal = ZERO
    fees: Decimal = ZERO
    borrow_cost: Decimal = ZERO
    transfer_cost: Decimal = ZERO
    payments: int = 0
    top_ups: int = 0
    reductions: int = 0
    signals: int = 0
    closing: Closing | None = None
    reason: CloseReason | None = None
    follows_ms: int | None = None
    second_ms: int | None = None

    @property
    def name(self) -> str:
        """The name of the hedge."""
        return self.market.name

    @property
    def legs(self) -> tuple[OpenLeg, OpenLeg]:
        """Long and short leg."""
        return self.long, self.short

    @property
    def pair(self) -> Pair:
        """Return the contracts of both legs."""
        return Pair(self.long.contract, self.short.contract)

    @property
    def open_legs(self) -> list[OpenLeg]:
        """The legs that have not left, the long one first."""
        return [leg for leg in (self.long, self.short) if leg.left_ms is None]

    @property
    def is_whole(self) -> bool:
        """True while both legs are in place."""
        return self.long.left_ms is None and self.short.left_ms is None

    @property
    def is_over(self) -> bool:
        """True once both legs have left."""
        return self.long.left_ms is not None and self.short.left_ms is not None

    def other(self, leg: OpenLeg) -> OpenLeg:
        """Return the other leg."""
        return self.short if leg is self.long else self.long

    def reference(self) -> OpenLeg:
        """Return the leg whose notional limits count: spot or borrowed, else the long one."""
        return self.legs[reference_place(self.market)]


def reference_place(market: HedgeMarket) -> int:
    """Return the place of the leg whose notional limits count: spot or borrowed, else the long one."""
    return 0 if market.short.kind.is_perp else 1


class HeldPerp(NamedTuple):
    """Contract of a perp leg that has left: settlements in (opened_ms, until_ms] were due to it."""

    contract: Contract
    opened_ms: int
    until_ms: int


def held_perps(hedge: OpenHedge) -> Iterator[HeldPerp]:
    """Yield the perp legs of a hedge that is over."""
    for leg in hedge.legs:
        if leg.market.kind.is_perp and leg.left_ms is not None and hedge.reason is not None:
            until_ms = last_due(leg.left_ms, before_funding=is_before_funding(hedge.reason))
            yield HeldPerp(leg.contract, hedge.opened_ms, until_ms)


class WaitingEntry(NamedTuple):
    """Order to open a hedge that waits to be filled; `due_ms` is None until the candles for it have come.

    `reserved` is what each leg reserves on its exchange.
    """

    market: HedgeMarket
    contracts: Pair
    quantity: Decimal
    reserved: tuple[Decimal, ...]
    decided_ms: int
    due_ms: int | None
    number: int


def lag_over(pair: Pair, decided_ms: int, candles: int) -> int | None:
    """Return when so many trade candles of each leg have closed after a decision, None if they have not."""
    found = [contract.trades.nth_after(decided_ms, candles) for contract in pair]
    return None if None in found else max(due for due in found if due is not None)


class HedgeTrade(NamedTuple):
    """A closed hedge: prices are the unrounded fills, None for a leg that an exchange took away."""

    symbol: str
    opened_at_ms: int
    closed_at_ms: int
    quantity: Decimal
    spot_entry: Decimal | None
    perp_entry: Decimal | None
    spot_exit: Decimal | None
    perp_exit: Decimal | None
    funding: Decimal
    fees: Decimal
    price_pnl: Decimal
    net_pnl: Decimal
    funding_payments: int
    reason: CloseReason
    long_entry: Decimal
    long_exit: Decimal | None
    short_entry: Decimal
    short_exit: Decimal | None
    long_pnl: Decimal
    short_pnl: Decimal
    borrow_cost: Decimal
    transfer_cost: Decimal
    top_ups: int
    reductions: int


def trade_of(hedge: OpenHedge) -> HedgeTrade:
    """Return the trade of a hedge that is over. Call inside `exact_products()`.

    Source: docs/domain.md, section 4.
    """
    long, short, structure = hedge.long, hedge.short, hedge.market.structure
    if hedge.reason is None or long.left_ms is None or short.left_ms is None:
        raise ValueError(f"{hedge.name} is not over")
    long_pnl, short_pnl = long.pnl, short.pnl
    if structure.is_inverse:
        short_pnl = hedge.flow - hedge.funding + hedge.fees - long_pnl
    price_pnl = long_pnl + short_pnl
    prices = {"long": long, "short": short, None: None}
    spot, perp = prices[structure.spot], prices[structure.perp]
    return HedgeTrade(
        symbol=hedge.name,
        opened_at_ms=hedge.opened_ms,
        closed_at_ms=max(long.left_ms, short.left_ms),
        quantity=hedge.quantity,
        spot_entry=None if spot is None else spot.entry,
        perp_entry=None if perp is None else perp.entry,
        spot_exit=None if spot is None else spot.exit,
        perp_exit=None if perp is None else perp.exit,
        funding=hedge.funding,
        fees=hedge.fees,
        price_pnl=price_pnl,
        net_pnl=price_pnl + hedge.funding - hedge.fees - hedge.borrow_cost - hedge.transfer_cost,
        funding_payments=hedge.payments,
        reason=hedge.reason,
        long_entry=long.entry,
        long_exit=long.exit,
        short_entry=short.entry,
        short_exit=short.exit,
        long_pnl=long_pnl,
        short_pnl=short_pnl,
        borrow_cost=hedge.borrow_cost,
        transfer_cost=hedge.transfer_cost,
        top_ups=hedge.top_ups,
        reductions=hedge.reductions,
    )
