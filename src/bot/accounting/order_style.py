"""Style of orders: which legs are opened and closed by maker orders; all others are taker orders."""

from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import Literal, Self

from bot.accounting.fees import FeeModel
from bot.models import LEGS, SPOT_PERP, CloseReason, Leg
from bot.numbers.money import ZERO

Style = Literal["taker", "maker", "maker_entry"]
MakerLegs = Literal["both", "long", "short"]

_UNHURRIED = frozenset(
    {CloseReason.SIGNAL, CloseReason.BASIS, CloseReason.DELISTING, CloseReason.SEAM, CloseReason.END}
)
"""Reasons of closings that may wait in the book; whatever margin or an exchange forces is taken."""

_NONE: frozenset[Leg] = frozenset()


@dataclass(frozen=True, slots=True)
class OrderStyle:
    """Legs whose `entries` and whose non-urgent `exits` are maker orders; makers fill for sure.

    Source: docs/domain.md, section 4.
    """

    entries: frozenset[Leg] = frozenset()
    exits: frozenset[Leg] = frozenset()

    @classmethod
    @cache
    def of(cls, style: Style, legs: MakerLegs) -> Self:
        """Return the style of the parameters `order_style` and `maker_legs`."""
        sides = {"long": (True,), "short": (False,), "both": (True, False)}[legs]
        made = frozenset(leg for leg in LEGS if (SPOT_PERP.side(leg) > 0) in sides)
        return cls(_NONE if style == "taker" else made, made if style == "maker" else _NONE)

    def opens(self, leg: Leg) -> bool:
        """Return whether a leg is opened by a maker order."""
        return leg in self.entries

    def closes(self, leg: Leg, reason: CloseReason | None) -> bool:
        """Return whether a leg is closed by a maker order when a hedge ends for `reason`."""
        return leg in self.made_exits(reason)

    def made_exits(self, reason: CloseReason | None) -> frozenset[Leg]:
        """Return the legs that maker orders close when a hedge ends for `reason`."""
        return self.exits if reason in _UNHURRIED else _NONE

    def round_trip_fees(self, fees: FeeModel, t_ms: int) -> Decimal:
        """Return the fee rates at `t_ms` of opening both legs and of closing them on a signal, summed.

        Source: docs/domain.md, section 5.
        """
        total = ZERO
        for leg in LEGS:
            total += fees.rate(leg, maker=self.opens(leg), t_ms=t_ms)
            total += fees.rate(leg, maker=self.closes(leg, CloseReason.SIGNAL), t_ms=t_ms)
        return total
