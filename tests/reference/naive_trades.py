"""Positions and the trades they become."""

from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from tests.reference.naive_market import Symbol
from tests.reference.naive_numbers import book, plain


@dataclass
class Position:
    """Hold an open pair of legs: fills unrounded, booked amounts in quote currency."""

    symbol: Symbol
    opened_at: int
    quantity: Fraction
    spot_entry: Fraction
    perp_entry: Fraction
    margin: Fraction
    fees: Fraction
    funding: Fraction = Fraction(0)
    funding_payments: int = 0
    signals_in_a_row: int = 0
    settlements: list[tuple[int, Fraction]] = field(default_factory=list)

    def maintenance(self, price: Fraction) -> Fraction:
        """Return the margin the exchange asks for at `price`."""
        return self.symbol.mmr * self.quantity * price

    def margin_balance(self, price: Fraction) -> Fraction:
        """Return what is left of the margin at `price`."""
        return self.margin + self.quantity * (self.perp_entry - price)

    def is_liquidated_by(self, high: Fraction) -> bool:
        """Tell whether a candle that reached `high` liquidates the short leg."""
        return high * self.quantity * (1 + self.symbol.mmr) >= self.margin + self.quantity * self.perp_entry

    def unrealized(self, t: int) -> Fraction:
        """Return the two booked terms that the position adds to cash in the equity at `t`."""
        spot, perp = self.symbol.spot.newest_close(t), self.symbol.perp.newest_close(t)
        assert spot is not None
        assert perp is not None
        return book(self.quantity * spot) + book(self.quantity * (self.perp_entry - perp))


@dataclass(frozen=True)
class Trade:
    """Hold a closed round trip."""

    symbol: str
    opened_at: int
    closed_at: int
    quantity: Fraction
    spot_entry: Fraction
    perp_entry: Fraction
    spot_exit: Fraction
    perp_exit: Fraction | None
    funding: Fraction
    fees: Fraction
    price_pnl: Fraction
    funding_payments: int
    reason: str
    settlements: tuple[tuple[int, Fraction], ...]

    @property
    def net_pnl(self) -> Fraction:
        """Return what the trade earned after all costs."""
        return self.price_pnl + self.funding - self.fees

    @property
    def long_pnl(self) -> Fraction:
        """Return the bookings of the spot leg without its fees."""
        return book(self.quantity * self.spot_exit) - book(self.quantity * self.spot_entry)

    def document(self) -> dict[str, Any]:
        """Return the trade as the result document writes it."""
        values = {
            **vars(self),
            "net_pnl": self.net_pnl,
            "long_entry": self.spot_entry,
            "long_exit": self.spot_exit,
            "short_entry": self.perp_entry,
            "short_exit": self.perp_exit,
            "long_pnl": self.long_pnl,
            "short_pnl": self.price_pnl - self.long_pnl,
            "borrow_cost": Fraction(0),
            "transfer_cost": Fraction(0),
            "top_ups": 0,
            "reductions": 0,
        }
        del values["settlements"]
        return {key: plain(value) if isinstance(value, Fraction) else value for key, value in values.items()}
