"""Feasible cells of a space, its trials: they exist, are new, and meet the constraints."""

from collections.abc import Iterator, Mapping, Sequence
from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt

from bot.errors import InvalidInputError
from bot.notation import quoted
from bot.plurals import counted
from sweeps.spec.axes import MAX_TRIALS, Axis, as_number
from sweeps.spec.constraints import Constraint, decimal_column
from sweeps.spec.dimensions import Dimension
from sweeps.spec.sampling import GridSampler, RandomSampler, SobolSampler, candidates, random_cells
from sweeps.spec.space import FeasibleCells, TrialSpace, strides_of

MAX_CONSTRAINT_WORK = 50_000_000
CELLS_PER_TRIAL = 20
"""Most combinations that a grid may span per allowed trial, where constraints or conditions thin it."""

_BLOCK_CELLS = 4_096
"""Cells compared by one call: while decimals are compared no other thread of the process runs."""
_POINTS_PER_TRIAL = 64
_MIN_POINTS = 65_536

Bools = npt.NDArray[np.bool_]
Steps = Mapping[int, Any]
"""Step of each of many cells along some dimensions."""


def build_space(
    dimensions: tuple[Dimension, ...],
    constraints: Sequence[Constraint],
    fixed: Mapping[str, Any],
    sampler: GridSampler | RandomSampler | SobolSampler,
    *,
    max_trials: int = MAX_TRIALS,
) -> TrialSpace:
    """Return the space of the trials, `fixed` being the parameters that do not vary.

    Raises: InvalidInputError if there are too many, if a constraint has no value somewhere or costs too much,
    or if nothing is left.
    """
    rules = _Rules(dimensions, constraints, fixed)
    feasible: list[FeasibleCells] = []
    before: tuple[int, ...] | None = None
    for version in range(len(dimensions[0].sizes) if dimensions else 1):
        sizes = tuple(dimension.sizes[version] for dimension in dimensions)
        if isinstance(sampler, GridSampler):
            refuse_cells(sizes, max_trials, thin=rules.thin)
            feasible.append(FeasibleCells(*rules.kept(sizes, before)))
        else:
            feasible.append(FeasibleCells(*rules.sampled(sizes, sampler)))
        before = sizes
    return _counted(TrialSpace.of(dimensions, feasible), max_trials)


def refuse_cells(sizes: Sequence[int], max_trials: int, *, thin: bool) -> None:
    """Raise InvalidInputError if dimensions of these sizes span too many cells to walk."""
    cells = prod(sizes)
    if cells > max_trials * (CELLS_PER_TRIAL if thin else 1):
        raise InvalidInputError.of("grid", f"spans {cells:,} trials, the limit is {max_trials:,}")


def _counted(space: TrialSpace, max_trials: int) -> TrialSpace:
    if not space.parts[0].count:
        raise InvalidInputError.of("constraints", f"leave none of {counted(space.parts[0].cells, 'trial')}")
    if space.trial_count > max_trials:
        raise InvalidInputError.of("grid", f"spans {space.trial_count:,} trials, the limit is {max_trials:,}")
    return space


class _Rules:
    def __init__(
        self, dimensions: tuple[Dimension, ...], constraints: Sequence[Constraint], fixed: Mapping[str, Any]
    ) -> None:
        self._dimensions = dimensions
        self._constraints = constraints
        self._fixed = fixed
        self._at = {axis.name: at for at, dim in enumerate(dimensions) for axis in dim.axes}
        self._axes = {axis.name: axis for dim in dimensions for axis in dim.axes}
        self._columns: dict[str, Any] = {}
        self.thin = bool(constraints) or any(dimension.needs for dimension in dimensions)

    def kept(
        self, sizes: tuple[int, ...], before: tuple[int, ...] | None
    ) -> tuple[npt.NDArray[np.integer[Any]] | None, tuple[int, ...]]:
        """Return the cells that are trials, None for all, and how many each constraint turns away."""
        if not self.thin and before is None:
            return None, ()
        exists = np.ones(sizes, dtype=np.bool_)
        if before is not None:
            exists[tuple(slice(0, size) for size in before)] = False
        for at, dimension in enumerate(self._dimensions):
            if dimension.needs:
                applies = self._applies(dimension, lambda parent: self._along(sizes, parent))
                exists &= applies == (self._along(sizes, at) > 0)
        held = list(self._held(sizes))
        rejected = tuple(int(np.count_nonzero(exists & ~one)) for one in held)
        for one in held:
            exists &= one
        cells = np.flatnonzero(exists.reshape(-1))
        if len(cells) == exists.size:
            return None, rejected
        return cells.astype(np.int32 if exists.size < 2**31 else np.int64), rejected

    def sampled(
        self, sizes: tuple[int, ...], sampler: RandomSampler | SobolSampler
    ) -> tuple[npt.NDArray[np.int64], tuple[int, ...]]:
        """Return the first distinct cells of the sampler's sequence that are trials, in its order."""
        written = [dimension.written for dimension in self._dimensions]
        if isinstance(sampler, RandomSampler) and not self.thin:
            return random_cells(sampler, written), ()
        strides = strides_of(sizes)
        most = max(_POINTS_PER_TRIAL * sampler.size, _MIN_POINTS)
        rejected = np.zeros(len(self._constraints), dtype=np.int64)
        found = np.empty(0, dtype=np.int64)
        work = 0
        for block in candidates(sampler, written, most):
            steps = self._existing(block)
            cells = np.zeros(len(block[0]) if block else 1, dtype=np.int64)
            for at, stride in enumerate(strides):
                cells += steps[at] * stride
            meets = np.ones(len(cells), dtype=np.bool_)
            for index, constraint in enumerate(self._constraints):
                work += constraint.steps * len(cells)
                self._refuse_work(index, constraint, work)
                held = np.broadcast_to(self._holds(index, constraint, steps), meets.shape)
                rejected[index] += np.count_nonzero(~held)
                meets &= held
            found = _distinct(np.concatenate([found, cells[meets]]))
            if len(found) >= sampler.size:
                break
        return found[: sampler.size], tuple(rejected.tolist())

    def _existing(self, block: Sequence[npt.NDArray[np.int64]]) -> dict[int, Any]:
        """Return the steps that exist in place of those drawn: step 0 where a dimension does not apply."""
        plain = {at for at, dimension in enumerate(self._dimensions) if not dimension.needs}
        steps: dict[int, Any] = {at: drawn for at, drawn in enumerate(block) if at in plain}
        for at, dimension in enumerate(self._dimensions):
            if dimension.needs:
                applies = self._applies(dimension, steps.__getitem__)
                steps[at] = np.where(applies, block[at] + 1, 0)
        return steps

    @staticmethod
    def _applies(dimension: Dimension, step_along: Any) -> Any:
        result: Any = np.True_
        for need in dimension.needs:
            result = result & need.allowed[step_along(need.parent)]
        return result

    @staticmethod
    def _along(sizes: Sequence[int], at: int) -> npt.NDArray[np.int64]:
        """Return the steps of a dimension, shaped to stretch over all others."""
        shape = [1] * len(sizes)
        shape[at] = sizes[at]
        return np.arange(sizes[at]).reshape(shape)

    def _held(self, sizes: tuple[int, ...]) -> Iterator[Bools]:
        """Yield the mask of each constraint, with length 1 along the dimensions that it does not read."""
        work = 0
        for index, constraint in enumerate(self._constraints):
            read = sorted({self._at[name] for name in constraint.names if name in self._at})
            shape = [size if at in read else 1 for at, size in enumerate(sizes)]
            work += constraint.steps * prod(shape)
            self._refuse_work(index, constraint, work)
            blocks = []
            for first in range(0, prod(shape), _BLOCK_CELLS):
                rest = np.arange(first, min(first + _BLOCK_CELLS, prod(shape)))
                steps: dict[int, Any] = {}
                for at in reversed(read):
                    rest, steps[at] = np.divmod(rest, sizes[at])
                blocks.append(np.atleast_1d(self._holds(index, constraint, steps)))
            yield np.concatenate(blocks).reshape(shape)

    def _refuse_work(self, index: int, constraint: Constraint, work: int) -> None:
        if work > MAX_CONSTRAINT_WORK:
            raise InvalidInputError.of(
                f"constraints[{index}]", f"{quoted(constraint.text)} takes too long over so many values"
            )

    def _holds(self, index: int, constraint: Constraint, steps: Steps) -> Any:
        try:
            columns = {name: self._column(name, steps) for name in constraint.names}
            return constraint.holds(columns)
        except ValueError as error:
            raise InvalidInputError.of(f"constraints[{index}]", str(error)) from None

    def _column(self, name: str, steps: Steps) -> Any:
        if name not in self._axes:
            return _number(name, self._fixed[name])
        if name not in self._columns:
            self._columns[name] = _numbers(self._axes[name])
        return self._columns[name][steps[self._at[name]]]


def _numbers(axis: Axis) -> Any:
    numbers = [_number(axis.name, value) for value in axis.values]
    return decimal_column(numbers if axis.places is None else [numbers[place] for place in axis.places])


def _number(name: str, value: object) -> Any:
    number = as_number(value)
    if number is None:
        raise ValueError(f"{quoted(name)} has the value {quoted(value)}, which is not a number")
    return number


def _distinct(cells: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return the cells without repetitions, each at its first place."""
    _, first = np.unique(cells, return_index=True)
    return cells[np.sort(first)]
