"""The kinds of legs, and the structures that they make up: a further kind is a module and a row here."""

from decimal import Decimal
from typing import NamedTuple

from bot.hedges.legs.borrowed import BorrowedLeg
from bot.hedges.legs.inverse import InverseLeg
from bot.hedges.legs.kind import LegKind
from bot.hedges.legs.linear import LinearLeg
from bot.hedges.legs.spot import SpotLeg

SPOT, BORROWED, LINEAR, INVERSE = SpotLeg(), BorrowedLeg(), LinearLeg(), InverseLeg()


class Structure(NamedTuple):
    """Kinds of the long and the short leg of a hedge.

    `spot` and `perp` name the legs that trades show under those names, None where there is no such leg.
    """

    long: LegKind
    short: LegKind
    spot: str | None = None
    perp: str | None = None

    @property
    def is_inverse(self) -> bool:
        """True if the coins of the long leg are the margin of the short one."""
        return self.short.in_coins


STRUCTURES = {
    "spot_perp": Structure(SPOT, LINEAR, "long", "short"),
    "reverse": Structure(LINEAR, BORROWED, "short", "long"),
    "perp_perp": Structure(LINEAR, LINEAR),
    "inverse": Structure(SPOT, INVERSE, "long", "short"),
}
"""The structure of each name of the parameter `structure`."""

LONG_SIDE, SHORT_SIDE = Decimal(1), Decimal(-1)
