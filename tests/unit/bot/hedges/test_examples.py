"""The examples of hedges are read, and trade on the generated markets that a demonstration holds."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from composing import ROOT

from bot.config.run_config import RunConfig
from bot.hedges.runs import load_window, replay_run
from bot.market.symbols import SYNTHETIC_EXCHANGE
from bot.market_store.synthetic.generator import generate
from bot.timestamps import parse_time_ms

if TYPE_CHECKING:
    from bot.market_store.store import HistoricalDataStore

FOLDER = ROOT / "examples" / "hedges"
END_MS = parse_time_ms("2024-09-01")
"""End of the markets that are generated here: the first third of those of a demonstration."""


def example(path: Path, **changes: object) -> RunConfig:
    """Return the configuration of an example."""
    return RunConfig.parse({**json.loads(path.read_text()), **changes})


def test_there_are_examples_of_each_structure() -> None:
    structures = [example(path).structure for path in sorted(FOLDER.glob("*.json"))]
    assert structures == ["inverse", "perp_perp", "reverse", "spot_perp", "perp_perp"]


@pytest.fixture
def generated(store: "HistoricalDataStore") -> "HistoricalDataStore":
    """Return a store with generated markets."""
    generate(store, end_ms=END_MS)
    return store


@pytest.mark.parametrize("name", ["inverse", "perp-perp", "reverse", "spot-perp", "two-exchanges"])
def test_an_example_trades_on_generated_markets(generated: "HistoricalDataStore", name: str) -> None:
    config = example(FOLDER / f"{name}.json", end=END_MS)
    assert config.exchange == SYNTHETIC_EXCHANGE
    run = replay_run(config, load_window(config, generated))
    assert len(run.trades) > 1
    assert sum(trade.funding for trade in run.trades) > 0
