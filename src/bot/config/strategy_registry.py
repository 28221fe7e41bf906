"""Strategies by name, found through the entry point group `carrygrid.strategies`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING, Any

from bot.errors import InvalidInputError

if TYPE_CHECKING:
    from bot.config.parameters import Parameters

ENTRY_POINT_GROUP = "carrygrid.strategies"
MAX_NAME_LENGTH = 64
"""Longest name of a strategy; the database keeps measured rates under it."""


@dataclass(frozen=True, slots=True)
class StrategyPlugin:
    """Declaration of a strategy by a package.

    The fields of `parameters` become parameters of a run under their own names;
    `build` gets the whole run, typed as that model and the account's parameters together, and returns a
    `Strategy`. `decide_columns` gets the run and the `DecisionColumns` of a window, and returns the
    `ColumnDecisions` that are the same decisions at all settlements at once: with it, sweeps replay many
    trials at a time; without it, or where it raises, each alone.
    `version` is part of the identity of every run: change it with every change of a decision.
    `default_grid` is what a first sweep varies; `presets` are sets of parameters by name. Both as they stand
    in a sweep. `suggest` gets the `WindowFigures` of a window and returns the `Suggestion` that fits them, so
    that a first run trades. (These types rank above configuration, so no field's type names them.)
    """

    name: str
    version: str
    title: str
    parameters: "type[Parameters]"
    build: Callable[[Any], Any]
    default_grid: Mapping[str, object] = field(default_factory=dict)
    presets: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    suggest: Callable[[Any], Any] | None = None
    decide_columns: Callable[[Any, Any], Any] | None = None


@cache
def _declared() -> Mapping[str, EntryPoint]:
    return {found.name: found for found in sorted(entry_points(group=ENTRY_POINT_GROUP))}


def strategy_names() -> tuple[str, ...]:
    """Return the names of the installed strategies, sorted."""
    return tuple(_declared())


@cache
def strategy_plugin(name: str) -> StrategyPlugin:
    """Return an installed strategy; raises InvalidInputError naming `strategy_mode` if it is unusable."""
    declared = _declared().get(name)
    if declared is None:
        known = ", ".join(_declared())
        raise InvalidInputError.of("strategy_mode", f"{name!r} is not an installed strategy ({known})")
    if len(name) > MAX_NAME_LENGTH:
        raise InvalidInputError.of(
            "strategy_mode", f"{name!r} is a name of {len(name)} characters, at most {MAX_NAME_LENGTH} fit"
        )
    try:
        plugin = declared.load()
    except (ImportError, AttributeError, SyntaxError) as error:
        raise InvalidInputError.of(
            "strategy_mode", f"{name!r}: {declared.value} cannot be loaded: {error}"
        ) from error
    if not isinstance(plugin, StrategyPlugin) or plugin.name != name:
        raise InvalidInputError.of(
            "strategy_mode", f"{name!r}: {declared.value} is no StrategyPlugin of that name"
        )
    return plugin


def usable_strategies() -> tuple[list[StrategyPlugin], dict[str, str]]:
    """Return the installed strategies that can be used, by name, and why the others cannot."""
    usable: list[StrategyPlugin] = []
    unusable: dict[str, str] = {}
    for name in strategy_names():
        try:
            usable.append(strategy_plugin(name))
        except InvalidInputError as error:
            unusable[name] = error.errors[0].message
    return usable, unusable
