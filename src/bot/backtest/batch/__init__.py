"""Replay of many trials at once, equal in every bit to the plain replay."""

from bot.backtest.batch.replay import BatchReplayer, TrialSummary

__all__ = ["BatchReplayer", "TrialSummary"]
