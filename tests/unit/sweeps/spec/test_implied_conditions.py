"""Axes of parameters that only some values of another axis read apply there alone."""

from types import SimpleNamespace
from typing import Any

import pytest

from sweeps.spec.compiling import Compiled, compiled
from sweeps.spec.sampling import GridSampler

BASE = {"exchange": "x", "symbols": ["BTC/USDT:USDT"], "start": "2023-01-01", "end": "2024-01-01"}
TRIGGERS = ["0.4", "0.6"]


def of(grid: dict[str, Any], linked: tuple[tuple[str, ...], ...] = ()) -> Compiled:
    """Return a sweep in workable form; specifications refuse hedges as long as nothing replays them."""
    written: Any = SimpleNamespace(
        base=BASE, grid=grid, linked=linked, constraints=(), sampler=GridSampler(), extensions=()
    )
    return compiled(written, 1000)


def trials(found: Compiled) -> list[list[Any]]:
    return [list(found.space.labels(number).values()) for number in range(found.space.trial_count)]


def test_trigger_varies_only_where_a_policy_reads_it() -> None:
    found = of({"margin_trigger": TRIGGERS, "margin_policy": ["none", "top_up", "rebalance"]})
    assert trials(found) == [
        [None, "none"],
        ["0.4", "top_up"],
        ["0.4", "rebalance"],
        ["0.6", "top_up"],
        ["0.6", "rebalance"],
    ]
    assert found.config(0).margin_trigger == found.config(0).__class__.model_fields["margin_trigger"].default
    assert found.grid_document()["margin_trigger"] == {
        "values": TRIGGERS,
        "when": {"margin_policy": ["top_up", "rebalance"]},
    }


def test_borrowing_varies_only_under_the_structure_that_borrows() -> None:
    found = of({"structure": ["spot_perp", "reverse"], "borrow_rate_hourly": ["0", "0.00001"]})
    assert trials(found) == [["spot_perp", None], ["reverse", "0"], ["reverse", "0.00001"]]


@pytest.mark.parametrize(
    ("grid", "linked", "count"),
    [
        ({"margin_policy": ["top_up", "rebalance"], "margin_trigger": TRIGGERS}, (), 4),
        (
            {"margin_policy": ["none", "top_up"], "margin_trigger": TRIGGERS},
            (("margin_policy", "margin_trigger"),),
            2,
        ),
        (
            {
                "margin_policy": ["none", "top_up"],
                "margin_trigger": {"values": TRIGGERS, "when": {"margin_policy": ["none", "top_up"]}},
            },
            (),
            4,
        ),
        ({"margin_trigger": TRIGGERS}, (), 2),
    ],
    ids=["every value reads it", "linked", "written", "alone"],
)
def test_axis_applies_everywhere_else(
    grid: dict[str, Any], linked: tuple[tuple[str, ...], ...], count: int
) -> None:
    assert of(grid, linked).space.trial_count == count
