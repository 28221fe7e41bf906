"""Report on a selection: the figures, and the document that every place shows them by."""

from dataclasses import dataclass, replace
from typing import Any, Self

from bot.selection.cross_validation import CrossValidation
from bot.selection.evidence.transfer import transfer_document
from bot.selection.looks import Lifetime
from bot.selection.overfitting import Overfitting
from bot.selection.panel import Panel
from bot.selection.search_luck import SearchLuck
from bot.selection.track.track_record import TrackRecord
from bot.selection.verdict import Evidence, Verdict
from bot.selection.walk_forward import Fold, Stitched, walk_forward_document


@dataclass(frozen=True)
class BenchmarkReport:
    """Luck of the search against one benchmark, and the record of its winner against it."""

    search: SearchLuck
    winner: TrackRecord | None
    lifetime: Lifetime

    @property
    def p_luck(self) -> float | None:
        """Chance that luck shows such a winner in this search."""
        return None if self.winner is None else self.search.p_luck(self.winner.sharpe)

    @property
    def p_life(self) -> float | None:
        """Chance that luck shows such a winner in all looks."""
        p_luck = self.p_luck
        return None if p_luck is None else self.lifetime.p_life(p_luck, self.search.independent)

    def document(self) -> dict[str, Any]:
        """Return the report as JSON values."""
        return {
            **self.search.document(self.winner),
            "lifetime": self.lifetime.document(self.search, self.winner),
        }


@dataclass(frozen=True)
class SelectionReport:
    """Judgement of the best of many trials. A part without enough days is None, and `missing` says why.

    `stitched` is the run of the folds, `plateau` the worst objective next to the winner, `transfer` the rank,
    by value of `symbols`, of what is chosen on the others, and `random_entries` the chance that the winner's
    trips at random moments earn as much. They take replays or other results than sums, and are None where
    nobody has added them.
    """

    panel: Panel
    eligible: int
    distinct: int
    lifetime: Lifetime
    winner: int | None
    cash: BenchmarkReport | None
    hold: BenchmarkReport | None
    pbo: Overfitting | None
    cv: CrossValidation | None
    walk_forward: list[Fold] | None
    missing: dict[str, str]
    stitched: Stitched | None = None
    plateau: float | None = None
    transfer: dict[str, float] | None = None
    random_entries: float | None = None

    def over(self, lifetime: Lifetime) -> Self:
        """Return the same report over other looks, of which there are more as time goes by."""
        cash = self.cash and replace(self.cash, lifetime=lifetime)
        hold = self.hold and replace(self.hold, lifetime=lifetime)
        return replace(self, lifetime=lifetime, cash=cash, hold=hold)

    @property
    def verdict(self) -> Verdict:
        """Verdict on the winner."""
        return Evidence(
            self.distinct,
            None if self.cash is None else self.cash.p_life,
            None if self.hold is None else self.hold.p_luck,
            None if self.pbo is None else self.pbo.pbo,
            None if self.stitched is None else float(self.stitched.metrics["net_pnl"]),
            self.plateau,
        ).verdict

    def document(self) -> dict[str, Any]:
        """Return the report as JSON values."""
        return {
            "trials": {
                "tried": self.lifetime.tried,
                "eligible": self.eligible,
                "distinct": self.distinct,
                "independent": self.cash and self.cash.search.independent,
            },
            "winner": self.winner,
            "cash": self.cash and self.cash.document(),
            "hold": self.hold and self.hold.document(),
            "pbo": self.pbo and self.pbo.document(),
            "cv": self.cv and self.cv.document(),
            "walk_forward": self.walk_forward
            and walk_forward_document(self.walk_forward, self.stitched, self.panel.calendar.first_day),
            "plateau": self.plateau,
            "transfer": self.transfer and transfer_document(self.transfer),
            "random_entries": self.random_entries,
            "verdict": self.verdict.value,
            **({"missing": self.missing} if self.missing else {}),
        }
