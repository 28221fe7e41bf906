"""Guard of a selection: the eligible trials, by the metrics that are stored with each."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Self

import numpy as np

from bot.numbers.arrays import BoolArray, FloatArray, IntArray
from bot.plurals import counted
from bot.selection.settings import ValidationSettings

GUARD_METRICS = ("total_trades", "funding_payments", "volatility", "net_pnl")
"""The metrics that decide whether a completed trial is eligible."""


@dataclass(frozen=True, slots=True)
class Guard:
    """Fewest trades and settlements of an eligible trial; flat and broken ones never are.

    A flat trial has no daily return but zero; a broken one has none, since its equity did not stay positive
    or its window has not two days.
    """

    min_trades: int
    min_settlements: int

    @classmethod
    def of(cls, settings: ValidationSettings | Literal[False]) -> Self:
        """Return the guard of these settings; without any, no number of trades is too small."""
        return cls(settings.min_trades, settings.min_settlements) if settings else cls(0, 0)

    def eligible(self, metrics: Mapping[str, IntArray | FloatArray]) -> BoolArray:
        """Return the mask of completed eligible trials, from their columns of `GUARD_METRICS`."""
        volatility = metrics["volatility"]
        moving = (volatility > 0) | ((volatility == 0) & (metrics["net_pnl"] != 0))
        enough = metrics["total_trades"] >= self.min_trades
        settled = metrics["funding_payments"] >= self.min_settlements
        return np.asarray(moving & enough & settled)

    def refusal(self, metrics: Mapping[str, Any]) -> str | None:
        """Return in words why a completed trial cannot win, None if it is eligible."""
        reasons = []
        if metrics["volatility"] is None:
            reasons.append("broken, without daily returns")
        elif not metrics["volatility"] and not metrics["net_pnl"]:
            reasons.append("flat, every daily return is zero")
        for metric, word, least in (
            ("total_trades", "trade", self.min_trades),
            ("funding_payments", "settlement", self.min_settlements),
        ):
            if metrics[metric] < least:
                reasons.append(f"{counted(metrics[metric], word)}, {least:,} needed")
        return "; ".join(reasons) or None
