"""Trials by group have the parameters that each has alone."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from sweeps.spec.spec import SweepSpec

BASE = {"exchange": "x", "start": "2023-01-01"}
WHOLE = {"symbols": ["A"], "end": "2024-01-01"}
GRIDS: dict[str, dict[str, Any]] = {
    "one strategy": {"grid": {"min_funding_rate": ["0.0001", "0.0002"], "perp_leverage": [1, 2, 3]}},
    "nothing varies": {},
    "windows": {
        "grid": {
            "symbols": [["A"], ["A", "B"]],
            "end": ["2023-06-01", "2024-01-01"],
            "allocation": [1],
        }
    },
    "two strategies": {
        "grid": {
            "strategy_mode": ["simple", "composite"],
            "entry_threshold": {"values": ["0.4", "0.6"], "when": {"strategy_mode": "composite"}},
            "min_funding_rate": {"values": ["0.0001", "0.0002"], "when": {"strategy_mode": "simple"}},
        }
    },
    "linked and extended": {
        "grid": {"perp_leverage": [1, 2], "allocation": ["0.5", "0.6"], "slippage_bps": [1, 2]},
        "linked": [["perp_leverage", "allocation"]],
        "extensions": [{"slippage_bps": [9]}],
    },
    "sampled": {
        "grid": {
            "min_funding_rate": {"start": "0", "stop": "0.001", "step": "0.000001"},
            "perp_leverage": [1, 2],
        },
        "sampler": {"kind": "random", "n": 40, "seed": 3},
    },
}


def drawn(name: str) -> SweepSpec:
    shared = {key: value for key, value in WHOLE.items() if key not in GRIDS[name].get("grid", {})}
    return SweepSpec.parse({"base": BASE | shared, **GRIDS[name]})


@pytest.mark.parametrize("name", GRIDS)
@pytest.mark.parametrize("by", [(), ("symbols", "end")])
def test_trials_of_groups_are_those_of_their_numbers(name: str, by: Sequence[str]) -> None:
    spec = drawn(name)
    numbers = np.arange(spec.trial_count)[::-1].copy()
    groups = spec.groups(numbers, by)
    found = {
        number: config
        for group in groups
        for number, config in zip(group.numbers.tolist(), group.parameters.configs(), strict=True)
    }
    assert found == {number: spec.config(number) for number in range(spec.trial_count)}
    for group in groups:
        assert not {*by, "strategy_mode"} & group.parameters.values.keys()


def test_windows_and_strategies_are_apart() -> None:
    spec = drawn("windows")
    ends = spec.groups(np.arange(4), ("symbols", "end"))
    assert [group.numbers.tolist() for group in ends] == [[0], [1], [2], [3]]
    assert len(spec.groups(np.arange(4), ("end",))) == 2
    assert spec.groups(np.arange(0), ("end",)) == []
