"""Compilation of a sweep as written: its search space and the runs of its trials."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from bot.config.run_config import RunConfig
from bot.config.strategy_registry import strategy_plugin
from bot.errors import FieldError, FieldErrors, InvalidInputError
from bot.notation import quoted
from bot.validation import unknown_parameter
from sweeps.spec.axes import WrittenAxis, as_number, written_axes
from sweeps.spec.constraints import Constraint, parse_constraint
from sweeps.spec.dimensions import Written, dimensions, raw_values
from sweeps.spec.feasible_cells import build_space, refuse_cells
from sweeps.spec.implied_conditions import with_implied_conditions
from sweeps.spec.parameters import FIXED, Variables, strategies_of, variables
from sweeps.spec.ranges import ValueList
from sweeps.spec.sampling import GridSampler, RandomSampler, SobolSampler
from sweeps.spec.space import FeasibleCells, TrialSpace

PRESET = "preset"
_RUNNABLE_PROBES = 10_000


class SweepAsWritten(Protocol):
    """Fields of a specification that are compiled."""

    @property
    def base(self) -> Mapping[str, Any]:
        """Parameters that all trials share."""

    @property
    def grid(self) -> Mapping[str, Any]:
        """Parameters that vary."""

    @property
    def linked(self) -> Sequence[Sequence[str]]:
        """Axes that move together."""

    @property
    def constraints(self) -> Sequence[str]:
        """Conditions over parameters."""

    @property
    def sampler(self) -> GridSampler | RandomSampler | SobolSampler:
        """Sampler that walks the space."""

    @property
    def extensions(self) -> Sequence[Mapping[str, list[Any]]]:
        """Values added later."""


@dataclass(frozen=True, slots=True)
class Compiled:
    """A sweep in workable form: one set of shared parameters for each strategy, the axes, the space.

    `promoted` are the parameters that were shared at first and became axes by an extension.
    """

    bases: Mapping[str, RunConfig]
    axes: Mapping[str, WrittenAxis]
    promoted: frozenset[str]
    space: TrialSpace
    extensions: Sequence[Mapping[str, list[Any]]]

    def config(self, number: int) -> RunConfig:
        """Return all parameters of a trial.

        Raises: InvalidInputError if they contradict each other; IndexError outside the sweep.
        """
        return self.unchecked(number).varied({})

    def unchecked(self, number: int) -> RunConfig:
        """Return all parameters of a trial, contradictory ones too; raises IndexError as `config` does."""
        values = self.space.values(number)
        base = next(iter(self.bases.values()))
        if len(self.bases) > 1:
            base = self.bases[values["strategy_mode"]]
            values = {name: value for name, value in values.items() if name in type(base).model_fields}
        return base.model_copy(update=values)

    def base_document(self) -> dict[str, Any]:
        """Return the shared parameters as JSON values."""
        document: dict[str, Any] = {}
        for base in reversed(list(self.bases.values())):
            document = base.model_dump(mode="json", exclude=set(self.axes)) | document
        for name in self.promoted:
            axis = self.space.by_name[name]
            document[name] = axis.adapter.dump_python(axis.values[0], mode="json")
        return document

    def grid_document(self) -> dict[str, Any]:
        """Return the axes as written at first, as JSON values."""
        return {name: axis.document() for name, axis in self.axes.items() if name not in self.promoted}

    def written_values(self, name: str) -> dict[str, Any]:
        """Return the values that trials take of a parameter of every run, each by its path in the sweep."""
        if name not in self.axes:
            return {f"base.{name}": getattr(next(iter(self.bases.values())), name)}
        adapter = self.space.by_name[name].adapter
        raws = raw_values(self.axes[name], self.extensions)
        values = {path: adapter.validate_python(raw) for path, raw in raws.items()}
        if name in self.promoted:
            return {path.replace(f"grid.{name}.values[0]", f"base.{name}"): values[path] for path in values}
        return values

    def extended_axes(self) -> dict[str, list[Any]]:
        """Return all values, as JSON, of the axes to which extensions added some."""
        extended: dict[str, list[Any]] = {}
        for added in self.extensions:
            for name, values in added.items():
                known = extended.get(name, self.axes[name].form.expanded())
                extended[name] = ValueList((*known, *values)).document()
        return extended

    def extensions_document(self) -> list[dict[str, Any]]:
        """Return the values added later as JSON values."""
        return [
            {name: ValueList(tuple(values)).document() for name, values in added.items()}
            for added in self.extensions
        ]


def compiled(
    spec: SweepAsWritten, max_trials: int, feasible: Sequence[FeasibleCells] | None = None
) -> Compiled:
    """Return the sweep in workable form; raises InvalidInputError with one entry per refused field.

    Its `feasible` cells, where they are known from before, are neither counted nor checked again.
    """
    known = variables(_strategies(spec))
    errors = FieldErrors()
    fixed = _fixed(spec, known, errors)
    try:
        axes = with_implied_conditions(
            written_axes(spec.grid, known, sampled=not isinstance(spec.sampler, GridSampler)), spec.linked
        )
        promoted = _promoted(spec, axes, fixed, known)
        shared = {name: value for name, value in fixed.items() if name not in axes and name not in promoted}
        written = Written(axes | promoted, spec.linked, spec.extensions, shared, known)
        if feasible is None:
            _refuse_too_many(written, spec, max_trials)
        dims = dimensions(written)
    except InvalidInputError as error:
        raise errors.after(error) from None
    errors.raise_if_any()
    bases = {name: _base(model, written) for name, model in known.models.items()}
    if feasible is not None:
        space = TrialSpace.of(dims, feasible)
        return Compiled(bases, written.axes, frozenset(promoted), space, spec.extensions)
    constraints = _constraints(spec, written)
    space = build_space(dims, constraints, shared, spec.sampler, max_trials=max_trials)
    found = Compiled(bases, written.axes, frozenset(promoted), space, spec.extensions)
    _check_runnable(found)
    return found


def _strategies(spec: SweepAsWritten) -> tuple[str, ...]:
    added = [strategies_of({}, one) for one in spec.extensions if "strategy_mode" in one]
    named = [*strategies_of(spec.base, spec.grid), *(name for names in added for name in names)]
    return tuple(dict.fromkeys(named))


def _fixed(spec: SweepAsWritten, known: Variables, errors: FieldErrors) -> dict[str, Any]:
    """Return the shared parameters, defaults filled in; what is refused goes to `errors`."""
    values = {
        name: field.get_default(call_default_factory=True)
        for name, field in known.fields.items()
        if name not in spec.grid
    }
    for name, raw in (_preset(spec, known, errors) | dict(spec.base)).items():
        if name == PRESET:
            continue
        if name not in known.fields:
            errors.add(FieldError(f"base.{name}", unknown_parameter(raw)))
        elif name in spec.grid:
            errors.add(FieldError(f"base.{name}", "is an axis of the grid as well"))
        else:
            try:
                values[name] = known.parse(name, raw, f"base.{name}")
            except InvalidInputError as error:
                errors.take(error)
    for name, field in known.fields.items():
        if field.is_required() and name not in spec.base and name not in spec.grid:
            errors.add(FieldError(f"base.{name}", "is required, here or as an axis of the grid"))
    return values


def _preset(spec: SweepAsWritten, known: Variables, errors: FieldErrors) -> dict[str, object]:
    """Return the values of the preset that the base names, for what it does not set itself."""
    if PRESET not in spec.base:
        return {}
    asked = spec.base[PRESET]
    named = [strategy_plugin(name).presets for name in known.strategies]
    presets = [presets[asked] for presets in named if isinstance(asked, str) and asked in presets]
    if not presets:
        names = ", ".join(dict.fromkeys(name for presets in named for name in presets)) or "none"
        message = f"{quoted(asked)} is no preset of the sweep's strategies; there are {names}"
        errors.add(FieldError(f"base.{PRESET}", message))
    return {name: value for preset in presets for name, value in preset.items() if name not in spec.grid}


def _promoted(
    spec: SweepAsWritten, axes: Mapping[str, WrittenAxis], fixed: Mapping[str, Any], known: Variables
) -> dict[str, WrittenAxis]:
    """Return the parameters that extensions turn into axes, each with its first value."""
    if spec.extensions and not isinstance(spec.sampler, GridSampler):
        raise InvalidInputError.of("extensions", "a sampled sweep is extended by its n, not by values")
    promoted: dict[str, WrittenAxis] = {}
    for index, added in enumerate(spec.extensions):
        for name in added:
            path = f"extensions[{index}].{name}"
            if name in axes or name in promoted:
                continue
            if name not in known.fields or name in FIXED:
                raise InvalidInputError.of(path, "is not a parameter that can be varied")
            if len(known.readers(name)) < len(known.strategies):
                raise InvalidInputError.of(path, "is not a parameter of every strategy of this sweep")
            if any(name in axis.when for axis in axes.values()):
                raise InvalidInputError.of(path, "other axes depend on it; clone the sweep instead")
            promoted[name] = WrittenAxis(name, ValueList((fixed[name],)), {})
    return promoted


def _refuse_too_many(written: Written, spec: SweepAsWritten, max_trials: int) -> None:
    """Refuse by multiplication what could not be walked, before any value is looked at."""
    if not isinstance(spec.sampler, GridSampler):
        return
    thin = bool(spec.constraints) or any(axis.when for axis in written.axes.values())
    refuse_cells([max(written.sizes(group)) for group in written.groups()], max_trials, thin=thin)


def _base(model: type[RunConfig], written: Written) -> RunConfig:
    unset: dict[str, Any] = dict.fromkeys(name for name in written.axes if name in model.model_fields)
    values = {name: value for name, value in written.fixed.items() if name in model.model_fields}
    return model.model_construct(None, **unset, **values)


def _constraints(spec: SweepAsWritten, written: Written) -> list[Constraint]:
    numeric = {name for name, value in written.fixed.items() if as_number(value) is not None}
    return [
        parse_constraint(text, numeric | set(written.axes), f"constraints[{index}]")
        for index, text in enumerate(spec.constraints)
    ]


def _check_runnable(found: Compiled) -> None:
    refusal: InvalidInputError | None = None
    for number in range(min(found.space.trial_count, _RUNNABLE_PROBES)):
        try:
            found.config(number)
        except InvalidInputError as error:
            refusal = refusal or error
        else:
            return
    if refusal:
        raise refusal.renamed(lambda item: FieldError(_where(found, item.field), item.message))


def _where(found: Compiled, name: str) -> str:
    return f"{'grid' if name in found.axes else 'base'}.{name}"
