"""Sweeps over the parameters of a strategy from another package."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from example_plugin import installed_example

from bot.errors import InvalidInputError
from sweeps.estimates.unread import Repetitions
from sweeps.spec.catalogue import strategies_document
from sweeps.spec.spec import SweepSpec

BASE = {"exchange": "x", "symbols": ["A"], "start": "2023-01-01", "end": "2024-01-01"}


@pytest.fixture(autouse=True)
def _installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with installed_example(tmp_path, monkeypatch):
        yield


def test_its_parameters_are_axes_once_the_sweep_runs_it() -> None:
    base = {**BASE, "strategy_mode": "smoothed-rate", "smoothed_exit": "0.00002"}
    spec = SweepSpec.parse({"base": base, "grid": {"smoothing_settlements": [3, 6, 9]}})
    config = spec.config(2)
    assert config.document()["smoothing_settlements"] == 9
    assert config.document()["smoothed_exit"] == "0.00002"
    assert spec.document()["base"]["smoothed_exit"] == "0.00002"
    assert SweepSpec.parse(spec.document()).digest == spec.digest


def test_beside_other_strategies_they_exist_only_for_it() -> None:
    spec = SweepSpec.parse(
        {
            "base": BASE,
            "grid": {
                "strategy_mode": ["simple", "smoothed-rate"],
                "smoothing_settlements": [3, 6],
                "min_funding_rate": {"values": ["0.0001", "0.0002"], "when": {"strategy_mode": "simple"}},
            },
        }
    )
    assert [tuple(spec.params(number).values()) for number in range(spec.trial_count)] == [
        ("simple", None, "0.0001"),
        ("simple", None, "0.0002"),
        ("smoothed-rate", 3, None),
        ("smoothed-rate", 6, None),
    ]
    assert Repetitions(spec).count() == 0
    assert not hasattr(spec.config(0), "smoothing_settlements")
    assert spec.config(3).document()["smoothing_settlements"] == 6


def test_a_sweep_of_other_strategies_does_not_know_them() -> None:
    with pytest.raises(InvalidInputError) as caught:
        SweepSpec.parse({"base": BASE, "grid": {"smoothing_settlements": [3]}})
    assert [error.field for error in caught.value.errors] == ["grid.smoothing_settlements"]


def test_it_is_listed_with_its_parameters_and_without_presets_it_does_not_have() -> None:
    listed = {found["name"]: found for found in strategies_document()["strategies"]}
    mine = listed["smoothed-rate"]
    assert set(mine["defaults"]) == set(mine["parameters"]["properties"])
    assert (mine["default_grid"], mine["presets"]) == ({}, {})
