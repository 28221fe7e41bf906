"""Columns split into planes by the compiled library, as NumPy splits them."""

import numpy as np

from bot.kernel import layouts
from bot.kernel.layouts import address
from bot.kernel.loading import Library, usable
from bot.numbers.planes import (
    WIDTH,
    Columns,
    SplitColumn,
    Splitter,
    sample_step,
    slots,
    split_columns,
    stacked,
)


def fastest_split() -> Splitter:
    """Return what splits columns here: the library, NumPy without it."""
    library = usable()
    return split_columns if library is None else split_by(library)


def split_by(library: Library) -> Splitter:
    """Return what splits columns by `library`."""

    def split(columns: Columns) -> list[SplitColumn]:
        if not len(columns) or not len(columns[0]):
            return split_columns(columns)
        values = np.ascontiguousarray(stacked(columns))
        rows, count = values.shape
        masks = np.empty((rows, 2), dtype=np.uint8)
        planes = np.empty((rows, count * WIDTH), dtype=np.uint8)
        addresses = (address(array) for array in (values, masks, planes))
        library.split(layouts.Columns(rows, count, *slots(count), sample_step(count), *addresses))
        found = []
        for own, (constant, noise) in zip(planes, masks.tolist(), strict=True):
            end = constant.bit_count() + noise.bit_count() * count
            whole = end + (WIDTH - (constant | noise).bit_count()) * count
            found.append(SplitColumn(constant, noise, own[:end].tobytes(), own[end:whole]))
        return found

    return split
