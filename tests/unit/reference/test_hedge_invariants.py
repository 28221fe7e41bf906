"""Runs of hedges that are drawn add up, whatever their structure and parameters."""

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings

from tests.reference.hedges.drawn import STRUCTURES, made, runs
from tests.reference.hedges.replay import run

SOME = settings(max_examples=40, derandomize=True)


@SOME
@given(runs())
def test_every_run_adds_up(drawn: tuple[dict[str, str], dict[str, Any]]) -> None:
    files, config = drawn
    document = run(files, config)
    money = {name: Fraction(value) for name, value in document["metrics"].items() if isinstance(value, str)}
    costs = money["total_fees"] + money["borrow_cost"] + money["transfer_cost"]
    assert money["net_pnl"] == money["total_funding"] + money["price_pnl"] - costs
    assert money["price_pnl"] == money["long_pnl"] + money["short_pnl"]
    assert money["total_funding"] == sum(money[f"funding_{name}"] for name in ("negative", "neutral", "high"))
    initial = Fraction(config.get("initial_capital", "10000"))
    assert money["final_equity"] == initial + money["net_pnl"] == Fraction(document["equity"][-1][1])


@pytest.mark.parametrize("structure", STRUCTURES)
def test_a_seed_stands_for_one_run_in_which_hedges_are_opened(structure: str) -> None:
    assert made(3, structure) == made(3, structure)
    documents = [run(*made(seed, structure)) for seed in range(10)]
    assert sum(bool(document["trades"]) for document in documents) >= 5
