"""Samplers of a space: every cell, or a seeded sequence of cells that is the same on every machine.

Sequences are whole-number arithmetic on the index of the point, with no generator state and no floats: a
longer sample begins with the shorter one.
"""

import hashlib
from collections.abc import Iterator, Sequence
from math import prod
from typing import Annotated, Any, Literal

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from bot.config.fields import Integer
from bot.errors import InvalidInputError
from bot.notation import quoted
from sweeps.spec.axes import MAX_TRIALS
from sweeps.spec.sobol import sobol_points

MAX_SAMPLED_CELLS = 2**62
_BLOCK = 131_072
_SMALLEST_BLOCK = 1_024
_NEAR_BLOCK = 16_384
"""Cells that are drawn together: few enough for the nearest caches."""
_ROUNDS = 8
_STRICT = ConfigDict(frozen=True, extra="forbid")

Steps = list[npt.NDArray[np.int64]]


class GridSampler(BaseModel):
    """Every combination of the axes."""

    model_config = _STRICT
    kind: Literal["grid"] = "grid"

    @property
    def size(self) -> int:
        """Return the most trials there can be."""
        return MAX_TRIALS


class _SeededSampler(BaseModel):
    model_config = _STRICT
    n: Annotated[Integer, Field(ge=1, le=MAX_TRIALS)] = Field(description="how many trials at most")
    seed: Annotated[Integer, Field(ge=0, lt=2**53)] = Field(0, description="which sequence")

    @property
    def size(self) -> int:
        """Return the most trials there can be."""
        return self.n


class RandomSampler(_SeededSampler):
    """`n` combinations drawn at random, none twice."""

    kind: Literal["random"] = "random"


class SobolSampler(_SeededSampler):
    """`n` combinations spread evenly: a shifted Sobol sequence without the points of cells already taken."""

    kind: Literal["sobol"] = "sobol"


SAMPLERS: dict[object, type[BaseModel]] = {
    "grid": GridSampler,
    "random": RandomSampler,
    "sobol": SobolSampler,
}


def _chosen(raw: Any) -> Any:
    if isinstance(raw, BaseModel):
        return raw
    kind = raw.get("kind", "grid") if isinstance(raw, dict) else raw
    if not isinstance(kind, str) or kind not in SAMPLERS:
        raise ValueError(f"{quoted(kind)} is no sampler; there are {', '.join(map(str, SAMPLERS))}")
    return {**raw, "kind": kind} if isinstance(raw, dict) else {"kind": kind}


Sampler = Annotated[
    Annotated[GridSampler | RandomSampler | SobolSampler, Field(discriminator="kind")],
    BeforeValidator(_chosen),
]


def candidates(sampler: RandomSampler | SobolSampler, sizes: Sequence[int], most: int) -> Iterator[Steps]:
    """Yield the steps along each dimension of the points of the sequence, many at once, `most` in all.

    Random ones end once every combination has come. Raises: InvalidInputError for more than 2**62 of them.
    """
    cells = _combinations(sizes)
    end = min(most, cells) if isinstance(sampler, RandomSampler) else most
    block = min(max(_SMALLEST_BLOCK, 2 * sampler.n), _BLOCK)
    for first in range(0, end, block):
        index = np.arange(first, min(first + block, end), dtype=np.uint64)
        if isinstance(sampler, RandomSampler):
            yield _steps_of(_shuffled(index, cells, sampler.seed), sizes)
        else:
            yield sobol_points(index, sizes, _shifts(sampler.seed, len(sizes)))


def random_cells(sampler: RandomSampler, sizes: Sequence[int]) -> npt.NDArray[np.int64]:
    """Return the first combinations of the sequence as cells, the last dimension fastest; none comes twice.

    Raises: InvalidInputError for more than 2**62 of them.
    """
    cells = _combinations(sizes)
    count = min(sampler.n, cells)
    found = np.empty(count, dtype=np.int64)
    for first in range(0, count, _NEAR_BLOCK):
        index = np.arange(first, min(first + _NEAR_BLOCK, count), dtype=np.uint64)
        found[first : first + _NEAR_BLOCK] = _shuffled(index, cells, sampler.seed)
    return found


def _combinations(sizes: Sequence[int]) -> int:
    cells = prod(sizes)
    if cells > MAX_SAMPLED_CELLS:
        raise InvalidInputError.of("grid", f"spans {cells:,} combinations, at most 2**62 can be sampled")
    return cells


def _steps_of(cells: npt.NDArray[np.uint64], sizes: Sequence[int]) -> Steps:
    rest = cells.astype(np.int64)
    steps: Steps = []
    for size in reversed(sizes):
        rest, step = np.divmod(rest, size)
        steps.append(step)
    return steps[::-1]


def _shuffled(index: npt.NDArray[np.uint64], cells: int, seed: int) -> npt.NDArray[np.uint64]:
    """Return each index under a random permutation of `cells`: a Feistel network, walked in cycles."""
    half = max((cells - 1).bit_length() + 1, 2) // 2
    keys = [_word(f"random {seed} {turn}") for turn in range(_ROUNDS)]
    found = _mixed(index, half, keys)
    outside = found >= cells
    while outside.any():
        found[outside] = _mixed(found[outside], half, keys)
        outside = found >= cells
    return found


def _mixed(values: npt.NDArray[np.uint64], half: int, keys: Sequence[int]) -> npt.NDArray[np.uint64]:
    mask = np.uint64((1 << half) - 1)
    left, right = values >> np.uint64(half), values & mask
    for key in keys:
        left, right = right, left ^ (_scattered(right ^ np.uint64(key)) & mask)
    return (left << np.uint64(half)) | right


def _scattered(values: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """Return the values with their bits well mixed (the finalizer of SplitMix64)."""
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))


def _shifts(seed: int, count: int) -> list[int]:
    return [_word(f"sobol {seed} {at}") >> 32 for at in range(count)]


def _word(text: str) -> int:
    return int.from_bytes(hashlib.sha256(f"carrygrid {text}".encode()).digest()[:8], "big")
