"""Strategies by name, found through the entry point group `carrygrid.strategies`."""

from collections.abc import Mapping
from functools import cache
from importlib.metadata import EntryPoint, entry_points

from bot.config.strategy_declaration import StrategyPlugin
from bot.errors import InvalidInputError
from bot.notation import quoted

ENTRY_POINT_GROUP = "carrygrid.strategies"
MAX_NAME_LENGTH = 64
"""Longest name of a strategy; the database keeps measured rates under it."""


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
        raise InvalidInputError.of("strategy_mode", f"{quoted(name)} is not an installed strategy ({known})")
    if len(name) > MAX_NAME_LENGTH:
        raise InvalidInputError.of(
            "strategy_mode",
            f"{quoted(name)} is a name of {len(name)} characters, at most {MAX_NAME_LENGTH} fit",
        )
    try:
        plugin = declared.load()
    except (ImportError, AttributeError, SyntaxError) as error:
        raise InvalidInputError.of(
            "strategy_mode", f"{quoted(name)}: {declared.value} cannot be loaded: {error}"
        ) from error
    if not isinstance(plugin, StrategyPlugin) or plugin.name != name:
        raise InvalidInputError.of(
            "strategy_mode", f"{quoted(name)}: {declared.value} is no StrategyPlugin of that name"
        )
    plugin.check()
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


def unread_parameters(name: str) -> frozenset[str]:
    """Return the parameters that other usable strategies declare and the one of this name does not read."""
    usable, _ = usable_strategies()
    others = {field for plugin in usable for field in plugin.parameters.model_fields}
    return frozenset(others.difference(strategy_plugin(name).parameters.model_fields))


def compared_strategies() -> tuple[str, ...]:
    """Return the names of the usable strategies that are compared side by side, in order."""
    places = {one.name: one.compare_place for one in usable_strategies()[0]}
    compared = [(place, name) for name, place in places.items() if place is not None]
    return tuple(name for _, name in sorted(compared))
