"""Panels of a sweep: its trials by market and window, with the symbols that any of them names."""

from typing import Any

import numpy as np

from bot.timestamps import parse_time_ms
from sweeps.spec.panels import PanelWindow, PanelWindows
from sweeps.spec.spec import SweepSpec

BASE = {"exchange": "x", "start": "2023-01-01", "end": "2024-01-01", "symbols": ["A"]}
START, MIDDLE, END = map(parse_time_ms, ("2023-01-01", "2023-06-01", "2024-01-01"))


def panels(grid: dict[str, Any], **changes: Any) -> tuple[SweepSpec, PanelWindows]:
    """Return a sweep and its panels."""
    base = {name: value for name, value in BASE.items() if name not in grid}
    spec = SweepSpec.parse({"base": base, "grid": grid} | changes)
    return spec, PanelWindows.of(spec)


def places(spec: SweepSpec, found: PanelWindows) -> list[int]:
    """Return the panel of each trial."""
    numbers: list[int] = found.places(np.arange(spec.trial_count)).tolist()
    return numbers


def test_trials_of_one_window_are_one_panel() -> None:
    spec, found = panels({"perp_leverage": [1, 2, 3]})
    assert found.windows == (PanelWindow("x", START, END, frozenset({"A"})),)
    assert places(spec, found) == [0, 0, 0]


def test_symbols_that_vary_are_one_panel_with_all_that_are_named() -> None:
    spec, found = panels({"symbols": [["A"], ["B", "C"]], "perp_leverage": [1, 2]})
    assert [window.symbols for window in found.windows] == [frozenset("ABC")]
    assert places(spec, found) == [0, 0, 0, 0]


def test_each_window_is_a_panel_with_the_symbols_of_its_own_trials() -> None:
    grid = {"symbols": [["A"], ["B"]], "end": ["2023-06-01", "2024-01-01"], "perp_leverage": [1, 2]}
    spec, found = panels(grid, linked=[["symbols", "end"]])
    assert found.windows == (
        PanelWindow("x", START, MIDDLE, frozenset({"A"})),
        PanelWindow("x", START, END, frozenset({"B"})),
    )
    assert places(spec, found) == [0, 0, 1, 1]


def test_panel_without_a_feasible_trial_is_none() -> None:
    grid = {"end": ["2023-06-01", "2024-01-01"], "perp_leverage": [1, 2]}
    spec, found = panels(grid, sampler={"kind": "random", "n": 1, "seed": 1})
    assert len(found.windows) == 1
    assert places(spec, found) == [0]
