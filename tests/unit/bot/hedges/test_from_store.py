"""Hedges replayed from the store give what the reference makes of the files that were imported."""

from collections.abc import Iterator
from itertools import count, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from reference.hedges.drawn import STRUCTURES, made
from reference.hedges.replay import run as reference_run

from bot.config.run_config import RunConfig
from bot.hedges.engine import run_hedges
from bot.hedges.evidence.either_engine import probe_run
from bot.market.hedge_data import wanted_pairs
from bot.market_store.importing import import_path

if TYPE_CHECKING:
    from bot.market_store.store import HistoricalDataStore


Run = tuple[dict[str, str], dict[str, Any], dict[str, Any]]


def renamed_runs(structure: str) -> Iterator[Run]:
    """Yield drawn runs with trades over contracts that other stems hold, with their documents."""
    for seed in count():
        files, values = made(seed, structure)
        if any('"stem"' in text for name, text in files.items() if name.endswith("-life.json")):
            expected = reference_run(files, values)
            if len(expected["trades"]) > 1:
                yield files, values, expected


def import_files(store: "HistoricalDataStore", folder: Path, files: dict[str, str]) -> None:
    """Import files by their names, such as `alpha/AAAUSDT-perp-1h.csv`."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    for exchange in {name.partition("/")[0] for name in files}:
        import_path(store, folder / exchange, exchange)


@pytest.mark.parametrize("place", range(3))
@pytest.mark.parametrize("structure", STRUCTURES)
def test_runs_over_renamed_and_reused_contracts_agree_from_the_store(
    store: "HistoricalDataStore", tmp_path: Path, structure: str, place: int
) -> None:
    files, values, expected = next(islice(renamed_runs(structure), place, None))
    import_files(store, tmp_path, files)
    config = RunConfig.parse(values)
    data = store.load_hedges(values["exchange"], wanted_pairs(config.hedges), config.end, config.start)
    document = run_hedges(config, data).document()
    assert document["trades"] == expected["trades"]
    assert [list(point) for point in document["equity"]] == expected["equity"]


@pytest.mark.parametrize("structure", STRUCTURES)
def test_probe_reads_hedges_from_the_store_and_finds_nothing(
    store: "HistoricalDataStore", tmp_path: Path, structure: str
) -> None:
    files, values, _ = next(renamed_runs(structure))
    import_files(store, tmp_path, files)
    document = probe_run(RunConfig.parse(values), store, cuts=3).document()
    assert (document["passed"], len(document["cuts_ms"])) == (True, 3)
