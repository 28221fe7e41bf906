"""The best cell of a matrix, and the plateau: the cell whose worst neighbour is best."""

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

    Only sides whose steps are neighbouring numbers (`across`, `down`) have neighbours; cells without a level
    are left out. Cells with fewer than five known neighbours (two along a single side), or than any cell
    has, do not count: little is known about what surrounds them. None if no cell has a neighbour.
    """
    goodness = _goodness(levels, maximize=maximize)
    known = ~np.isneginf(goodness)
    worst = np.where(known, goodness, np.inf)
    around = np.zeros(levels.shape, dtype=np.int64)
    for row, column in _steps(across=across, down=down):
        neighbour = _shifted(goodness, row, column)
        seen = ~np.isneginf(neighbour)
        around += seen
        worst = np.minimum(worst, np.where(seen, neighbour, np.inf))
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


def _shifted(goodness: Floats, row: int, column: int) -> Floats:
    height, width = goodness.shape
    padded = np.pad(goodness, 1, constant_values=-np.inf)
    return padded[1 + row : 1 + row + height, 1 + column : 1 + column + width]


def _place(first: Floats, then: Floats | None = None) -> Cell:
    """Return the place of the largest, by `then` among equal ones."""
    ties = first == first.max()
    at = int(np.argmax(ties if then is None else np.where(ties, then, -np.inf)))
    row, column = divmod(at, first.shape[1])
    return row, column
