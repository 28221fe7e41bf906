"""Trials are grouped some at a time: the pieces that they come in change nothing."""

from typing import Any

import numpy as np
import pytest
from sweeping import sweep_spec

from sweeps.analysis import grouping, setting_ids
from sweeps.analysis.grouping import Groups, worse_middles, worst_ones

PIECES = (1, 3, 7, 65_536)


def in_pieces(monkeypatch: pytest.MonkeyPatch, found: Any) -> list[Any]:
    every = []
    for most in PIECES:
        for module in (grouping, setting_ids):
            monkeypatch.setattr(module, "_AT_ONCE", most)
        every.append(found())
    return every


def test_places_of_groups_are_those_of_their_first_trials(monkeypatch: pytest.MonkeyPatch) -> None:
    numbers = np.arange(8)
    groups = Groups("sharpe", True, numbers, np.array([3, 1, 1, 2, 1, 2, 3, 1.0]), numbers % 2, 2)
    found = in_pieces(monkeypatch, lambda: [worst_ones(groups).tolist(), worse_middles(groups).tolist()])
    assert found == [[[2, 1], [2, 1]]] * len(PIECES)


def test_settings_are_numbered_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    grid = {"min_funding_rate": ["0.00002", "0.0001"], "slippage_bps": [1, 2], "perp_leverage": [2, 3]}
    space = sweep_spec(grid=grid).space

    def found() -> tuple[list[int], int]:
        ids, size = setting_ids.setting_ids(space, space.cells_of(np.arange(8)), ["slippage_bps"])
        return ids.tolist(), size

    assert in_pieces(monkeypatch, found) == [([0, 1, 0, 1, 2, 3, 2, 3], 4)] * len(PIECES)
