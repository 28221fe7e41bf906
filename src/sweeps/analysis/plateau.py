"""The best cell of a matrix, and the plateau: the cell whose worst neighbour is best."""

from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Cell = tuple[int, int]
_ENOUGH = 5


def best_cell(levels: Floats, *, maximize: bool) -> Cell | None:
    """Return (row, column) of the best level, the first of equal ones; None if all are NaN."""
    goodness = _goodness(levels, maximize=maximize)
    return None if np.isneginf(goodness).all() else _place(goodness)


def plateau(levels: Floats, *, maximize: bool, across: bool, down: bool) -> Cell | None:
    """Return (row, column) of the cell whose worst level among itself and the cells around it is best.

    Only axes whose steps are neighbouring numbers (`across`, `down`) have neighbours; cells without a level
    are left out. Cells with fewer than five known neighbours (two along a single side), or than any cell
    has, do not count: little is known about what surrounds them. None if no cell has a neighbour.
    """
    goodness = _goodness(levels, maximize=maximize)
    known = ~np.isneginf(goodness)
    margined = np.pad(known, 1)
    worsts = np.pad(np.where(known, goodness, np.inf), 1, constant_values=np.inf)
    worst = worsts[1:-1, 1:-1].copy()
    around = np.zeros(levels.shape, dtype=np.int8)
    for row, column in _steps(across=across, down=down):
        around += _shifted(margined, row, column)
        np.minimum(worst, _shifted(worsts, row, column), out=worst)
    most = int(around[known].max(initial=0))
    if most == 0:
        return None
    enough = min(_ENOUGH if across and down else 2, most)
    return _place(np.where(known & (around >= enough), worst, -np.inf), goodness)


def _goodness(levels: Floats, *, maximize: bool) -> Floats:
    return np.where(np.isnan(levels), -np.inf, levels if maximize else -levels)


def _steps(*, across: bool, down: bool) -> list[Cell]:
    rows, columns = ((-1, 0, 1) if down else (0,)), ((-1, 0, 1) if across else (0,))
    return [(row, column) for row in rows for column in columns if (row, column) != (0, 0)]


def _shifted(margined: npt.NDArray[Any], row: int, column: int) -> npt.NDArray[Any]:
    """Return the neighbour of each cell, of a matrix that has a margin of one cell around it."""
    height, width = margined.shape
    return margined[1 + row : height - 1 + row, 1 + column : width - 1 + column]


def _place(first: Floats, then: Floats | None = None) -> Cell:
    """Return the place of the largest, by `then` among equal ones."""
    ties = first == first.max()
    at = int(np.argmax(ties if then is None else np.where(ties, then, -np.inf)))
    row, column = divmod(at, first.shape[1])
    return row, column
