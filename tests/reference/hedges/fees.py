"""Fee rates and slippage of fills: makers and takers, flat or from recorded schedules."""

from collections.abc import Mapping
from fractions import Fraction
from math import isqrt
from typing import Any

from tests.reference.hedges.contracts import Contract
from tests.reference.hedges.hedge import Leg
from tests.reference.hedges.parameters import DAY_MS, Parameters

MONTH_MS = 30 * DAY_MS
MARKETS = {"spot": "spot", "borrowed": "spot", "linear": "linear", "inverse": "inverse"}
MADE_EXITS = ("signal", "basis", "delisting", "end")


def root(value: Fraction) -> Fraction:
    """Return the square root, rounded half-even to 12 places."""
    scaled = value * 10**24
    low = isqrt(scaled.numerator // scaled.denominator)
    middle = (Fraction(low) + Fraction(1, 2)) ** 2
    is_up = scaled > middle or (scaled == middle and low % 2 == 1)
    return Fraction(low + is_up, 10**12)


class Orders:
    """Costs of fills, and the notional of those that were made."""

    def __init__(self, parameters: Parameters, fee_rows: Mapping[str, Any]) -> None:
        self._parameters = parameters
        self._rows = fee_rows
        self._fills: list[tuple[int, str, str, Fraction]] = []

    def is_made(self, side: str, reason: str | None) -> bool:
        """Tell whether a maker opens the leg of a side, or closes it for `reason`."""
        style = self._parameters["order_style"]
        if self._parameters["maker_legs"] not in ("both", side):
            return False
        return style != "taker" if reason is None else style == "maker" and reason in MADE_EXITS

    def filled(self, leg: Leg, u: int, notional: Fraction) -> None:
        """Remember the booked notional of a fill."""
        self._fills.append((u, leg.exchange, MARKETS[leg.kind], notional))

    def rate(self, leg: Leg, u: int, *, made: bool) -> Fraction:
        """Return the fee rate of a fill at `u`."""
        parameters, kind = self._parameters, "maker" if made else "taker"
        own: Fraction | None = parameters[f"{leg.side}_{kind}"]
        if own is not None:
            return own
        if parameters["fee_model"] == "recorded":
            return self._recorded(leg, u, kind)
        found: Fraction = parameters[f"{'perp' if leg.is_perp else 'spot'}_{kind}"]
        return found

    def base_slippage(self, *, made: bool) -> Fraction:
        """Return the slippage of a fill without its impact."""
        found: Fraction = self._parameters["maker_slippage_bps" if made else "slippage_bps"] / 10000
        return found

    def planned_slippage(self, *, made: bool) -> Fraction:
        """Return the slippage that an entry is sized with."""
        share = min(self._parameters["max_participation"] or Fraction(1), Fraction(1))
        return self.base_slippage(made=made) + (0 if made else self._impact(share))

    def price(self, contract: Contract, u: int, quantity: Fraction, *, buys: bool, made: bool) -> Fraction:
        """Return the fill of a quantity at `u`."""
        slippage = self.base_slippage(made=made)
        if not made and self._parameters["impact_bps"]:
            volume = contract.trades.volume_of_day(u)
            slippage += self._impact(min(quantity / volume, Fraction(1)) if volume else Fraction(1))
        return contract.known_price(u) * (1 + slippage if buys else 1 - slippage)

    def _impact(self, share: Fraction) -> Fraction:
        found: Fraction = self._parameters["impact_bps"] / 10000 * root(share)
        return found

    def _recorded(self, leg: Leg, u: int, kind: str) -> Fraction:
        market = MARKETS[leg.kind]
        newest: dict[str, Any] = {}
        for row in sorted(self._rows[leg.exchange]["rows"], key=lambda row: int(row["from_ms"])):
            if row["market"] == market and int(row["from_ms"]) <= u:
                newest[row["tier"]] = row
        tier = self._parameters["fee_tier"]
        if tier != "auto":
            return Fraction(newest[tier][kind])
        traded = self._parameters["fee_base_volume"] + sum(
            notional
            for at, exchange, of_market, notional in self._fills
            if u - MONTH_MS <= at < u and (exchange, of_market) == (leg.exchange, market)
        )
        reached = [row for row in newest.values() if Fraction(row["min_volume"]) <= traded]
        return Fraction(max(reached, key=lambda row: Fraction(row["min_volume"]))[kind])
