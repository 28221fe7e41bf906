"""Values of any axis have an order: absent ones first, lists by their members, objects by their fields."""

from typing import Any

import numpy as np
import pytest

from sweeps.spec.axis_positions import ascending, value_ranks
from sweeps.spec.spec import SweepSpec

BASE = {"exchange": "binance", "symbols": ["BTC/USDT:USDT"], "start": "2024-01-01", "end": "2024-02-01"}
LATE = {"at": "2024-01-09", "leg": "short"}
EARLY = {"at": "2024-01-08", "leg": "short", "delay_minutes": 5, "adverse_bps": "100"}
MILD = {"at": "2024-01-08", "leg": "short", "adverse_bps": "20"}


@pytest.mark.parametrize(
    ("name", "values", "order"),
    [
        ("stress", [[LATE], [], [EARLY], [MILD], [LATE, EARLY]], [1, 2, 3, 0, 4]),
        ("max_position_size", ["200", None, "90"], [1, 2, 0]),
        ("capital_shares", [{"binance": "1"}, None], [1, 0]),
        ("end_dead_markets", [True, False], [1, 0]),
        ("order_style", ["taker", "maker"], [1, 0]),
    ],
)
def test_positions_of_values_are_put_in_ascending_order(
    name: str, values: list[Any], order: list[int]
) -> None:
    spec = SweepSpec.parse({"base": BASE, "grid": {name: values}})
    assert ascending(spec.space.by_name[name]) == order


@pytest.mark.parametrize(
    ("name", "values", "ranks", "held"),
    [
        ("stress", [[LATE], [EARLY], []], [2, 1, 0], [True, True, True]),
        ("capital_shares", [None, {"binance": "1"}], [0, 1], [False, True]),
        ("max_position_size", ["200", None, "90"], [2, 0, 1], [True, False, True]),
    ],
)
def test_values_are_ranked_and_absent_ones_are_told(
    name: str, values: list[Any], ranks: list[int], held: list[bool]
) -> None:
    spec = SweepSpec.parse({"base": BASE, "grid": {name: values}})
    found = value_ranks(spec.space, np.arange(len(values)), name)
    assert [column.tolist() for column in found] == [ranks, held]
