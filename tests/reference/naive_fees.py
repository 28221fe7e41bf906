"""Fee rates of a run: those it names, or those of recorded schedules at the tier it has reached."""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from tests.reference.naive_config import Parameters
from tests.reference.naive_numbers import book

MONTH_MS = 30 * 86_400_000
MARKETS = {"long": "spot", "short": "linear"}


class Fees:
    """Look up rates, and remember what was filled."""

    def __init__(self, rows: Sequence[Mapping[str, Any]]) -> None:
        self.rows = rows
        self.fills: list[tuple[str, int, Fraction]] = []

    def filled(self, leg: str, t: int, quantity: Fraction, fill: Fraction) -> None:
        """Remember a fill."""
        self.fills.append((leg, t, book(quantity * fill)))

    def rate(self, parameters: Parameters, leg: str, reason: str | None, t: int) -> Fraction:
        """Return the rate of a fill at `t`."""
        kind = "maker" if parameters.is_made(leg, reason) else "taker"
        own = getattr(parameters, f"{leg}_{kind}")
        if parameters.fee_model == "flat" or own is not None:
            return parameters.fee_rate(leg, reason)
        newest: dict[str, Mapping[str, Any]] = {}
        for row in sorted(self.rows, key=lambda row: int(row["from_ms"])):
            if row["market"] == MARKETS[leg] and int(row["from_ms"]) <= t:
                newest[row["tier"]] = row
        if parameters.fee_tier != "auto":
            return Fraction(newest[parameters.fee_tier][kind])
        volume = parameters["fee_base_volume"] + sum(
            (notional for own_leg, at, notional in self.fills if own_leg == leg and t - MONTH_MS <= at < t),
            Fraction(0),
        )
        reached = [row for row in newest.values() if Fraction(row["min_volume"]) <= volume]
        return Fraction(max(reached, key=lambda row: Fraction(row["min_volume"]))[kind])
