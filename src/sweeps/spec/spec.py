"""Specification of a sweep: fixed parameters, search space, objective. Frozen, complete, with a digest."""

import hashlib
import json
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import product
from typing import Annotated, Any, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    FailFast,
    Field,
    PrivateAttr,
    field_validator,
)

from bot.config.hedge_checks import HEDGE_PARAMETERS, asks_for_hedges
from bot.config.run_config import EVIDENCE, RunConfig, load_json
from bot.config.run_key import identifying
from bot.errors import FieldError, InvalidInputError
from bot.market.records.kinds import RecordKind
from bot.market.records.recorded_fees import kinds_of
from bot.notation import quoted
from bot.numbers.arrays import IntArray
from bot.selection.guard import Guard
from bot.selection.settings import USUAL, ValidationSettings
from bot.validation import validated
from sweeps.spec.axes import MAX_TRIALS, Axis
from sweeps.spec.compiling import Compiled, compiled
from sweeps.spec.metrics import METRICS, OF_HEDGES, USUAL_METRICS
from sweeps.spec.notify_url import NotifyUrl
from sweeps.spec.read_pairs import MARKETS, Pair, ReadPairs
from sweeps.spec.sampling import SAMPLERS, GridSampler, Sampler
from sweeps.spec.scenarios import Scenarios, check_scenarios
from sweeps.spec.space import FeasibleCells, TrialSpace
from sweeps.spec.spec_fields import (
    NOT_VALIDATED,
    VALIDATED,
    Curves,
    Objective,
    SweepName,
    TopCurves,
    Validation,
)
from sweeps.spec.trial_groups import TrialGroup, trial_groups
from sweeps.watch import MAX_TRIAL_TIMEOUT_S, TIMEOUT, TRIAL_TIMEOUT_S

MAX_CONSTRAINTS = 32
MAX_LINKS = 16
MAX_EXTENSIONS = 64
_Names = Annotated[tuple[str, ...], FailFast()]


class SweepSpec(BaseModel):
    """A sweep as submitted. Trial numbers follow from it alone, so trial n is the same on every machine."""

    model_config = ConfigDict(frozen=True, extra="forbid", title="Sweep")

    name: SweepName = Field("sweep", description="shown in lists")
    base: dict[str, Any] = Field(description="parameters that all trials share")
    grid: dict[str, Any] = Field(
        default_factory=dict,
        description="parameters that vary: a list, or a range by step or by count; "
        "`when` names values of other parameters without which an axis does not apply",
    )
    linked: Annotated[tuple[_Names, ...], Field(max_length=MAX_LINKS), FailFast()] = Field(
        (), description="axes of the grid that move together, value by value"
    )
    constraints: Annotated[tuple[str, ...], Field(max_length=MAX_CONSTRAINTS), FailFast()] = Field(
        (), description="conditions over parameters; trials that fail one are left out"
    )
    sampler: Sampler = Field(GridSampler(), description="how the space is walked")
    objective: Objective = Field(Objective(), description="what makes a trial the best")
    curves: Curves = Field(TopCurves(), description="which curves are stored")
    reuse: bool = Field(
        True,
        strict=True,
        description="take results that another sweep has for the same run, instead of a replay",
    )
    trial_timeout_s: int | None = Field(
        None,
        strict=True,
        ge=1,
        le=MAX_TRIAL_TIMEOUT_S,
        description=f"seconds after which a trial is ended, and fails with the code {TIMEOUT}; "
        f"left out, the limit of the service ({TRIAL_TIMEOUT_S}, or CARRYGRID_TRIAL_TIMEOUT_S)",
    )
    validation: Validation = Field(
        USUAL,
        description="how the selection is judged: guard, blocks, folds; false judges nothing",
    )
    scenarios: Scenarios | None = Field(
        None,
        description="axes that are not chosen (costs, window, capital) and the scenario that settings of the "
        "others are ranked at, `worst` or `median`; left out, each trial is ranked by itself",
    )
    notify_url: NotifyUrl | None = Field(
        None,
        description="https address (or http on this machine) that is told, by a signed POST, when the sweep "
        "has ended; kept beside the sweep and not shown with it",
    )
    extensions: Annotated[tuple[dict[str, list[Any]], ...], Field(max_length=MAX_EXTENSIONS), FailFast()] = (
        Field((), description="values added later, each time after the trials that were there already")
    )

    _compiled: Compiled = PrivateAttr()
    _pairs: tuple[Pair, ...] | None = PrivateAttr(None)
    _of_hedges: bool | None = PrivateAttr(None)

    @field_validator("base")
    @classmethod
    def _without_evidence(cls, base: dict[str, Any]) -> dict[str, Any]:
        """Return the parameters alone of a promoted trial that is swept around."""
        return {name: value for name, value in base.items() if name != EVIDENCE}

    @classmethod
    def parse(cls, values: object, *, max_trials: int = MAX_TRIALS) -> Self:
        """Return the sweep that `values` describe, every axis value checked.

        Raises: InvalidInputError with one entry per refused field.
        """
        return cls._parsed(values, {"max_trials": max_trials})

    @classmethod
    def _parsed(cls, values: object, context: dict[str, Any]) -> Self:
        try:
            return validated(cls, values, context=context)
        except InvalidInputError as error:
            raise error.renamed(_as_written) from None

    def model_post_init(self, context: Any, /) -> None:
        """Compile the space, unless a twin of this sweep brings its own."""
        given = context or {}
        self._compiled = given.get("compiled") or compiled(
            self, given.get("max_trials", MAX_TRIALS), given.get("feasible")
        )
        if self.objective.metric in OF_HEDGES and not self.asks_for_hedges:
            reason = f"{quoted(self.objective.metric)} is known of hedges alone, which no trial asks for"
            raise InvalidInputError.of("objective.metric", reason)
        if self.scenarios is not None:
            check_scenarios(self.space, self.scenarios)
        if isinstance(self.validation, ValidationSettings):
            check_test_symbols(self.validation, self.symbols(), "validation.")

    @classmethod
    def from_text(cls, text: str, feasible: Sequence[FeasibleCells] | None = None) -> Self:
        """Return the sweep stored as the JSON text of `document()`.

        With its `feasible` cells, as kept when it was submitted, no constraint is evaluated again.
        """
        return cls._parsed(load_json(text), {"feasible": feasible})

    @property
    def base_config(self) -> RunConfig:
        """The shared parameters with defaults; those that vary hold no meaning here."""
        return next(iter(self._compiled.bases.values()))

    @property
    def guard(self) -> Guard:
        """Guard that decides which trials are eligible."""
        return Guard.of(self.validation)

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
        """Number of trials."""
        return self._compiled.space.trial_count

    def params(self, number: int) -> dict[str, Any]:
        """Return the varied parameters of a trial as JSON values; raises IndexError outside the sweep."""
        return self.space.labels(number)

    def config(self, number: int) -> RunConfig:
        """Return all parameters of a trial.

        Raises: InvalidInputError if they contradict each other; IndexError outside the sweep.
        """
        return self._compiled.config(number)

    def unchecked(self, number: int) -> RunConfig:
        """Return all parameters of a trial, contradictory ones too; raises IndexError as `config` does."""
        return self._compiled.unchecked(number)

    def groups(self, numbers: IntArray, by: Collection[str]) -> list[TrialGroup]:
        """Return trials, which must exist, by strategy and by the parameters `by`, as columns.

        Nothing of them is checked: their `refused` says which have parameters that contradict each other.
        """
        return trial_groups(self._compiled, numbers, by)

    def symbols(self) -> tuple[str, ...]:
        """Return every symbol that some trial trades."""
        return tuple(dict.fromkeys(symbol for group in self.symbol_groups() for symbol in group))

    def symbol_groups(self) -> tuple[tuple[str, ...], ...]:
        """Return the sets of symbols that trials trade together."""
        return self.values_of("symbols")

    def window(self) -> tuple[int, int]:
        """Return the earliest start and the latest end of any trial, ms UTC."""
        return min(self.values_of("start")), max(self.values_of("end"))

    def exchanges(self) -> tuple[str | None, ...]:
        """Return the data sets that trials read, their own first; None stands for the only one held."""
        own = self.values_of("exchange")
        return tuple(dict.fromkeys((*own, *(exchange for exchange, _ in self.pairs()))))

    def pairs(self) -> tuple[Pair, ...]:
        """Return the pairs of markets that trials read, under their exchanges."""
        if self._pairs is None and not self._asks_for_hedges(MARKETS):
            self._pairs = tuple(product(self.values_of("exchange"), self.symbols()))
        elif self._pairs is None:
            self._pairs = ReadPairs.of(self._runs_by_market()).pairs
        return self._pairs

    def leg_exchange(self) -> str | None:
        """Return the exchange of the first leg where every leg of all trials names its own, else None."""
        if any(exchange is None for exchange, _ in self.pairs()):
            return None
        for run in self._runs_by_market():
            with suppress(InvalidInputError):
                return run.exchanges[0]
        return None

    def _runs_by_market(self) -> Iterator[RunConfig]:
        """Yield a run for each combination of the parameters that decide which markets are read."""
        for values in self.space.combinations(("exchange", *MARKETS)).values():
            yield self.base_config.model_copy(update=values)

    def extended_axes(self) -> dict[str, list[Any]]:
        """Return all values, as JSON, of the axes to which extensions added some."""
        return self._compiled.extended_axes()

    def strategies(self) -> tuple[str, ...]:
        """Return the strategies that trials run."""
        return tuple(self.values_of("strategy_mode"))

    def on_exchange(self, exchange: str) -> Self:
        """Return this sweep with the data set named that it did not name."""
        bases = {
            name: base.model_copy(update={"exchange": exchange})
            for name, base in self._compiled.bases.items()
        }
        values = dict(self) | {"base": {**self.base, "exchange": exchange}}
        twin = replace(self._compiled, bases=bases)
        return type(self).model_validate(values, context={"compiled": twin})

    def document(self) -> dict[str, Any]:
        """Return the sweep as JSON values: defaults filled in, decimals as canonical text, axes in order.

        `notify_url` is not part of it: readers of a sweep need not know its address.
        """
        outer = self.model_dump(mode="json", exclude={"base", "grid", "extensions", "notify_url"})
        for name in ("trial_timeout_s", "scenarios"):
            if getattr(self, name) is None:
                del outer[name]  # the documents of sweeps that do not name it stay as they are
        return {
            "name": outer.pop("name"),
            "base": self._compiled.base_document(),
            "grid": self._compiled.grid_document(),
            **outer,
            "extensions": self._compiled.extensions_document(),
        }

    @property
    def digest(self) -> str:
        """Hex SHA-256 of the document, the order of the axes included."""
        document = self.document()
        if self.validation == ValidationSettings():  # equal to an older sweep, which has none
            del document["validation"]
        document["base"] = identifying(document["base"])
        document["grid"] = list(document["grid"].items())
        document["extensions"] = [list(added.items()) for added in document["extensions"]]
        text = json.dumps(document, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()

    def written_values(self, name: str) -> dict[str, Any]:
        """Return the values of a parameter of every run, each by its path in what was submitted."""
        return self._compiled.written_values(name)

    def values_of(self, name: str) -> tuple[Any, ...]:
        """Return the values that a parameter of every run takes, one or those of its axis."""
        axis = self.space.by_name.get(name)
        return axis.values if axis else (getattr(self.base_config, name),)

    def reads(self) -> frozenset[RecordKind]:
        """Return the kinds of recorded rows beside candles and funding that some trial reads."""
        if self.asks_for_hedges:
            return frozenset(RecordKind)
        return kinds_of(*self.values_of("fee_model"))

    def metrics(self) -> tuple[str, ...]:
        """Return the metrics that its trials have, those of hedges where some of them ask for hedges."""
        return tuple(METRICS) if self.asks_for_hedges else USUAL_METRICS

    @property
    def asks_for_hedges(self) -> bool:
        """True if some trial asks for what only the replay of hedges models."""
        if self._of_hedges is None:
            self._of_hedges = self._asks_for_hedges()
        return self._of_hedges

    def _asks_for_hedges(self, names: Iterable[str] = HEDGE_PARAMETERS) -> bool:
        return any(asks_for_hedges(name, value) for name in names for value in self.values_of(name))


def check_test_symbols(settings: ValidationSettings, symbols: Collection[str], prefix: str = "") -> None:
    """Raise InvalidInputError if settings name a symbol to test on that the sweep does not trade."""
    for place, symbol in enumerate(settings.test_symbols or ()):
        if symbol not in symbols:
            reason = f"{quoted(symbol)} is not traded by any trial"
            raise InvalidInputError.of(f"{prefix}test_symbols[{place}]", reason)


def _as_written(error: FieldError) -> FieldError:
    """Return an error with the path that a user wrote, in which pydantic puts the kind of some values."""
    head, _, rest = error.field.partition(".")
    kind, _, name = rest.partition(".")
    if head == "validation" and kind in {VALIDATED, NOT_VALIDATED}:
        return FieldError(f"{head}.{name}" if name else head, error.message)
    if head != "sampler" or (kind and kind not in SAMPLERS):
        return error
    return FieldError(f"sampler.{name or 'kind'}", error.message)
