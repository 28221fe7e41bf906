"""Hedges replayed from the store give what the reference makes of the files that were imported."""

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from reference.hedges.drawn import made
from reference.hedges.replay import run as reference_run

from bot.config.run_config import RunConfig
from bot.hedges.engine import run_hedges
from bot.market.hedge_data import wanted_pairs
from bot.market_store.importing import import_path

if TYPE_CHECKING:
    from bot.market_store.store import HistoricalDataStore


@pytest.mark.parametrize(
    ("structure", "seed"),
    [
        ("spot_perp", 59),
        ("spot_perp", 140),
        ("reverse", 67),
        ("reverse", 100),
        ("perp_perp", 38),
        ("perp_perp", 93),
        ("inverse", 64),
        ("inverse", 75),
    ],
)
def test_runs_over_renamed_and_reused_contracts_agree_from_the_store(
    store: "HistoricalDataStore", tmp_path: Path, structure: str, seed: int
) -> None:
    files, values = made(seed, structure)
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    for exchange in {name.partition("/")[0] for name in files}:
        import_path(store, tmp_path / exchange, exchange)
    config, expected = RunConfig.parse(values), reference_run(files, values)
    data = store.load_hedges(values["exchange"], wanted_pairs(config.hedges), config.end, config.start)
    document = run_hedges(config, data).document()
    assert any('"stem"' in text for name, text in files.items() if name.endswith("-life.json"))
    assert len(document["trades"]) > 1
    assert document["trades"] == expected["trades"]
    assert [list(point) for point in document["equity"]] == expected["equity"]
