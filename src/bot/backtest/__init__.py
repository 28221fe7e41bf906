"""Event-driven replay of recorded markets."""

from bot.backtest.engine import BacktestEngine, replay, replays, run_backtest
from bot.backtest.insight import Baselines, Insight, blocked_entries, explain
from bot.backtest.result import RunResult
from bot.market.window import ReplayWindow, check_window
from bot.statistics.run_metrics import Metrics

__all__ = [
    "BacktestEngine",
    "Baselines",
    "Insight",
    "Metrics",
    "ReplayWindow",
    "RunResult",
    "blocked_entries",
    "check_window",
    "explain",
    "replay",
    "replays",
    "run_backtest",
]
