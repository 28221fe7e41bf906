"""Event-driven replay of recorded markets."""

from bot.backtest.baseline import Baselines
from bot.backtest.engine import BacktestEngine, replay, replays, run_backtest
from bot.backtest.entry_blockers import blocked_entries
from bot.backtest.explanation import RunExplanation, explain
from bot.backtest.result import RunResult
from bot.market.window import ReplayWindow, check_window
from bot.statistics.run_metrics import Metrics

__all__ = [
    "BacktestEngine",
    "Baselines",
    "Metrics",
    "ReplayWindow",
    "RunExplanation",
    "RunResult",
    "blocked_entries",
    "check_window",
    "explain",
    "replay",
    "replays",
    "run_backtest",
]
