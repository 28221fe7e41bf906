"""Frozen values of an account: open hedges, unfinished ones, and what has to be remembered of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from enum import StrEnum
from typing import Any, NamedTuple

from bot.models import (
    SPOT_PERP,
    CloseReason,
    Leg,
    OrderRequest,
    OrderResult,
    Position,
    Side,
    Structure,
    closing_order,
    opening_order,
)
from bot.numbers.money import ZERO


@dataclass(frozen=True, slots=True)
class OpenHedge:
    """An open position with the cash flows booked on it so far, quote currency, and how often it settled."""

    position: Position
    funding: Decimal
    payments: int


class Aim(StrEnum):
    """Aim that an unfinished hedge is worked towards."""

    OPEN = "open"
    UNWIND = "unwind"
    CLOSE = "close"


@dataclass(frozen=True, slots=True)
class LegFills:
    """Fills on one side of one leg: quantity, its value, fees, time of the newest fill."""

    quantity: Decimal = ZERO
    value: Decimal = ZERO
    fees: Decimal = ZERO
    filled_at_ms: int = -1

    @property
    def price(self) -> Decimal:
        """The average fill price; only where something was filled."""
        return self.value / self.quantity

    def plus(self, fill: OrderResult) -> "LegFills":
        """Return these fills and one more."""
        quantity = fill.request.quantity
        return LegFills(
            self.quantity + quantity,
            self.value + quantity * fill.price,
            self.fees + fill.fee,
            fill.filled_at_ms,
        )


_NOTHING = LegFills()
_FIELDS = {
    (Leg.SPOT, Side.BUY): "spot_bought",
    (Leg.SPOT, Side.SELL): "spot_sold",
    (Leg.PERP, Side.SELL): "perp_sold",
    (Leg.PERP, Side.BUY): "perp_bought",
}


@dataclass(frozen=True, slots=True)
class UnfinishedHedge:
    """A hedge whose legs are being brought to one quantity, or to none.

    `quantity` is what each leg is to reach, or held before closing; `position` and `reason` are those of a
    hedge that is being closed. `unknown` is an order of which nobody knows yet what became of it.
    """

    symbol: str
    aim: Aim
    quantity: Decimal
    position: Position | None = None
    reason: CloseReason | None = None
    spot_bought: LegFills = _NOTHING
    spot_sold: LegFills = _NOTHING
    perp_sold: LegFills = _NOTHING
    perp_bought: LegFills = _NOTHING
    unknown: OrderRequest | None = None

    @property
    def structure(self) -> Structure:
        """The sides of its legs."""
        return SPOT_PERP

    def entry(self, leg: Leg) -> LegFills:
        """Return the fills that opened a leg."""
        return self._fills(leg, opening_order(self.structure.side(leg)))

    def exit(self, leg: Leg) -> LegFills:
        """Return the fills that closed a leg."""
        return self._fills(leg, closing_order(self.structure.side(leg)))

    def held(self, leg: Leg) -> Decimal:
        """Return the quantity of a leg that is open."""
        opened = self.quantity if self.aim is Aim.CLOSE else self.entry(leg).quantity
        return opened - self.exit(leg).quantity

    @property
    def is_even(self) -> bool:
        """True if both legs are open in one quantity."""
        return self.held(Leg.SPOT) == self.held(Leg.PERP)

    def left(self, leg: Leg) -> "UnfinishedHedge":
        """Return the hedge after its exchange has taken the whole of a leg."""
        name = _FIELDS[leg, closing_order(self.structure.side(leg))]
        changed: dict[str, Any] = {name: LegFills(self.quantity)}
        return replace(self, **changed)

    @property
    def proceeds(self) -> Decimal:
        """Value of all that was sold less that of all that was bought, not booked."""
        return self.spot_sold.value - self.spot_bought.value + self.perp_sold.value - self.perp_bought.value

    @property
    def fees(self) -> Decimal:
        """Booked fees of all fills, quote currency."""
        return sum((getattr(self, name).fees for name in _FIELDS.values()), ZERO)

    def filled(self, fill: OrderResult) -> "UnfinishedHedge":
        """Return the hedge after one more fill."""
        name = _FIELDS[fill.request.leg, fill.request.side]
        changed: dict[str, Any] = {name: getattr(self, name).plus(fill)}
        return replace(self, **changed)

    def _fills(self, leg: Leg, side: Side) -> LegFills:
        fills: LegFills = getattr(self, _FIELDS[leg, side])
        return fills


@dataclass(frozen=True, slots=True)
class PendingHedge:
    """An unfinished hedge with the cash flows booked on it so far, quote currency, and its settlements."""

    hedge: UnfinishedHedge
    funding: Decimal
    payments: int


@dataclass(frozen=True, slots=True)
class UnwoundSpot:
    """Spot leg that was opened for a hedge, found no perp leg to hedge it, and was closed again.

    Prices are average fills; amounts are booked, quote currency.
    """

    symbol: str
    closed_at_ms: int
    quantity: Decimal
    entry: Decimal
    exit: Decimal
    fees: Decimal
    price_pnl: Decimal


class RoundTrips(NamedTuple):
    """Closed round trips of a pair: how many, and when the newest ended, ms UTC."""

    trips: int
    closed_at_ms: int


@dataclass(frozen=True, slots=True)
class Waiting:
    """Memory that patience has of an open hedge: exit signals in a row, last prices at its opening."""

    opened_at_ms: int
    spot: Decimal
    perp: Decimal
    signals: int = 0


@dataclass(frozen=True, slots=True)
class AccountState:
    """All that an account has to remember after the event at `t_ms` (-1: none yet) to go on from it.

    `hedges` are in order of opening; what strategies remember comes back from past settlements.
    `orders` is the number of the newest order. `round_trips` and `waiting` are by pair.
    """

    t_ms: int
    cash: Decimal
    margin_locked: Decimal
    hedges: tuple[OpenHedge, ...]
    skipped_entries: int
    unfinished: tuple[PendingHedge, ...] = ()
    orders: int = 0
    round_trips: Mapping[str, RoundTrips] = field(default_factory=dict)
    waiting: Mapping[str, Waiting] = field(default_factory=dict)
