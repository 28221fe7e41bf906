"""Records of a journal: what each leg of a hedge booked and when, margins, wallets, and transfers."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from typing import NamedTuple

from bot.backtest.attribution import NOTHING, Attribution
from bot.hedges.positions import HedgeTrade
from bot.models import CloseReason, FundingPayment
from bot.numbers.money import ZERO


class LegName(StrEnum):
    """Place of a leg in its hedge."""

    LONG = "long"
    SHORT = "short"


class LegAction(StrEnum):
    """Effect of a booking on a leg: `take` and `liquidate` are an exchange's."""

    OPEN = "open"
    REDUCE = "reduce"
    CLOSE = "close"
    TAKE = "take"
    LIQUIDATE = "liquidate"


class LegMove(NamedTuple):
    """A leg opened, reduced, closed or taken, amounts in quote currency.

    `price` is the last price then, `fill` the unrounded fill; of a liquidation the mark price reached, and
    None, and `lost` what it cost of the margin, in its currency. `pnl` is what the leg booked without its
    fee; None for an inverse leg, which books coins. Of that `slippage` is what the fills lost against the
    last prices, `impact` what the size of the order added.
    """

    t_ms: int
    leg: LegName
    action: LegAction
    reason: CloseReason | None
    quantity: Decimal
    price: Decimal
    fill: Decimal | None
    fee: Decimal = ZERO
    pnl: Decimal | None = None
    slippage: Decimal = ZERO
    impact: Decimal = ZERO
    lost: Decimal = ZERO


class LegPayment(NamedTuple):
    """A settlement of a perp leg."""

    leg: LegName
    payment: FundingPayment


class InterestCharge(NamedTuple):
    """Interest of a borrowed leg for the hour begun at `begun_ms`, at an hourly rate."""

    t_ms: int
    begun_ms: int
    rate: Decimal
    quantity: Decimal
    price: Decimal
    amount: Decimal


class TopUp(NamedTuple):
    """Margin moved to a leg, coins for an inverse one; it arrives at `due_ms` if the leg is still there."""

    t_ms: int
    due_ms: int
    leg: LegName
    amount: Decimal
    fee: Decimal
    in_coins: bool


class WalletMove(NamedTuple):
    """Cash moved from one wallet to another, quote currency."""

    t_ms: int
    due_ms: int
    source: str
    target: str
    amount: Decimal
    fee: Decimal


class MarginTest(NamedTuple):
    """The worst mark price of a margined leg since it was tested before.

    `wiped_out_at` is the price from which on the exchange takes the leg with its `margin` of then, `reached`
    the price that came nearest, in the candle closed at `reached_ms`. `missing` is the margin by which the
    leg fell short there; negative where margin was left.
    """

    t_ms: int
    number: int
    leg: LegName
    wiped_out_at: Fraction
    reached: Decimal
    reached_ms: int
    margin: Decimal
    missing: Decimal

    @property
    def distance(self) -> Fraction:
        """Way from the price reached to the one that takes the leg, a fraction of it; below 0 beyond."""
        way = self.wiped_out_at - Fraction(self.reached)
        return (way if self.leg is LegName.SHORT else -way) / Fraction(self.reached)


@dataclass(frozen=True, slots=True)
class LegFacts:
    """A leg of a hedge: its market and exchange, and its kind by name."""

    leg: LegName
    exchange: str
    symbol: str
    kind: str
    in_coins: bool

    @property
    def market(self) -> str:
        """Its market with its exchange."""
        return f"{self.symbol}@{self.exchange}"


@dataclass(frozen=True, slots=True)
class JournaledHedge:
    """A hedge that is over: its trade, the parts of each leg's net P&L, and all that was booked.

    `number` is its place in order of opening.
    """

    number: int
    trade: HedgeTrade
    legs: tuple[LegFacts, LegFacts]
    long: Attribution
    short: Attribution
    moves: Sequence[LegMove]
    payments: Sequence[LegPayment]
    interest: Sequence[InterestCharge]
    top_ups: Sequence[TopUp]

    @property
    def parts(self) -> Attribution:
        """The parts of its net P&L. Ask inside `exact()`."""
        return self.long + self.short

    def facts(self, leg: LegName) -> LegFacts:
        """Return what a leg is."""
        return self.legs[0] if leg is LegName.LONG else self.legs[1]


@dataclass(slots=True)
class Journal:
    """Journal of a run: its hedges in the order of its trades, and what concerns no single one.

    `wallets` has the equity of each exchange after each event of the run, `free` the part of its cash that
    nothing locked, `under_way` what was on its way between two of them.
    """

    hedges: list[JournaledHedge] = field(default_factory=list)
    wallets: dict[str, list[Decimal]] = field(default_factory=dict)
    free: dict[str, list[Decimal]] = field(default_factory=dict)
    under_way: list[Decimal] = field(default_factory=list)
    transfers: list[WalletMove] = field(default_factory=list)
    margins: list[MarginTest] = field(default_factory=list)

    @property
    def by_number(self) -> Mapping[int, JournaledHedge]:
        """Its hedges by their place in order of opening."""
        return {hedge.number: hedge for hedge in self.hedges}

    @property
    def size(self) -> int:
        """Number of amounts and prices that it holds, roughly."""
        wallets = (2 * len(self.wallets) + 1) * len(self.under_way)
        booked = sum(len(one.moves) + len(one.payments) + len(one.interest) for one in self.hedges)
        return wallets + 5 * (len(self.margins) + booked)

    def liquidations(self) -> Iterator[tuple[JournaledHedge, LegMove]]:
        """Yield the legs that were liquidated, in the order of the trades."""
        for hedge in self.hedges:
            for move in hedge.moves:
                if move.action is LegAction.LIQUIDATE:
                    yield hedge, move


@dataclass(frozen=True, slots=True)
class LegAttribution:
    """Parts of a net P&L by leg, and what belongs to neither: transfers between wallets."""

    long: Attribution
    short: Attribution
    neither: Attribution = NOTHING

    @property
    def whole(self) -> Attribution:
        """Their sum. Ask inside `exact()`."""
        return self.long + self.short + self.neither


def attribution_by_leg(journal: Journal) -> LegAttribution:
    """Return the parts of a run's net P&L. Call inside `exact()`."""
    fees = sum((move.fee for move in journal.transfers), ZERO)
    return LegAttribution(
        sum((hedge.long for hedge in journal.hedges), NOTHING),
        sum((hedge.short for hedge in journal.hedges), NOTHING),
        Attribution(transfer_cost=-fees),
    )
