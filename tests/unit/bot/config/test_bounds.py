"""Bounds in the schema of parameters: what forms and clients are told is what validation refuses."""

from decimal import Decimal
from typing import Annotated, Any

import pytest
from pydantic import Field

from bot.config.fields import Number
from bot.config.parameters import Parameters
from bot.config.run_config import RunConfig

BOUNDS = ("minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum")


class Bounded(Parameters):
    """Parameters as a plug-in may write them."""

    between: Annotated[Number, Field(ge=Decimal("0.5"), lt=Decimal(2))] = Decimal(1)
    free: Number = Decimal(0)


def bounds_of(schema: dict[str, Any]) -> dict[str, Any]:
    return {keyword: schema[keyword] for keyword in BOUNDS if keyword in schema}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("perp_leverage", {"exclusiveMinimum": 0}),
        ("allocation", {"exclusiveMinimum": 0, "maximum": 1}),
        ("slippage_bps", {"minimum": 0, "exclusiveMaximum": 10000}),
        ("min_holding_periods", {"minimum": 1, "maximum": 1_000_000}),
        ("max_position_size", {"exclusiveMinimum": 0}),
        ("min_funding_rate", {}),
        ("strategy_mode", {}),
    ],
)
def test_schema_of_a_run_names_the_bounds_of_each_parameter(name: str, expected: dict[str, int]) -> None:
    assert bounds_of(RunConfig.model_json_schema()["properties"][name]) == expected


def test_schema_of_nested_parameters_names_their_bounds() -> None:
    nested = RunConfig.model_json_schema()["$defs"]["InstrumentOverride"]["properties"]["mmr"]
    assert bounds_of(nested) == {"minimum": 0, "exclusiveMaximum": 1}


def test_schema_of_a_plugin_names_exact_bounds_as_numbers() -> None:
    properties = Bounded.model_json_schema()["properties"]
    assert bounds_of(properties["between"]) == {"minimum": 0.5, "exclusiveMaximum": 2}
    assert bounds_of(properties["free"]) == {}
    assert not {"ge", "gt", "le", "lt"} & properties["between"].keys()
