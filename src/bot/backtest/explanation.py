"""Explanation of a run: its hold baseline, the carry it captured, and its entry blockers."""

from dataclasses import dataclass
from typing import Any

from bot.backtest.baseline import Baselines, FinishedRun
from bot.backtest.entry_blockers import blocked_entries
from bot.backtest.result import RunResult
from bot.market.window import ReplayWindow
from bot.statistics.carry import CarryComparison
from bot.strategies.gates import GateReport


@dataclass(frozen=True, slots=True)
class RunExplanation:
    """Hold baseline, captured carry and entry blockers of a run; `blocked` is empty if there were trades."""

    baseline: FinishedRun
    carry: CarryComparison
    blocked: tuple[GateReport, ...]

    def document(self) -> dict[str, Any]:
        """Return `hold_baseline` and `blocked_entries` as JSON values."""
        return {
            "hold_baseline": {**self.carry.document(), "metrics": self.baseline.metrics.document()},
            "blocked_entries": [report.document() for report in self.blocked],
        }


def explain(result: RunResult, window: ReplayWindow, baselines: Baselines) -> RunExplanation:
    """Return the explanation of `result`, a run over `window`."""
    blocked = () if result.trades else tuple(blocked_entries(result, window))
    return RunExplanation(baselines.of(result.config), baselines.compare(result), blocked)
