"""Random draws of the judgement: a counter-based generator seeded by a text, the same on every machine."""

import hashlib
from typing import cast

import numpy as np
import numpy.typing as npt

from bot.numbers.arrays import IntArray

Draws = npt.NDArray[np.uint64]

_GAMMA = np.uint64(0x9E3779B97F4A7C15)
_FIRST = np.uint64(0xBF58476D1CE4E5B9)
_SECOND = np.uint64(0x94D049BB133111EB)
_HALF = np.uint64(32)
_LOW = np.uint64(2**32 - 1)


def seed_of(text: str) -> int:
    """Return the seed that an ASCII text names: the first 8 bytes of its SHA-256, big-endian."""
    return int.from_bytes(hashlib.sha256(text.encode("ascii")).digest()[:8], "big")


def draws(seed: int, first: int, count: int) -> Draws:
    """Return draws `first` to `first + count - 1` of a stream of 64-bit numbers.

    Source: Steele, Lea, Flood, Fast splittable pseudorandom number generators (2014), SplitMix64.
    """
    places = np.arange(first + 1, first + count + 1, dtype=np.uint64)
    mixed = np.uint64(seed) + places * _GAMMA
    mixed = (mixed ^ (mixed >> np.uint64(30))) * _FIRST
    mixed = (mixed ^ (mixed >> np.uint64(27))) * _SECOND
    return cast("Draws", mixed ^ (mixed >> np.uint64(31)))


def below(drawn: Draws, limits: int | IntArray) -> IntArray:
    """Return each draw as a whole number from 0 to its limit less 1, of limits up to 2**32."""
    return ((drawn >> _HALF) * np.asarray(limits, dtype=np.uint64) >> _HALF).astype(np.int64)


def stationary_indices(
    text: str, values: int, mean_block: int, first: int, count: int, places: int | None = None
) -> IntArray:
    """Return replicates `first` to `first + count - 1` of a stationary bootstrap, one row each.

    A row has `places` indices (as many as there are values) into `values` values. A block begins at the
    first place, and at any other with the chance 1/`mean_block`; within it each index is the one before
    plus 1, after the last 0.
    Source: Politis, Romano, The stationary bootstrap, JASA 89 (1994).
    """
    places = values if places is None else places
    drawn = draws(seed_of(text), first * places, count * places).reshape(count, places)
    begins = (drawn & _LOW) * np.uint64(mean_block) < np.uint64(2**32)
    begins[:, 0] = True
    column = np.arange(places)
    began = np.maximum.accumulate(np.where(begins, column, 0), axis=1)
    heads = np.take_along_axis(below(drawn, values), began, axis=1)
    return cast("IntArray", (heads + column - began) % values)
