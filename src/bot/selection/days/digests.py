"""Digests of trials as two words each, equal where trials are, and the first of equal trials."""

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from bot.numbers.arrays import IntArray

Digests = npt.NDArray[np.uint64]
"""One row of `WORDS` words for each trial."""

WORDS = 2
DIGEST_BYTES = 16


def digest_words(texts: Iterable[bytes]) -> Digests:
    """Return digests of 16 bytes each as words."""
    return np.frombuffer(b"".join(texts), dtype=np.uint64).reshape(-1, WORDS)


def first_of_equals(numbers: IntArray, digests: Digests) -> IntArray:
    """Return rows by ascending number, of those with one digest the lowest number alone."""
    order = np.lexsort((numbers, digests[:, 1], digests[:, 0]))
    ordered = digests[order]
    first = np.ones(len(order), dtype=np.bool_)
    first[1:] = (ordered[1:] != ordered[:-1]).any(axis=1)
    rows = order[first]
    found: IntArray = rows[np.argsort(numbers[rows], kind="stable")]
    return found
