"""Replay of many trials at once, equal in every bit to the plain replay."""

from bot.backtest.batch.replay import BatchReplayer
from bot.backtest.batch.run_records import RunRecord

__all__ = ["BatchReplayer", "RunRecord"]
