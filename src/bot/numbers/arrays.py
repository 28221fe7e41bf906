"""One name for each kind of numpy column: whole numbers, masks, and floats for statistics and charts."""

import numpy as np
import numpy.typing as npt

IntArray = npt.NDArray[np.int64]
"""Whole numbers: milliseconds, indices, counts, or money in units of 1e-8 quote."""

BoolArray = npt.NDArray[np.bool_]
"""A mask over rows or events."""

FloatArray = npt.NDArray[np.float64]
"""Inexact values; never money that is booked."""
