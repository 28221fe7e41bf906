"""Pairs of markets that trials of a sweep read, and the combinations of values that they have."""

from typing import Any

import pytest

from sweeps.spec.panels import PanelWindows
from sweeps.spec.read_pairs import exchanges_read
from sweeps.spec.spec import SweepSpec
from sweeps.storage.sweep_summary import SweepSummary

BTC, ETH = "BTC/USDT:USDT", "ETH/USDT:USDT"
BASE = {"exchange": "x", "symbols": [BTC], "start": "2023-01-01", "end": "2024-01-01"}


def sweep(
    grid: dict[str, Any] | None = None, linked: list[list[str]] | None = None, **base: Any
) -> SweepSpec:
    grid = grid or {"perp_leverage": [1, 2]}
    shared = {name: value for name, value in {**BASE, **base}.items() if name not in grid}
    return SweepSpec.parse({"base": shared, "grid": grid, "linked": linked or []})


def test_pairs_of_spot_against_a_perp_are_all_symbols_on_all_exchanges() -> None:
    spec = sweep({"exchange": ["x", "y"], "symbols": [[BTC], [ETH]]}, linked=[["exchange", "symbols"]])
    assert spec.pairs() == (("x", BTC), ("x", ETH), ("y", BTC), ("y", ETH))
    assert spec.exchanges() == ("x", "y")
    assert SweepSummary.of(spec).read_pairs == ()


def test_pairs_of_hedges_are_those_of_both_legs_on_their_exchanges() -> None:
    spec = sweep(structure="perp_perp", symbols=["BTC/USDC:USDC@y>BTC/USDT:USDT"])
    assert spec.pairs() == (("x", BTC), ("y", "BTC/USDC:USDC"))
    assert spec.exchanges() == ("x", "y")
    summary = SweepSummary.of_text(SweepSummary.of(spec).model_dump_json())
    assert (summary.pairs(), summary.exchanges()) == (spec.pairs(), spec.exchanges())


def test_own_exchange_of_hedges_is_first_though_no_leg_is_on_it() -> None:
    spec = sweep(structure="perp_perp", long_exchange="y", short_exchange="z")
    assert spec.pairs() == (("y", BTC), ("z", BTC))
    assert spec.exchanges() == exchanges_read(spec.config(0)) == ("x", "y", "z")


def test_pairs_of_an_axis_of_structures_are_those_that_trials_have_together() -> None:
    grid = {"structure": ["spot_perp", "inverse"], "symbols": [[BTC], ["BTC/USD:BTC"]]}
    spec = sweep(grid, linked=[["structure", "symbols"]], short_exchange="y")
    assert set(spec.pairs()) == {("x", BTC), ("y", BTC), ("y", "BTC/USD:BTC")}


def test_trials_whose_names_and_structure_contradict_read_nothing() -> None:
    spec = sweep({"structure": ["perp_perp", "inverse"]}, short_exchange="y")
    assert spec.pairs() == (("x", BTC), ("y", BTC))


def test_panel_of_hedges_has_the_perps_that_settle() -> None:
    (window,) = PanelWindows.of(sweep(symbols=["BTC/USDT@y>BTC/USDC:USDC"])).windows
    assert (window.exchange, window.symbols) == ("x", frozenset({"BTC/USDT@y>BTC/USDC:USDC"}))
    assert window.perps == {("x", "BTC/USDC:USDC")}


@pytest.mark.parametrize(("first", "found"), [(0, [("a", 1), ("a", 2), ("b", 1), ("b", 2)]), (3, [("b", 2)])])
def test_combinations_of_trials_stand_once_each(first: int, found: list[tuple[str, int]]) -> None:
    spec = sweep({"short_exchange": ["a", "b"], "perp_leverage": [1, 2], "transfer_fee": ["1"]})
    names = ("perp_leverage", "short_exchange", "symbols", "perp_leverage")
    combined = spec.space.combinations(names, first).values()
    assert sorted((one["short_exchange"], int(one["perp_leverage"])) for one in combined) == found


def test_metrics_of_hedges_belong_to_sweeps_that_ask_for_hedges() -> None:
    assert "capacity" not in sweep().metrics()
    assert "capacity" in sweep({"impact_bps": [0, 5]}).metrics()
