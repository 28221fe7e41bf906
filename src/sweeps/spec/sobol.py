"""Sobol points in up to 32 dimensions, each computed from its index alone.

Direction numbers: S. Joe and F. Y. Kuo, "Constructing Sobol sequences with better two-dimensional
projections", SIAM J. Sci. Comput. 30 (2008), file new-joe-kuo-6.
"""

from collections.abc import Sequence
from functools import cache

import numpy as np
import numpy.typing as npt

BITS = 32

_POLYNOMIALS = (
    *(1, 3, 7, 11, 13, 19, 25, 37, 41, 47, 55, 59, 61, 67, 91, 97),
    *(103, 109, 115, 131, 137, 143, 145, 157, 167, 171, 185, 191, 193, 203, 211, 213),
)
_INITIAL = (
    (),
    (1,),
    (1, 3),
    (1, 3, 1),
    (1, 1, 1),
    (1, 1, 3, 3),
    (1, 3, 5, 13),
    (1, 1, 5, 5, 17),
    (1, 1, 5, 5, 5),
    (1, 1, 7, 11, 19),
    (1, 1, 5, 1, 1),
    (1, 1, 1, 3, 11),
    (1, 3, 5, 5, 31),
    (1, 3, 3, 9, 7, 49),
    (1, 1, 1, 15, 21, 21),
    (1, 3, 1, 13, 27, 49),
    (1, 1, 1, 15, 7, 5),
    (1, 3, 1, 15, 13, 25),
    (1, 1, 5, 5, 19, 61),
    (1, 3, 7, 11, 23, 15, 103),
    (1, 3, 7, 13, 13, 15, 69),
    (1, 1, 3, 13, 7, 35, 63),
    (1, 3, 5, 9, 1, 25, 53),
    (1, 3, 1, 13, 9, 35, 107),
    (1, 3, 1, 5, 27, 61, 31),
    (1, 1, 5, 11, 19, 41, 61),
    (1, 3, 5, 3, 3, 13, 69),
    (1, 1, 7, 13, 1, 19, 1),
    (1, 3, 7, 5, 13, 19, 59),
    (1, 1, 3, 9, 25, 29, 41),
    (1, 3, 5, 13, 23, 1, 55),
    (1, 3, 7, 3, 13, 59, 17),
)


def sobol_points(
    index: npt.NDArray[np.uint64], sizes: Sequence[int], shifts: Sequence[int]
) -> list[npt.NDArray[np.int64]]:
    """Return the step, of `sizes[d]` equal ones, that each point (index below 2**32) lies on, by dimension.

    `shifts` are 32-bit numbers that every coordinate is combined with, 0 for the plain sequence.
    """
    gray = index ^ (index >> np.uint64(1))
    points = []
    for at, (size, shift) in enumerate(zip(sizes, shifts, strict=True)):
        coordinate = np.full(len(index), shift, dtype=np.uint64)
        for bit, direction in enumerate(_directions(at)):
            chosen = (gray >> np.uint64(bit)) & np.uint64(1)
            coordinate ^= chosen * np.uint64(direction)
        points.append(((coordinate * np.uint64(size)) >> np.uint64(BITS)).astype(np.int64))
    return points


@cache
def _directions(dimension: int) -> tuple[int, ...]:
    polynomial, numbers = _POLYNOMIALS[dimension], list(_INITIAL[dimension])
    degree = len(numbers)
    if not degree:
        return tuple(1 << (BITS - 1 - bit) for bit in range(BITS))
    for bit in range(degree, BITS):
        found = numbers[bit - degree] ^ (numbers[bit - degree] << degree)
        for back in range(1, degree):
            if (polynomial >> (degree - back)) & 1:
                found ^= numbers[bit - back] << back
        numbers.append(found)
    return tuple(number << (BITS - 1 - bit) for bit, number in enumerate(numbers))
