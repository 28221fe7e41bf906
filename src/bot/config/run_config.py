"""One run: every parameter, defaults filled in."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Self, cast

from pydantic import create_model, model_validator

from bot.config.fields import load_json
from bot.config.hedge_checks import READ_BY_RULES, needs_hedge_engine, refuse_hedge_contradictions
from bot.config.parameters import AccountParameters, CompositeParameters, SimpleParameters
from bot.config.strategy_registry import strategy_names, strategy_plugin
from bot.errors import InvalidInputError
from bot.timestamps import iso
from bot.validation import rule_error, validated

__all__ = ["RunConfig", "load_json"]

_RULED = frozenset(
    (
        "start",
        "end",
        "weight_rate_level",
        "weight_trend",
        "weight_persistence",
        "weight_basis",
        "sizing_min_fraction",
        "sizing_max_fraction",
    )
)
"""The parameters that the rules of every run read: `RunConfig.refuse_contradictions` and its groups'."""


EVIDENCE = "evidence"
"""Name under which the configuration of a promoted trial carries the evidence for it."""


class RunConfig(AccountParameters, SimpleParameters, CompositeParameters):
    """Every parameter of one run, defaults filled in (docs/domain.md, section 7)."""

    @model_validator(mode="after")
    def _validated(self) -> Self:
        self.refuse_contradictions()
        return self

    def refuse_contradictions(self) -> None:
        """Check the window, and the rules of every group of parameters."""
        if self.end < self.start:
            raise ValueError(f"end: {iso(self.end)} is before start {iso(self.start)}")
        super().refuse_contradictions()
        if needs_hedge_engine(self):
            refuse_hedge_contradictions(self)

    @classmethod
    def parse(cls, values: Mapping[str, object], strategies: Sequence[str] = ()) -> Self:
        """Return the run that `values` describe; they may set parameters of other `strategies` as well.

        The evidence of a promoted trial, which is no parameter, may stand beside them.
        Raises: InvalidInputError with one entry per refused field.
        """
        mode = values.get("strategy_mode")
        values = {name: value for name, value in values.items() if name != EVIDENCE}
        own = (mode,) if isinstance(mode, str) and mode in strategy_names() else ()
        return cast("Self", validated(run_model(*own, *strategies), values))

    def varied(self, values: Mapping[str, object]) -> Self:
        """Return this run with other, already validated `values`; only the rules between fields are checked.

        Raises: InvalidInputError if the parameters contradict each other.
        """
        run = self.model_copy(update=dict(values))
        try:
            run.refuse_contradictions()
        except ValueError as error:
            raise InvalidInputError([rule_error(str(error))]) from None
        return run

    def under(self, strategy: str) -> "RunConfig":
        """Return this run under another strategy: with all parameters that it has, and defaults for the rest.

        Raises: InvalidInputError if the strategy cannot be used, or if the parameters contradict each other.
        """
        model, run = run_model(strategy), self
        if type(self) is not model:
            kept = {name: value for name, value in vars(self).items() if name in model.model_fields}
            run = model.model_construct(**kept)
        return run.varied({"strategy_mode": strategy})

    def document(self) -> dict[str, Any]:
        """Return the parameters as JSON values: decimals as canonical text, times as ISO text."""
        return self.model_dump(mode="json")


def ruled_parameters(model: type[RunConfig], *, with_hedges: bool = False) -> frozenset[str] | None:
    """Return the parameters that rules between them read, None where a strategy brings rules of its own.

    `with_hedges` adds those that the rules of hedges read.
    """
    if model.refuse_contradictions is not RunConfig.refuse_contradictions:
        return None
    return _RULED | READ_BY_RULES if with_hedges else _RULED


@cache
def run_model(*strategies: str) -> type[RunConfig]:
    """Return the parameters of a run under `strategies`: those of every run, and theirs where they are new.

    Raises: InvalidInputError if a strategy cannot be used.
    """
    known = set(RunConfig.model_fields)
    bases: list[type[Any]] = [RunConfig]
    for strategy in dict.fromkeys(strategies):
        own = strategy_plugin(strategy).parameters
        if not own.model_fields.keys() <= known:
            bases.append(own)
            known |= own.model_fields.keys()
    if len(bases) == 1:
        return RunConfig
    title = "".join(strategy.title() for strategy in strategies)
    return create_model(f"{title}RunConfig", __base__=cast("tuple[type[RunConfig], ...]", tuple(bases)))
