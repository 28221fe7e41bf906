"""Open hedges and entries that wait, with what they have booked, and closed ones as trades."""

from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from tests.reference.hedges.contracts import Contract
from tests.reference.hedges.hedge import Hedge, Leg
from tests.reference.naive_numbers import book, divide, plain

ZERO = Fraction(0)


@dataclass(eq=False)
class HeldLeg:
    """One leg of an open hedge: its fills, margin and bookings without fees and funding."""

    leg: Leg
    contract: Contract
    entry: Fraction
    margin: Fraction = ZERO
    under_way: list[tuple[int, Fraction]] = field(default_factory=list)
    exit: Fraction | None = None
    pnl: Fraction = ZERO
    is_open: bool = True

    def all_margin(self) -> Fraction:
        """Return the margin with what is on its way to it."""
        return self.margin + sum((amount for _, amount in self.under_way), ZERO)


@dataclass(eq=False)
class Held:
    """An open hedge."""

    hedge: Hedge
    opened_at: int
    opening_quantity: Fraction
    quantity: Fraction
    long: HeldLeg
    short: HeldLeg
    premium: Fraction
    contracts_sold: Fraction = ZERO
    """Dollars of an inverse perp."""
    coins: Fraction = ZERO
    """Of an inverse hedge: its collateral."""
    cash_flow: Fraction = ZERO
    """Of an inverse hedge, without fees of transfers."""
    funding: Fraction = ZERO
    fees: Fraction = ZERO
    borrow_cost: Fraction = ZERO
    transfer_cost: Fraction = ZERO
    payments: int = 0
    top_ups: int = 0
    reductions: int = 0
    confirmations: int = 0
    reason: str | None = None
    """Reason for which the first leg left."""
    second_due: int | None = None
    """Moment at which the other leg is closed, None while none is known."""
    close_reason: str | None = None
    """Reason for which the whole hedge waits to be closed."""
    close_due: int | None = None

    @property
    def legs(self) -> tuple[HeldLeg, HeldLeg]:
        """Both legs, the long one first, open or not."""
        return self.long, self.short

    @property
    def open_legs(self) -> list[HeldLeg]:
        """The legs that are in place."""
        return [held for held in self.legs if held.is_open]

    @property
    def is_whole(self) -> bool:
        """Tell whether both legs are in place."""
        return self.long.is_open and self.short.is_open

    @property
    def is_deciding(self) -> bool:
        """Tell whether the hedge is whole and does not wait to be closed."""
        return self.is_whole and self.close_reason is None

    def other(self, held: HeldLeg) -> HeldLeg:
        """Return the leg that is not this one."""
        return self.short if held is self.long else self.long

    def notional(self, held: HeldLeg, price: Fraction) -> Fraction:
        """Return what maintenance is asked of: quote, or coins of an inverse perp."""
        return self.contracts_sold / price if held.leg.kind == "inverse" else self.quantity * price

    def balance(self, held: HeldLeg, price: Fraction) -> Fraction:
        """Return the margin balance of a leg at a price, exact."""
        if held.leg.kind == "inverse":
            gain = self.contracts_sold * (held.entry - price) / (price * held.entry)
        else:
            gain = held.leg.sign * self.quantity * (price - held.entry)
        return held.margin + gain

    def gain(self, held: HeldLeg, price: Fraction, quantity: Fraction | None = None) -> Fraction:
        """Return the booked gain of a leg, or a part of it, at a price, in coins for an inverse perp."""
        if held.leg.kind == "inverse":
            return book(divide(self.contracts_sold * (held.entry - price), price * held.entry))
        size = self.quantity if quantity is None else quantity
        return book(held.leg.sign * size * (price - held.entry))

    def long_and_short_pnl(self) -> tuple[Fraction, Fraction]:
        """Return the price P&L of each leg."""
        if not self.hedge.is_inverse:
            return self.long.pnl, self.short.pnl
        assert self.long.exit is not None
        whole = self.cash_flow - self.funding + self.fees
        long = book(self.quantity * self.long.exit) - book(self.quantity * self.long.entry)
        return long, whole - long


@dataclass(frozen=True, eq=False)
class Waiting:
    """An entry that was decided and waits for its fill."""

    hedge: Hedge
    contracts: tuple[Contract, Contract]
    quantity: Fraction
    due: int | None
    reserved: tuple[tuple[str, Fraction], ...]


@dataclass(frozen=True)
class Trade:
    """A closed hedge."""

    held: Held
    closed_at: int

    @property
    def funding(self) -> Fraction:
        """Funding of both legs."""
        return self.held.funding

    @property
    def price_pnl(self) -> Fraction:
        """Price P&L of both legs."""
        return sum(self.held.long_and_short_pnl(), ZERO)

    @property
    def net_pnl(self) -> Fraction:
        """Net P&L after all costs."""
        held = self.held
        return self.price_pnl + held.funding - held.fees - held.borrow_cost - held.transfer_cost

    def document(self) -> dict[str, Any]:
        """Return the trade as the result document shows it."""
        held = self.held
        long_pnl, short_pnl = held.long_and_short_pnl()
        sides: dict[str, Fraction | None] = {
            "long_entry": held.long.entry,
            "long_exit": held.long.exit,
            "short_entry": held.short.entry,
            "short_exit": held.short.exit,
        }
        markets: dict[str, Fraction | None] = dict.fromkeys(
            ("spot_entry", "perp_entry", "spot_exit", "perp_exit")
        )
        if len(held.hedge.perps) == 1:
            for leg in held.legs:
                market = "perp" if leg.leg.is_perp else "spot"
                markets |= {f"{market}_entry": leg.entry, f"{market}_exit": leg.exit}
        money = {
            "funding": held.funding,
            "fees": held.fees,
            "price_pnl": self.price_pnl,
            "net_pnl": self.net_pnl,
            "long_pnl": long_pnl,
            "short_pnl": short_pnl,
            "borrow_cost": held.borrow_cost,
            "transfer_cost": held.transfer_cost,
        }
        return {
            "symbol": held.hedge.name,
            "opened_at": held.opened_at,
            "closed_at": self.closed_at,
            "quantity": plain(held.opening_quantity),
            **{name: None if price is None else plain(price) for name, price in (markets | sides).items()},
            **{name: plain(amount) for name, amount in money.items()},
            "funding_payments": held.payments,
            "reason": held.reason,
            "top_ups": held.top_ups,
            "reductions": held.reductions,
        }
