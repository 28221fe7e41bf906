"""Replay of many trials at once, equal in every bit to the plain replay."""

from bot.backtest.batch.accounts import TrialSummary
from bot.backtest.batch.courses import Course
from bot.backtest.batch.replay import BatchReplayer

__all__ = ["BatchReplayer", "Course", "TrialSummary"]
