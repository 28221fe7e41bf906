"""What a sweep is asked to do: fixed parameters, search space, objective. Frozen, complete, with a digest."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PrivateAttr,
    StringConstraints,
    ValidationError,
    field_validator,
    model_validator,
)

from bot.config import RunConfig, field_errors, load_json
from bot.errors import FieldError, InvalidInputError
from sweeps.axes import MAX_TRIALS, Axis, as_number, expand, grid_forms, parse_value
from sweeps.constraints import Constraint, parse_constraint
from sweeps.metrics import METRICS, Direction, natural_direction
from sweeps.ranges import AxisForm
from sweeps.space import TrialSpace, constrained_space

MAX_CONSTRAINTS = 32
_RUNNABLE_PROBES = 10_000
_STRICT = ConfigDict(frozen=True, extra="forbid")


def _printable(text: str) -> str:
    if not text.isprintable():
        raise ValueError(f"{text!r} holds characters that cannot be printed")
    return text


class GridSampler(BaseModel):
    """Every combination of the axes."""

    model_config = _STRICT
    kind: Literal["grid"] = "grid"


class TopCurves(BaseModel):
    """Keep the curves of the best `top` trials."""

    model_config = _STRICT
    top: int = 50


def _curves(raw: object) -> object:
    if isinstance(raw, TopCurves) or raw in ("all", "none"):
        return raw
    top = raw.get("top") if isinstance(raw, dict) and len(raw) == 1 else None
    if isinstance(top, bool) or not isinstance(top, int) or not 1 <= top <= MAX_TRIALS:
        raise ValueError(f"{raw!r} is neither all, none nor {{'top': 1 to {MAX_TRIALS:,}}}")
    return TopCurves(top=top)


class Objective(BaseModel):
    """What makes a trial the best one; the direction follows the metric if it is left out."""

    model_config = _STRICT
    metric: str = "sharpe"
    direction: Direction = Direction.MAXIMIZE

    @model_validator(mode="before")
    @classmethod
    def _with_direction(cls, raw: Any) -> Any:
        if isinstance(raw, dict) and raw.get("direction") is None:
            return {**raw, "direction": natural_direction(str(raw.get("metric", "sharpe")))}
        return raw

    @field_validator("metric")
    @classmethod
    def _known(cls, name: str) -> str:
        if name not in METRICS:
            raise ValueError(f"{name!r} is no metric; there are {', '.join(METRICS)}")
        return name


@dataclass(frozen=True, slots=True)
class _Compiled:
    base: RunConfig
    forms: Mapping[str, AxisForm]
    space: TrialSpace


class SweepSpec(BaseModel):
    """A sweep as submitted. Trial numbers follow from it alone, so trial n is the same on every machine."""

    model_config = ConfigDict(frozen=True, extra="forbid", title="Sweep")

    name: Annotated[
        str,
        StringConstraints(strip_whitespace=True, min_length=1, max_length=200),
        AfterValidator(_printable),
    ] = Field("sweep", description="shown in lists")
    base: dict[str, Any] = Field(description="parameters that all trials share")
    grid: dict[str, Any] = Field(
        default_factory=dict, description="parameters that vary: a list, or a range by step or by count"
    )
    constraints: Annotated[tuple[str, ...], Field(max_length=MAX_CONSTRAINTS)] = Field(
        (), description="conditions over parameters; trials that fail one are left out"
    )
    sampler: GridSampler = Field(GridSampler(), description="how the space is walked")
    objective: Objective = Field(Objective(), description="what makes a trial the best")
    curves: Annotated[Literal["all", "none"] | TopCurves, BeforeValidator(_curves)] = Field(
        TopCurves(), description="which curves are stored"
    )

    _compiled: _Compiled = PrivateAttr()

    @classmethod
    def parse(cls, values: object, *, max_trials: int = MAX_TRIALS) -> Self:
        """Return the sweep that `values` describe, every axis value checked.

        Raises: InvalidInputError with one entry per refused field.
        """
        try:
            return cls.model_validate(values, context={"max_trials": max_trials})
        except ValidationError as error:
            raise InvalidInputError(field_errors(error)) from None

    def model_post_init(self, context: Any, /) -> None:
        """Compile the space, unless a twin of this sweep brings its own."""
        given = context or {}
        self._compiled = given.get("compiled") or _compile(self, given.get("max_trials", MAX_TRIALS))

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Return the sweep stored as the JSON text of `document()`."""
        return cls.parse(load_json(text))

    @property
    def base_config(self) -> RunConfig:
        """The shared parameters with defaults; those that vary hold no meaning here."""
        return self._compiled.base

    @property
    def space(self) -> TrialSpace:
        """Trial numbers and parameters."""
        return self._compiled.space

    @property
    def axes(self) -> tuple[Axis, ...]:
        """The varied parameters in the order written."""
        return self._compiled.space.axes

    @property
    def trial_count(self) -> int:
        """How many trials there are."""
        return self._compiled.space.trial_count

    def params(self, number: int) -> dict[str, Any]:
        """Return the varied parameters of a trial as JSON values; raises IndexError outside the sweep."""
        return self.space.labels(number)

    def config(self, number: int) -> RunConfig:
        """Return all parameters of a trial.

        Raises: InvalidInputError if they contradict each other; IndexError outside the sweep.
        """
        return self._compiled.base.varied(self.space.values(number))

    def symbols(self) -> tuple[str, ...]:
        """Return every symbol that some trial trades."""
        return tuple(dict.fromkeys(symbol for group in self.symbol_groups() for symbol in group))

    def symbol_groups(self) -> tuple[tuple[str, ...], ...]:
        """Return the sets of symbols that trials trade together."""
        return self._values_of("symbols")

    def window(self) -> tuple[int, int]:
        """Return the earliest start and the latest end of any trial, ms UTC."""
        return min(self._values_of("start")), max(self._values_of("end"))

    def exchanges(self) -> tuple[str | None, ...]:
        """Return the data sets that trials read; None stands for the only one held."""
        return tuple(self._values_of("exchange"))

    def on_exchange(self, exchange: str) -> Self:
        """Return this sweep with the data set named that it did not name."""
        compiled = replace(self._compiled, base=self._compiled.base.model_copy(update={"exchange": exchange}))
        values = dict(self) | {"base": {**self.base, "exchange": exchange}}
        return type(self).model_validate(values, context={"compiled": compiled})

    def document(self) -> dict[str, Any]:
        """Return the sweep as JSON values: defaults filled in, decimals as canonical text, axes in order."""
        outer = self.model_dump(mode="json", exclude={"base", "grid"})
        base = self._compiled.base.model_dump(mode="json", exclude=set(self.space.by_name))
        return {
            "name": outer.pop("name"),
            "base": base,
            "grid": {name: form.document() for name, form in self._compiled.forms.items()},
            **outer,
        }

    @property
    def digest(self) -> str:
        """Hex SHA-256 of the document, the order of the axes included."""
        document = self.document()
        document["grid"] = list(document["grid"].items())
        text = json.dumps(document, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()

    def _values_of(self, name: str) -> tuple[Any, ...]:
        axis = self.space.by_name.get(name)
        return axis.values if axis else (getattr(self._compiled.base, name),)


def _compile(spec: SweepSpec, max_trials: int) -> _Compiled:
    errors: list[FieldError] = []
    forms: Mapping[str, AxisForm] = {}
    axes: tuple[Axis, ...] = ()
    try:
        forms = grid_forms(spec.grid)
        axes = expand(forms, max_trials=max_trials)
    except InvalidInputError as error:
        errors.extend(error.errors)
    base = _base(spec, errors)
    if errors:
        raise InvalidInputError(errors)
    space = constrained_space(axes, _constraints(spec, base), dict(base))
    _check_runnable(base, space)
    return _Compiled(base, forms, space)


def _check_runnable(base: RunConfig, space: TrialSpace) -> None:
    refusal: InvalidInputError | None = None
    for number in range(min(space.trial_count, _RUNNABLE_PROBES)):
        try:
            base.varied(space.values(number))
        except InvalidInputError as error:
            refusal = refusal or error
        else:
            return
    if refusal:
        raise InvalidInputError([FieldError(f"base.{item.field}", item.message) for item in refusal.errors])


def _base(spec: SweepSpec, errors: list[FieldError]) -> RunConfig:
    values: dict[str, Any] = {}
    for name, raw in spec.base.items():
        if name not in RunConfig.model_fields:
            errors.append(FieldError(f"base.{name}", "is not a known parameter"))
        elif name in spec.grid:
            errors.append(FieldError(f"base.{name}", "is an axis of the grid as well"))
        else:
            try:
                values[name] = parse_value(name, raw, f"base.{name}")
            except InvalidInputError as error:
                errors.extend(error.errors)
    for name, field in RunConfig.model_fields.items():
        if field.is_required() and name not in spec.base and name not in spec.grid:
            errors.append(FieldError(f"base.{name}", "is required, here or as an axis of the grid"))
    unset: dict[str, Any] = dict.fromkeys(name for name in spec.grid if name in RunConfig.model_fields)
    return RunConfig.model_construct(None, **unset, **values)


def _constraints(spec: SweepSpec, base: RunConfig) -> list[Constraint]:
    known = {name for name, value in base if name in spec.grid or as_number(value) is not None}
    return [
        parse_constraint(text, known, f"constraints[{index}]") for index, text in enumerate(spec.constraints)
    ]


@lru_cache(maxsize=64)
def stored_spec(text: str) -> SweepSpec:
    """Return the sweep stored as `text`, parsed once per process."""
    return SweepSpec.from_text(text)
