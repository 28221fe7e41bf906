"""Feasible cells as they are kept beside a sweep, and sweeps compiled from them."""

import threading
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sweeps.lifecycle.repository import spec_text
from sweeps.spec import compiling
from sweeps.spec.space import FeasibleCells
from sweeps.spec.spec import SweepSpec
from sweeps.storage.packed_cells import pack_feasible, unpack_feasible
from sweeps.storage.stored_specs import SpecCache

BASE = {"exchange": "x", "symbols": ["BTC/USDT:USDT"], "start": "2023-01-01", "end": "2024-01-01"}
GRID = {"min_funding_rate": ["0.0001", "0.0002", "0.0003"], "exit_funding_rate": ["0", "0.0002"]}
THIN = ["exit_funding_rate <= min_funding_rate"]
SHAPES: dict[str, dict[str, Any]] = {
    "all": {"grid": GRID},
    "nothing varies": {},
    "constraint": {"grid": GRID, "constraints": THIN},
    "condition": {
        "grid": {**GRID, "perp_leverage": {"values": [1, 2], "when": {"exit_funding_rate": ["0"]}}}
    },
    "random": {"grid": GRID, "sampler": {"kind": "random", "n": 4, "seed": 3}},
    "sobol": {"grid": GRID, "sampler": {"kind": "sobol", "n": 3, "seed": 3}},
    "extended": {"grid": GRID, "constraints": THIN, "extensions": [{"exit_funding_rate": ["0.0003"]}]},
    "promoted": {"grid": GRID, "extensions": [{"perp_leverage": [3, 4]}]},
}


def made(shape: str) -> SweepSpec:
    return SweepSpec.parse({"name": "test", "base": BASE, **SHAPES[shape]})


@pytest.mark.parametrize("shape", SHAPES)
def test_sweep_from_its_stored_cells_is_the_sweep_that_was_compiled(shape: str) -> None:
    spec = made(shape)
    again = SweepSpec.from_text(spec_text(spec), unpack_feasible(pack_feasible(spec.space.feasible)))
    numbers = range(spec.trial_count)
    assert [again.params(number) for number in numbers] == [spec.params(number) for number in numbers]
    assert [again.config(number) for number in numbers] == [spec.config(number) for number in numbers]
    assert [part.rejected for part in again.space.parts] == [part.rejected for part in spec.space.parts]
    assert (again.trial_count, again.space.cells, again.digest) == (
        spec.trial_count,
        spec.space.cells,
        spec.digest,
    )


def test_sweep_from_its_stored_cells_evaluates_no_constraint(monkeypatch: pytest.MonkeyPatch) -> None:
    spec = made("constraint")
    monkeypatch.setattr(compiling, "build_space", lambda *_, **__: pytest.fail("compiled again"))
    assert SweepSpec.from_text(spec_text(spec), spec.space.feasible).trial_count == 5


@given(
    st.lists(st.one_of(st.none(), st.lists(st.integers(0, 2**40), unique=True)), min_size=1, max_size=4),
    st.lists(st.integers(0, 2**40), max_size=3),
)
def test_cells_are_unpacked_as_they_were_packed_in_any_order(
    cells: list[list[int] | None], rejected: list[int]
) -> None:
    parts = [
        FeasibleCells(None if some is None else np.array(some, dtype=np.int64), tuple(rejected))
        for some in cells
    ]
    found = unpack_feasible(pack_feasible(parts))
    assert [None if part.kept is None else part.kept.tolist() for part in found] == cells
    assert {part.rejected for part in found} == {tuple(rejected)}


def test_threads_that_ask_for_one_sweep_at_once_share_its_compilation() -> None:
    cache, spec = SpecCache(), made("all")
    begun, may_end, made_of = threading.Event(), threading.Event(), []

    def make() -> SweepSpec:
        made_of.append(1)
        begun.set()
        assert may_end.wait(20)
        return spec

    found: list[SweepSpec] = []
    threads = [threading.Thread(target=lambda: found.append(cache.get("text", make))) for _ in range(4)]
    for thread in threads:
        thread.start()
    assert begun.wait(20)
    may_end.set()
    for thread in threads:
        thread.join(20)
    assert (len(found), len(made_of)) == (4, 1)


def test_cache_of_compiled_sweeps_drops_those_asked_for_longest_ago() -> None:
    cache, asked = SpecCache(most_bytes=6_000), list[str]()

    def get(text: str) -> None:
        cache.get(text, lambda: asked.append(text) or made("all"))

    for text in ("a", "b", "a", "c", "a", "b"):  # about 2,000 bytes each, so that two have room
        get(text)
    assert asked == ["a", "b", "c", "b"]
