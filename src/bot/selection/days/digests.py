"""Digests of trials as two words each, equal where trials are, and the first of equal trials."""

from hashlib import sha256

import numpy as np
import numpy.typing as npt

from bot.numbers.arrays import IntArray

Digests = npt.NDArray[np.uint64]
"""One row of `WORDS` words for each trial."""

WORDS = 2
DIGEST_BYTES = 16


def text_digests(texts: npt.NDArray[np.int32]) -> Digests:
    """Return the digest of each row of a matrix."""
    found = (sha256(text.data).digest()[:DIGEST_BYTES] for text in texts)
    return np.frombuffer(b"".join(found), dtype=np.uint64).reshape(-1, WORDS)


def first_of_equals(numbers: IntArray, digests: Digests) -> IntArray:
    """Return rows by ascending number, of those with one digest the lowest number alone."""
    # Where first words differ nothing is equal: one column is sorted in a tenth of the time of three.
    words = np.sort(digests[:, 0])
    if not (words[1:] == words[:-1]).any():
        return np.argsort(numbers, kind="stable")
    order = np.lexsort((numbers, digests[:, 1], digests[:, 0]))
    ordered = digests[order]
    first = np.ones(len(order), dtype=np.bool_)
    first[1:] = (ordered[1:] != ordered[:-1]).any(axis=1)
    rows = order[first]
    found: IntArray = rows[np.argsort(numbers[rows], kind="stable")]
    return found
