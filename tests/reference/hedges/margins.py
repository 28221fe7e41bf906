"""Margin of single legs: maintenance, balances, and where a leg is wiped out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from tests.reference.hedges.hedge import Leg
from tests.reference.hedges.parameters import Parameters


@dataclass(frozen=True)
class Bracket:
    """Maintenance `mmr * n - amount` of notionals up to `cap`, None for all larger ones."""

    cap: Fraction | None
    mmr: Fraction
    amount: Fraction
    max_leverage: Fraction | None


def brackets_of(rows: Sequence[Mapping[str, Any]]) -> list[Bracket]:
    """Return brackets as they are written, in ascending order."""
    return [
        Bracket(
            cap=None if row.get("cap") is None else Fraction(str(row["cap"])),
            mmr=Fraction(str(row["mmr"])),
            amount=Fraction(str(row.get("amount") or 0)),
            max_leverage=None if row.get("max_leverage") is None else Fraction(str(row["max_leverage"])),
        )
        for row in rows
    ]


def maintenance(brackets: Sequence[Bracket], notional: Fraction) -> Fraction:
    """Return the maintenance margin of a notional."""
    for bracket in brackets:
        if bracket.cap is None or notional <= bracket.cap:
            return bracket.mmr * notional - bracket.amount
    return brackets[-1].mmr * notional - brackets[-1].amount


def opening_cap(brackets: Sequence[Bracket], leverage: Fraction) -> Fraction | None:
    """Return the largest notional that may be opened at a leverage, None without a limit."""
    allowing = [
        bracket for bracket in brackets if bracket.max_leverage is None or bracket.max_leverage >= leverage
    ]
    return allowing[-1].cap if allowing else Fraction(0)


class MarginRules:
    """Brackets and leverage of each leg."""

    def __init__(self, parameters: Parameters, recorded: Mapping[tuple[str, str], Any]) -> None:
        self._parameters = parameters
        self._recorded = recorded

    def leverage(self, leg: Leg) -> Fraction:
        """Return the leverage of a margined leg."""
        found: Fraction = self._parameters["borrow_leverage" if leg.kind == "borrowed" else "perp_leverage"]
        return found

    def brackets(self, leg: Leg, t: int) -> list[Bracket]:
        """Return the brackets in force for a margined leg; a flat rate is one bracket without a cap."""
        if leg.kind == "borrowed":
            return [Bracket(None, self._parameters["borrow_mmr"], Fraction(0), None)]
        if self._parameters["margin_model"] == "flat":
            return [Bracket(None, self._parameters.instrument["mmr"], Fraction(0), None)]
        if self._parameters.brackets is not None:
            return brackets_of(self._parameters.brackets)
        rows = [row for row in self._recorded[leg.exchange, leg.stem] if int(row["from_ms"]) <= t]
        return brackets_of(max(rows, key=lambda row: int(row["from_ms"]))["brackets"])


def first_wiped_out_at(
    brackets: Sequence[Bracket], *, sign: int, equity_at_zero: Fraction
) -> Fraction | None:
    """Return the notional at which a leg is first wiped out, None if none above zero wipes it out.

    The balance at a notional `n` is `equity_at_zero + sign * n`: a leg with sign 1 is wiped out where `n`
    falls (longs, and inverse shorts, whose notional is in coins), one with sign -1 where it rises.
    """
    found: list[Fraction] = []
    low = Fraction(0)
    for place, bracket in enumerate(brackets):
        high = None if place == len(brackets) - 1 else bracket.cap
        bound = (equity_at_zero + bracket.amount) / (bracket.mmr - sign)
        if sign > 0:
            if bound > low:
                found.append(bound if high is None else min(bound, high))
        elif high is None or bound <= high:
            found.append(max(bound, low))
        low = low if high is None else high
    if not found:
        return None
    return max(found) if sign > 0 else min(found)
