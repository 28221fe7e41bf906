"""The command `strategies`: what is installed, straight from the packages."""

import json
from typing import Any

from bot.notation import ABSENT, text_of
from sweeps.spec.catalogue import strategies_document


def print_strategies(*, as_json: bool) -> None:
    """Print each strategy with its parameters, defaults, presets and default grid, and what all share."""
    document = strategies_document()
    if as_json:
        print(json.dumps(document))
        return
    for strategy in document["strategies"]:
        print(f"{strategy['name']} {strategy['version']}  {strategy['title']}")
        _print_parameters(strategy)
        for name, values in strategy["presets"].items():
            told = (
                f"{key} {value if isinstance(value, str) else json.dumps(value)}"
                for key, value in values.items()
            )
            print(f"  preset {name}: {', '.join(told)}")
        if strategy["default_grid"]:
            print(f"  default grid: {json.dumps(strategy['default_grid'])}")
        print()
    print("parameters of every run")
    _print_parameters(document["account"])
    for name, reason in document["unusable"].items():
        print(f"{name} cannot be used: {reason}")


def _print_parameters(strategy: dict[str, Any]) -> None:
    described = strategy["parameters"].get("properties", {})
    shown = {
        name: ABSENT if value in (None, []) else text_of(value)
        for name, value in strategy["defaults"].items()
    }
    widest = max(map(len, shown), default=0)
    for name, default in shown.items():
        print(f"  {name:<{widest}}  {default:<9} {described[name].get('description', '')}")
