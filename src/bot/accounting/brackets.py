"""Maintenance margin brackets of a perp: maintenance by notional, and the notional a leverage allows."""

from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple

from bot.notation import plain
from bot.numbers.money import ONE, ZERO


class Bracket(NamedTuple):
    """Bracket of notionals up to `cap` (None: all above): maintenance is `mmr` of one, less `amount`.

    `max_leverage` None allows every leverage.
    """

    cap: Decimal | None
    mmr: Decimal
    amount: Decimal = ZERO
    max_leverage: Decimal | None = None

    def allows(self, leverage: Decimal) -> bool:
        """Return whether positions of this size may have a leverage."""
        return self.max_leverage is None or leverage <= self.max_leverage


class BracketFault(NamedTuple):
    """Fault of brackets: the place of one, from 0, its field, and a sentence that names the value."""

    place: int
    field: str
    message: str


class Brackets(tuple[Bracket, ...]):
    """Brackets of one contract, ascending by their caps, at least one.

    Source: docs/domain.md, section 13.
    """

    __slots__ = ()

    def of(self, notional: Decimal) -> Bracket:
        """Return the first bracket whose cap a notional does not exceed, else the last."""
        return next((one for one in self if one.cap is None or notional <= one.cap), self[-1])

    def maintenance(self, notional: Decimal) -> Decimal:
        """Return the maintenance margin of a notional, in its currency. Call inside `exact()`."""
        bracket = self.of(notional)
        return bracket.mmr * notional - bracket.amount

    def cap(self, leverage: Decimal) -> Decimal | None:
        """Return the largest notional that may be opened with a leverage: 0 if none, None without a limit."""
        allowing = [one for one in self if one.allows(leverage)]
        return allowing[-1].cap if allowing else ZERO


def bracket_fault(brackets: Sequence[Bracket]) -> BracketFault | None:
    """Return the first fault of brackets, None where maintenance follows from them at every notional."""
    if not brackets:
        return BracketFault(0, "cap", "no bracket is given")
    below: Bracket | None = None
    for place, one in enumerate(brackets):
        fault = _fault_of_one(one) or _fault_of_order(below, one)
        if fault is not None:
            return BracketFault(place, *fault)
        below = one
    return None


def _fault_of_one(one: Bracket) -> tuple[str, str] | None:
    if one.cap is not None and one.cap <= 0:
        return "cap", f"{plain(one.cap)} is not positive"
    if not 0 <= one.mmr < ONE:
        return "mmr", f"{plain(one.mmr)} is not at least 0 and below 1"
    if one.amount < 0:
        return "amount", f"{plain(one.amount)} is negative"
    if one.max_leverage is not None and one.max_leverage <= 0:
        return "max_leverage", f"{plain(one.max_leverage)} is not positive"
    return None


def _fault_of_order(below: Bracket | None, one: Bracket) -> tuple[str, str] | None:
    if below is None:
        return None
    if below.cap is None:
        given = "null" if one.cap is None else plain(one.cap)
        return "cap", f"{given} follows a bracket without a cap, which only the last may be"
    if one.cap is not None and one.cap <= below.cap:
        return "cap", f"{plain(one.cap)} is not above {plain(below.cap)} of the bracket before"
    if one.mmr < below.mmr:
        return "mmr", f"{plain(one.mmr)} is below {plain(below.mmr)} of the bracket before"
    return None
