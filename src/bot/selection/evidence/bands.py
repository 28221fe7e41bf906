"""Bands around one trial's equity: the same days drawn in another order, as they might have come."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from bot.numbers.arrays import FloatArray, IntArray
from bot.selection.days.block_length import block_length
from bot.selection.days.draws import stationary_indices

FEWEST_DAYS = 60
REPLICATES = 1000
PERCENTS = (5, 25, 50, 75, 95)

Equity = IntArray | FloatArray


@dataclass(frozen=True, slots=True)
class Bands:
    """Values that so many percent of the replicates do not exceed, by percent.

    `equity` has one value a day, in the units of the amounts; `sharpe` is of the drawn days and daily, None
    where they do not vary. `p_loss` is the share of replicates that end below the initial capital.
    """

    mean_block: int
    equity: Mapping[int, list[Any]]
    total_return: Mapping[int, float]
    sharpe: Mapping[int, float | None]
    max_drawdown_pct: Mapping[int, float]
    p_loss: float


def amount_bands(run_key: str, amounts: IntArray, initial: int) -> Bands | None:
    """Return the bands of daily P&L in whole units, sized by the initial capital; None below 60 days."""
    if len(amounts) < FEWEST_DAYS:
        return None
    block, indices = _drawn(run_key, amounts.astype(np.float64))
    drawn = amounts[indices]
    return _bands(block, initial + np.cumsum(drawn, axis=1), initial, _sharpes(drawn))


def return_bands(run_key: str, returns: FloatArray, initial: int) -> Bands | None:
    """Return the bands of daily returns of a run sized by its equity, compounding; None below 60 days."""
    if len(returns) < FEWEST_DAYS:
        return None
    block, indices = _drawn(run_key, returns)
    drawn = returns[indices]
    equity = cast("FloatArray", initial * np.cumprod(1 + drawn, axis=1))
    return _bands(block, equity, initial, _sharpes(drawn))


def quantiles(values: npt.NDArray[Any]) -> dict[int, Any]:
    """Return of n values, along the first axis, the `ceil(n * percent / 100)`-th smallest of each percent."""
    ordered = np.sort(values, axis=0)
    return {percent: ordered[-(-len(ordered) * percent // 100) - 1].tolist() for percent in PERCENTS}


@dataclass(frozen=True, slots=True)
class Consistency:
    """Outcome of the holdout test; `p` is the chance that days like the earlier ones add up to no more."""

    consistent: bool
    p: float


def consistent(run_key: str, earlier: FloatArray, later: FloatArray) -> bool | None:
    """Return whether later daily returns add up to what the worst of twenty draws of earlier ones do.

    None if there are more later than earlier days.
    """
    found = consistency(run_key, earlier, later)
    return None if found is None else found.consistent


def consistency(run_key: str, earlier: FloatArray, later: FloatArray) -> Consistency | None:
    """Return the outcome of the holdout test.

    None if there are more later than earlier days, no later ones, or days without a return.
    """
    if not 0 < len(later) <= len(earlier) or np.isnan(earlier).any() or np.isnan(later).any():
        return None
    block = math.ceil(block_length(earlier))
    text = f"holdout/{run_key}"
    indices = stationary_indices(text, len(earlier), block, 0, REPLICATES, places=len(later))
    sums = np.array([math.fsum(row) for row in earlier[indices].tolist()])
    earned = math.fsum(later.tolist())
    share = (1 + int(np.count_nonzero(sums <= earned))) / (REPLICATES + 1)
    return Consistency(bool(earned >= quantiles(sums)[PERCENTS[0]]), share)


def _drawn(run_key: str, values: FloatArray) -> tuple[int, IntArray]:
    block = math.ceil(block_length(values))
    return block, stationary_indices(f"band/{run_key}", len(values), block, 0, REPLICATES)


def _bands(block: int, equity: Equity, initial: int, sharpes: FloatArray) -> Bands:
    peaks = np.maximum(np.maximum.accumulate(equity, axis=1), initial)
    drawdowns = ((peaks - equity) / peaks).max(axis=1)
    final = equity[:, -1]
    return Bands(
        block,
        quantiles(equity),
        quantiles(final / initial - 1),
        {percent: None if math.isnan(one) else one for percent, one in quantiles(sharpes).items()},
        quantiles(drawdowns),
        float(np.count_nonzero(final < initial)) / REPLICATES,
    )


def _sharpes(drawn: Equity) -> FloatArray:
    """Return the daily Sharpe ratios of the replicates (rows)."""
    days = drawn.shape[1]
    means = np.array([math.fsum(row) / days for row in drawn.tolist()])
    squares = ((drawn - means[:, None]) ** 2).tolist()
    spread = np.sqrt(np.array([math.fsum(row) for row in squares]) / (days - 1))
    return cast("FloatArray", np.where(spread > 0, means / np.where(spread > 0, spread, 1.0), np.nan))
