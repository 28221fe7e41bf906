"""Verdict on a sweep with what a replay of its candidate adds."""

from dataclasses import dataclass, replace

from bot.backtest.periods.yearly_figures import Yearly
from bot.selection.badges import Badge, badges
from sweeps.analysis.verdicts.verdict import SweepVerdict


@dataclass(frozen=True, slots=True)
class ReplayedVerdict:
    """Verdict on a sweep and its sentence; `yearly` are figures of the candidate, or `missing` says why."""

    found: SweepVerdict
    yearly: Yearly | None
    missing: str | None
    sentence: str

    @property
    def badges(self) -> list[Badge]:
        """Badges of the candidate; none without one."""
        facts = self.found.facts
        if facts is None:
            return []
        regime = None if self.yearly is None else self.yearly.best_regime
        return badges(replace(facts, best_regime=regime))
