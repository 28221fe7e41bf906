"""Rows of the forms: every parameter once, as its schema describes it, plug-ins included."""

from pathlib import Path

import pytest
from example_plugin import installed_example

from api.dashboard.forms.parameter_form import parameter_groups, parameter_kinds
from bot.config.run_config import RunConfig
from sweeps.spec.catalogue import strategies_document


def test_every_parameter_of_a_run_is_asked_for_once() -> None:
    names = [field.name for group in parameter_groups() for field in group.fields]
    elsewhere = {"exchange", "symbols", "start", "end", "strategy_mode", "instrument"}
    assert sorted(names) == sorted(RunConfig.model_fields.keys() - elsewhere)


def test_row_tells_default_meaning_and_bounds() -> None:
    fields = {field.name: field for group in parameter_groups() for field in group.fields}
    allocation, periods = fields["allocation"], fields["min_holding_periods"]
    assert (allocation.kind, allocation.default, allocation.allowed) == (
        "number",
        "0.9",
        "above 0, at most 1",
    )
    assert periods.allowed == "whole number, 1 to 1,000,000"
    assert (periods.kind, periods.strategies) == ("integer", ("simple",))
    assert fields["sizing_base"].choices == ("initial", "equity")
    assert (fields["dynamic_sizing"].kind, fields["dynamic_sizing"].default) == ("boolean", "false")
    assert (fields["max_position_size"].default, fields["max_position_size"].allowed) == (
        "none",
        "above 0, or none",
    )


def test_rows_of_hedges_are_folded_and_tell_how_each_value_is_entered() -> None:
    groups = {group.title: group for group in parameter_groups()}
    assert [field.name for field in groups["Structure of hedges"].fields] == [
        "structure",
        "long_exchange",
        "short_exchange",
        "capital_shares",
    ]
    assert not groups["Structure of hedges"].strategies  # the page opens those of strategies alone
    fields = {field.name: field for group in groups.values() for field in group.fields}
    assert fields["structure"].choices == ("spot_perp", "reverse", "perp_perp", "inverse")
    assert (fields["margin_policy"].kind, fields["margin_policy"].default) == ("choice", "none")
    assert (fields["capital_shares"].kind, fields["capital_shares"].default) == ("json", "none")
    assert (fields["stress"].kind, fields["stress"].default) == ("json", "[]")
    assert (fields["transfer_delay_minutes"].kind, fields["impact_bps"].kind) == ("integer", "number")


def test_installed_plugin_brings_its_own_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "smoothed_entry" not in parameter_kinds()
    with installed_example(tmp_path, monkeypatch):
        group = next(group for group in parameter_groups() if group.strategies == ("smoothed-rate",))
    assert group.title == "smoothed-rate: Average funding rate"
    assert [field.name for field in group.fields] == [
        "smoothing_settlements",
        "smoothed_entry",
        "smoothed_exit",
    ]
    assert group.fields[1].description == "enter at this average rate or above"


def test_parameter_that_strategies_share_is_asked_for_once() -> None:
    def strategy(name: str, *parameters: str) -> dict[str, object]:
        properties = {parameter: {"type": "integer", "minimum": 2} for parameter in parameters}
        return {"name": name, "title": name.title(), "parameters": {"properties": properties}, "defaults": {}}

    strategies = [strategy("a", "own", "both", "perp_leverage"), strategy("b", "both")]
    found = parameter_groups({**strategies_document(), "strategies": strategies})[:2]
    assert [(group.title, [field.name for field in group.fields]) for group in found] == [
        ("a: A", ["own"]),
        ("a and b", ["both"]),
    ]
    assert found[0].fields[0].default == "required"
