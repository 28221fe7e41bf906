"""Maintenance margin of legs: flat or by brackets, and the price that wipes a leg out."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal
from fractions import Fraction

from bot.accounting.brackets import Bracket, Brackets
from bot.hedges.arithmetic import divide
from bot.hedges.legs.kind import LegKind, LegState, ScaledState
from bot.market.records.bracket_history import BracketHistory
from bot.numbers.money import EXACT


class Maintenance(ABC):
    """Brackets of the maintenance margin of one market.

    Source: docs/domain.md, section 6.
    """

    @abstractmethod
    def at(self, t_ms: int) -> Brackets:
        """Return the brackets in force."""

    @abstractmethod
    def cap(self, leverage: Decimal, t_ms: int) -> Decimal | None:
        """Return the largest notional that may be opened with a leverage, None without a limit."""


class FlatMaintenance(Maintenance):
    """Maintenance at one rate of the notional."""

    def __init__(self, mmr: Decimal) -> None:
        self._brackets = Brackets([Bracket(None, mmr)])

    def at(self, t_ms: int) -> Brackets:  # noqa: ARG002
        """Return one bracket for every notional."""
        return self._brackets

    def cap(self, leverage: Decimal, t_ms: int) -> None:  # noqa: ARG002
        """Return no limit."""
        return


class BracketMaintenance(Maintenance):
    """Maintenance by the brackets in force; before the first recorded ones those are."""

    def __init__(self, history: BracketHistory) -> None:
        self._history = history

    def at(self, t_ms: int) -> Brackets:
        """Return the brackets in force."""
        return (self._history.in_force(t_ms) or self._history.rows[0]).brackets

    def cap(self, leverage: Decimal, t_ms: int) -> Decimal | None:
        """Return the cap of the last bracket that allows a leverage: 0 if none does."""
        return self.at(t_ms).cap(leverage)


def takes_up(kind: LegKind, leg: LegState, price: Decimal, brackets: Brackets, share: Decimal) -> bool:
    """Return whether nothing is left of the balance at a price, or maintenance takes up a share of it.

    Call inside `exact_products()`.
    """
    state = kind.state_at(leg, price)
    return state.balance <= 0 or _maintenance(state, brackets) >= share * state.balance


def is_wiped_out(kind: LegKind, leg: LegState, price: Decimal, brackets: Brackets) -> bool:
    """Return whether maintenance takes the whole balance at a price. Call inside `exact_products()`."""
    state = kind.state_at(leg, price)
    return state.balance <= _maintenance(state, brackets)


def shortfall(kind: LegKind, leg: LegState, price: Decimal, brackets: Brackets) -> Decimal:
    """Return the margin by which a leg falls short of its maintenance at a price, not booked.

    It is in the currency of its margin, and negative where margin is left. Call inside `exact_products()`.
    """
    state = kind.state_at(leg, price)
    return divide(_maintenance(state, brackets) - state.balance, state.scale)


def _maintenance(state: ScaledState, brackets: Brackets) -> Decimal:
    """Return the maintenance margin of a leg, times the scale of its state."""
    notional, scale = state.notional, state.scale
    bracket = next((one for one in brackets if one.cap is None or notional <= one.cap * scale), brackets[-1])
    return bracket.mmr * notional - bracket.amount * scale


def wipe_out_price(kind: LegKind, leg: LegState, brackets: Brackets) -> Fraction | None:
    """Return where a leg is first wiped out as its price moves against it, None if nowhere.

    Each bracket holds over a range of prices; the first one that wipes out within its range counts.
    """
    rises = leg.side < 0
    ascending = rises is not kind.notional_falls
    pieces = list(_ranges(kind, leg, brackets))
    for bracket, near, far in pieces if ascending else [(one, far, near) for one, near, far in pieces[::-1]]:
        price = kind.wiped_at(leg, bracket)
        if price is None:
            continue
        if near is not None:
            price = max(price, near) if rises else min(price, near)
        # The bracket of a range holds at its upper notional, the next one above it.
        if far is None or (price < far if rises else price > far) or (ascending and price == far):
            return price
    return None


class LiquidationLevel:
    """Prices at which a leg is wiped out, as long as neither it nor its brackets change.

    `price` is where that begins on the way against the leg, None for nowhere. A rounded bound of it settles
    most questions; from there on the exact test decides.
    """

    __slots__ = ("_bound", "_kind", "_leg", "_nearest", "brackets", "price")

    def __init__(self, kind: LegKind, leg: LegState, brackets: Brackets) -> None:
        self._kind, self._leg, self.brackets = kind, leg, brackets
        self.price = wipe_out_price(kind, leg, brackets)
        self._bound = None if self.price is None else _bound(self.price, leg.side)
        self._nearest: Decimal | None = None

    def holds_for(self, leg: LegState, brackets: Brackets) -> bool:
        """Return whether it is about a leg as it is now."""
        own = self._leg
        return brackets is self.brackets and leg.margin == own.margin and leg.quantity == own.quantity

    def comes_nearer(self, extreme: Decimal) -> bool:
        """Return whether a price is worse for the leg than all that were asked about before."""
        known = self._nearest
        if known is not None and (extreme <= known if self._leg.side < 0 else extreme >= known):
            return False
        self._nearest = extreme
        return True

    def may_be_reached(self, extreme: Decimal) -> bool:
        """Return False where neither a price nor any better one wipes the leg out."""
        bound = self._bound
        return bound is not None and (extreme >= bound if self._leg.side < 0 else extreme <= bound)

    def is_reached(self, extreme: Decimal) -> bool:
        """Return whether a price wipes the leg out."""
        return self.may_be_reached(extreme) and is_wiped_out(self._kind, self._leg, extreme, self.brackets)


def _bound(price: Fraction, side: Decimal) -> Decimal:
    """Return a price rounded towards the safe side."""
    context = _DOWN if side < 0 else _UP
    return context.divide(Decimal(price.numerator), Decimal(price.denominator))


_DOWN, _UP = (Context(prec=EXACT.prec, rounding=rounding) for rounding in (ROUND_FLOOR, ROUND_CEILING))


def _ranges(
    kind: LegKind, leg: LegState, brackets: Brackets
) -> Sequence[tuple[Bracket, Fraction | None, Fraction | None]]:
    """Return each bracket with the prices at the lower and at the upper end of its notionals."""
    found = []
    below: Fraction | None = None
    for bracket in brackets:
        above = (
            None
            if bracket is brackets[-1] or bracket.cap is None
            else kind.price_at(leg, Fraction(bracket.cap))
        )
        found.append((bracket, below, above))
        below = above
    return found
