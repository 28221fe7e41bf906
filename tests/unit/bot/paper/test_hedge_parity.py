"""Hedges told live and the same hedges replayed give one document, wherever the process dies."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from paperhedges import HedgeMemory, assert_paper_agrees, without_marks_of_contracts
from reference.hedges.drawn import STRUCTURES, made

from bot.paper.hedges.state import HedgesState

CASES = Path(__file__).parents[1] / "hedges" / "cases"
ORDERS = {"entry that waits", "closing that waits", "second leg that follows"}
MOVES = {"transfer to a leg", "transfer between wallets", "reduced hedge"}
WAITING = {
    "spot_perp": ((16, 23, 83), ORDERS | MOVES),
    "reverse": ((36, 74, 86), ORDERS | MOVES),
    "perp_perp": ((39, 67, 81, 93), ORDERS | MOVES),
    "inverse": ((60, 81), ORDERS | {"transfer to a leg"}),
}
"""Drawn markets of each structure in which so much is under way between two events."""


def traded(structure: str, seed: int, *, crash_every: int = 0) -> HedgeMemory:
    """Trade a drawn market on paper, hold it to its replay, and return what was written down."""
    files, values = made(seed, structure)
    store = HedgeMemory()
    markets = without_marks_of_contracts(files)
    assert_paper_agrees(markets, values, store, crash_every=crash_every, before=False)
    return store


def under_way(state: HedgesState) -> Iterator[str]:
    """Yield what a process that dies now leaves under way."""
    if state.transfer is not None:
        yield "transfer between wallets"
    if state.waiting:
        yield "entry that waits"
    for hedge in state.hedges:
        if hedge.closing is not None:
            yield "closing that waits"
        if hedge.reason is not None:
            yield "second leg that follows"
        if hedge.reductions:
            yield "reduced hedge"
        if any(leg.arrives_ms is not None for leg in (hedge.long, hedge.short)):
            yield "transfer to a leg"


@pytest.mark.parametrize("structure", STRUCTURES)
def test_every_structure_gives_the_document_of_its_replay(structure: str) -> None:
    stores = [traded(structure, seed) for seed in range(4)]
    assert sum(len(store.held_trades) for store in stores) > 1


@pytest.mark.parametrize("structure", STRUCTURES)
def test_a_process_that_dies_after_each_event_with_anything_under_way_leaves_that_document(
    structure: str,
) -> None:
    seeds, expected = WAITING[structure]
    stores = [traded(structure, seed, crash_every=1) for seed in seeds]
    states = [state for store in stores for state in store.states]
    assert {kind for state in states for kind in under_way(state)} == expected


@pytest.mark.parametrize("path", sorted(CASES.glob("*.json")), ids=lambda path: path.stem)
def test_a_case_worked_out_by_hand_is_traded_on_paper_to_the_last_digit(path: Path) -> None:
    case = json.loads(path.read_text())
    result = assert_paper_agrees(case["files"], case["config"], HedgeMemory())
    assert result.document()["trades"] == case["expected"]["trades"]
