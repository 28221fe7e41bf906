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
class Figure:
    """A figure that a strategy decides on, as pages show it: its title, and what it is compared with.

    `enter` and `leave` name parameters: it enters from the one on, and leaves below the other. `note` says
    what no parameter does. A `share` is shown in percent. Without a title the name serves as one.
    """

    title: str = ""
    share: bool = False
    enter: str | None = None
    leave: str | None = None
    note: str = ""

    @property
    def parameters(self) -> tuple[str, ...]:
        """Names of the parameters that it is compared with."""
        return tuple(name for name in (self.enter, self.leave) if name is not None)


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
    `figures` says by name how pages show what the strategy's `figures` return. `rate_8h` and `volume_24h` are
    the market's, and may be named as well; charts draw the thresholds of the rate. Strategies that have a
    `compare_place` are compared side by side, in the order of these.
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
    figures: Mapping[str, Figure] = field(default_factory=dict)
    compare_place: int | None = None


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
    _refuse_unknown_parameters(plugin)
    return plugin


def _refuse_unknown_parameters(plugin: StrategyPlugin) -> None:
    for name, figure in plugin.figures.items():
        for parameter in figure.parameters:
            if parameter not in plugin.parameters.model_fields:
                raise InvalidInputError.of(
                    "strategy_mode",
                    f"{plugin.name!r}: its figure {name!r} names {parameter!r}, none of its parameters",
                )


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


def compared_strategies() -> tuple[str, ...]:
    """Return the names of the usable strategies that are compared side by side, in order."""
    places = {one.name: one.compare_place for one in usable_strategies()[0]}
    compared = [(place, name) for name, place in places.items() if place is not None]
    return tuple(name for _, name in sorted(compared))
