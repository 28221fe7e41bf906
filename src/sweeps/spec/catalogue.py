"""The installed strategies as a user chooses from them: parameters, defaults, a first grid, presets."""

from collections.abc import Iterable
from typing import Any

from bot.config.parameters import AccountParameters
from bot.config.strategy_declaration import StrategyPlugin
from bot.config.strategy_registry import usable_strategies
from sweeps.spec.parameters import variables


def strategies_document() -> dict[str, Any]:
    """Return every installed strategy, and the parameters that all of them share, as JSON values.

    One that cannot be used is named with the reason, and keeps no other from being used.
    """
    usable, unusable = usable_strategies()
    shared = AccountParameters.model_json_schema()
    return {
        "strategies": [_strategy_document(plugin) for plugin in usable],
        "unusable": unusable,
        "account": {"parameters": shared, "defaults": _defaults((), AccountParameters.model_fields)},
    }


def _strategy_document(plugin: StrategyPlugin) -> dict[str, Any]:
    return {
        "name": plugin.name,
        "version": plugin.version,
        "title": plugin.title,
        "parameters": plugin.parameters.model_json_schema(),
        "defaults": _defaults((plugin.name,), plugin.parameters.model_fields),
        "default_grid": dict(plugin.default_grid),
        "presets": {name: dict(values) for name, values in plugin.presets.items()},
    }


def _defaults(strategies: tuple[str, ...], names: Iterable[str]) -> dict[str, Any]:
    known = variables(strategies)
    return {
        name: known.adapter(name).dump_python(field.get_default(call_default_factory=True), mode="json")
        for name in names
        if not (field := known.fields[name]).is_required()
    }
