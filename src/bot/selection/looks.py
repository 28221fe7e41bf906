"""Looks at the same days by every other run, and the luck of a winner over all of them."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from bot.selection.independent_trials import luck_of_as_many
from bot.selection.search_luck import SearchLuck
from bot.selection.track.track_record import TrackRecord


@dataclass(frozen=True, slots=True)
class Look:
    """Runs whose results could be seen: their market, and their days from `first` to `last`, by number.

    `new` of the `runs` were not taken over from an equal run; `independent` is the number of trials that
    they are worth, None where nobody has judged them.
    """

    exchange: str
    symbols: frozenset[str]
    first: int
    last: int
    runs: int
    new: int
    independent: float | None = None

    def weight(self, own: "Look") -> Fraction:
        """Return the share of the days of `own` that this one has seen; 0 in another market."""
        if self.exchange != own.exchange or not self.symbols & own.symbols:
            return Fraction(0)
        shared = min(self.last, own.last) - max(self.first, own.first) + 1
        return Fraction(max(0, shared), own.last - own.first + 1)


@dataclass(frozen=True, slots=True)
class Lifetime:
    """Own runs, all that were tried on the same days, and the independent trials the others are worth."""

    runs: int
    tried: int
    others: float

    @classmethod
    def of(cls, own: Look, looks: Sequence[Look]) -> "Lifetime":
        """Return the lifetime of a sweep among all other looks."""
        weights = [look.weight(own) for look in looks]
        tried = own.runs + math.ceil(_sum(w * look.new for w, look in zip(weights, looks, strict=True)))
        others = math.fsum(float(w) * _worth(look) for w, look in zip(weights, looks, strict=True))
        return cls(own.runs, tried, others)

    def independent(self, search: float) -> float:
        """Return the independent trials of a lifetime to which `search` belongs."""
        return search + self.others

    def p_life(self, p_luck: float, search: float) -> float:
        """Return the chance of luck over all looks; `search` is the number of independent trials of one."""
        kept: float = (1 - p_luck) ** (self.independent(search) / search)
        return 1 - kept

    def luck(self, search: SearchLuck) -> float:
        """Return the best Sharpe ratio expected by luck over all looks."""
        more = luck_of_as_many(self.independent(search.independent)) - luck_of_as_many(search.independent)
        return search.luck + search.median_tau * more

    def document(self, search: SearchLuck, winner: TrackRecord | None) -> dict[str, Any]:
        """Return the judgement over all looks as JSON values."""
        luck = self.luck(search)
        p_luck = None if winner is None else self.p_life(search.p_luck(winner.sharpe), search.independent)
        return {
            "tried": self.tried,
            "independent": self.independent(search.independent),
            "luck": luck,
            "p_luck": p_luck,
            "dsr": None if winner is None else winner.psr(luck),
        }


def _sum(amounts: Iterable[Fraction]) -> Fraction:
    return sum(amounts, Fraction(0))


def _worth(look: Look) -> float:
    if look.independent is None or not look.runs:
        return float(look.new)
    return look.new / look.runs * look.independent
