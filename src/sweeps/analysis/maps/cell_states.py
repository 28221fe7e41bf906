"""Cells of a matrix without an eligible trial, and why: nothing ran, it failed, never traded, ..."""

from enum import StrEnum

import numpy as np

from bot.numbers.arrays import BoolArray, IntArray
from sweeps.analysis.matrix_axes import MatrixAxis
from sweeps.spec.axis_positions import Numbers
from sweeps.spec.space import TrialSpace
from sweeps.storage.blocks import Measured

TRADES = "total_trades"


class CellState(StrEnum):
    """Reason why a cell has no eligible trial, of several the last one that a trial of it has."""

    NOT_RUN = "not_run"
    OUTSIDE = "outside"
    FAILED = "failed"
    NOT_TRADED = "not_traded"
    UNDEFINED = "undefined"
    INELIGIBLE = "ineligible"


def cell_states(
    done: Measured, ids: IntArray, metric: str, eligible: BoolArray, failed: IntArray, *, selecting: bool
) -> list[CellState | None]:
    """Return the state of each cell, None where a trial is eligible.

    `ids` are the cells of the trials `done`, which hold `metric` and `TRADES`, `failed` those of failed ones,
    and `eligible` masks cells with an eligible trial. Without a finished trial a cell is outside a
    selection, or nothing of it has run.
    """
    ranks = np.zeros(len(eligible), dtype=np.int64)
    ranks[failed] = 1
    if len(ids):
        traded = done.values[TRADES] > 0
        own = np.where(traded, np.where(done.defined(metric), 4, 3), 2)
        np.maximum.at(ranks, ids, own)
    ranks[eligible] = 5
    names = [
        CellState.OUTSIDE if selecting else CellState.NOT_RUN,
        CellState.FAILED,
        CellState.NOT_TRADED,
        CellState.UNDEFINED,
        CellState.INELIGIBLE,
        None,
    ]
    return [names[rank] for rank in ranks.tolist()]


def matrix_ids(space: TrialSpace, axes: tuple[MatrixAxis, MatrixAxis], cells: Numbers) -> IntArray:
    """Return the place of each cell of a space in the matrix, row by row."""
    x, y = axes
    return y.of(space, cells) * x.size + x.of(space, cells)
