"""Event-driven replay of recorded markets."""

from bot.backtest.engine import BacktestEngine, replay, run_backtest
from bot.backtest.result import Metrics, RunResult
from bot.backtest.window import ReplayWindow

__all__ = ["BacktestEngine", "Metrics", "ReplayWindow", "RunResult", "replay", "run_backtest"]
