"""The parameters that a sweep may set: those of every run, and those that its strategies bring along."""

from collections.abc import Iterable, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter, ValidationError

from bot.config.parameters import AccountParameters
from bot.config.run_config import RunConfig, run_model
from bot.config.strategy_registry import strategy_names, strategy_plugin
from bot.errors import FieldError, InvalidInputError
from bot.validation import field_errors, refuse_crowd

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo

FIXED = frozenset({"instrument"})
"""Parameters that are the same in all trials of a sweep."""


class Variables:
    """The parameters known to a sweep under some strategies: how each is read, its default, who reads it."""

    def __init__(self, strategies: tuple[str, ...]) -> None:
        self.strategies = strategies
        self.models: Mapping[str, type[RunConfig]] = {name: run_model(name) for name in strategies}
        self.fields: dict[str, FieldInfo] = {}
        models: tuple[type[RunConfig], ...] = (RunConfig, *self.models.values())
        for model in models:
            for name, field in model.model_fields.items():
                self.fields.setdefault(name, field)
        self._adapters: dict[str, TypeAdapter[Any]] = {}

    def adapter(self, name: str) -> TypeAdapter[Any]:
        """Return the validator and serializer of a parameter."""
        if name not in self._adapters:
            self._adapters[name] = TypeAdapter(self.fields[name].rebuild_annotation())
        return self._adapters[name]

    def parse(self, name: str, raw: object, path: str) -> Any:
        """Return `raw` as parameter `name` of a run; raises InvalidInputError for field `path`."""
        refuse_crowd(self.fields[name].annotation, raw, f"{path}.")
        try:
            return self.adapter(name).validate_python(raw)
        except ValidationError as error:
            found = field_errors(error)
            raise InvalidInputError(
                [FieldError(_within(path, item.field), item.message) for item in found]
            ) from None

    def label(self, name: str, value: Any) -> Any:
        """Return a value as JSON; a single symbol without its list."""
        label = self.adapter(name).dump_python(value, mode="json")
        return label[0] if isinstance(label, list) and len(label) == 1 else label

    def reads(self, strategy: str, name: str) -> bool:
        """Return whether a parameter can change a run under a strategy: the account's, and its own."""
        own = strategy_plugin(strategy).parameters.model_fields
        return name in AccountParameters.model_fields or name in own

    def readers(self, name: str) -> tuple[str, ...]:
        """Return the strategies among ours whose runs have this parameter at all."""
        return tuple(one for one, model in self.models.items() if name in model.model_fields)


def _within(path: str, part: str) -> str:
    """Return the field path of a part of a value, such as `[0].at`, or of the whole value."""
    return f"{path}.{part}" if part[:1] not in ("", "[") else f"{path}{part}"


@cache
def variables(strategies: tuple[str, ...] = ()) -> Variables:
    """Return the parameters of sweeps under `strategies`; without any, those of every run."""
    return Variables(strategies)


def strategies_of(base: Mapping[str, object], grid: Mapping[str, object]) -> tuple[str, ...]:
    """Return the installed strategies that a sweep as written runs; what is no strategy is left out."""
    raw: Any = grid.get("strategy_mode", base.get("strategy_mode", _default_strategy()))
    if isinstance(raw, dict):
        raw = raw.get("values", ())
    named: Iterable[object] = [raw] if isinstance(raw, str) else raw if isinstance(raw, list | tuple) else ()
    known = strategy_names()
    return tuple(dict.fromkeys(one for one in named if isinstance(one, str) and one in known))


def _default_strategy() -> object:
    return RunConfig.model_fields["strategy_mode"].default
