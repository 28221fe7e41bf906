"""Verdict on the winner of a search: one word, and its meaning."""

from dataclasses import dataclass
from enum import StrEnum

_SIGNIFICANT = 0.05
_EVEN = 0.5
_FEWEST_TRIALS = 10


class Verdict(StrEnum):
    """Judgements of a winner, the first that applies."""

    TOO_LITTLE = "too_little"
    LUCK = "luck"
    HOLDING = "holding"
    FRAGILE = "fragile"
    HOLDS_UP = "holds_up"


MEANINGS = {
    Verdict.TOO_LITTLE: "too little to judge by",
    Verdict.LUCK: "luck explains the winner",
    Verdict.HOLDING: "the search adds nothing to holding",
    Verdict.FRAGILE: "the winner does not last: other days, or settings next to it, do worse",
    Verdict.HOLDS_UP: "the winner holds up",
}
"""Each verdict in words."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """Figures that a verdict rests on; None where undefined.

    `p_life` is the chance of luck over all looks, `p_hold` that of the lead over holding; `stitched` is the
    P&L of the walk-forward and `plateau` the worst objective next to the winner.
    """

    distinct: int
    p_life: float | None
    p_hold: float | None
    pbo: float | None
    stitched: float | None = None
    plateau: float | None = None

    @property
    def verdict(self) -> Verdict:
        """Verdict; a winner whose days are all those of holding has no `p_hold`, and adds nothing."""
        if self.p_life is None or self.distinct < _FEWEST_TRIALS:
            return Verdict.TOO_LITTLE
        if self.p_life > _SIGNIFICANT:
            return Verdict.LUCK
        if self.p_hold is None or self.p_hold > _EVEN:
            return Verdict.HOLDING
        if self._fragile:
            return Verdict.FRAGILE
        return Verdict.HOLDS_UP

    @property
    def _fragile(self) -> bool:
        losses = [one for one in (self.stitched, self.plateau) if one is not None]
        return (self.pbo or 0.0) > _EVEN or any(one <= 0 for one in losses)
