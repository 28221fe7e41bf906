"""Hedges replayed from the store give what the reference makes of the files that were imported."""

import json
from collections.abc import Iterator
from itertools import count, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from reference.hedges.drawn import STRUCTURES, made
from reference.hedges.replay import run as reference_run

from bot.config.run_config import RunConfig
from bot.hedges.engine import run_hedges
from bot.hedges.evidence.engine_choice import probe_run
from bot.hedges.runs import load_window, replay_run
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


HOUR = 3_600_000
START = 1_704_067_200_000
ENDING = {"market": "perp", "from_ms": START - 24 * HOUR, "to_ms": START + 20 * HOUR}


def one_pair(life: list[dict[str, Any]], candles: dict[str, str]) -> dict[str, str]:
    """Return files of a pair at a price of 100 that settles every eight hours, with more candle files."""
    settled = "".join(f"{START + hour * HOUR},0.001,8,\n" for hour in range(0, 40, 8))
    return {
        "alpha/AAAUSDT-funding.csv": f"timestamp_ms,funding_rate,interval_hours,mark_price\n{settled}",
        "alpha/AAAUSDT-spot-1h.csv": flat(range(-1, 32), 100),
        "alpha/AAAUSDT-perp-1h.csv": flat(range(-1, 32), 100),
        "alpha/AAAUSDT-life.json": json.dumps(life),
        **candles,
    }


def flat(hours: range, price: int) -> str:
    """Return hourly candles of one price."""
    rows = "".join(f"{START + hour * HOUR},{price},{price},{price},{price},1000\n" for hour in hours)
    return f"timestamp_ms,open,high,low,close,volume\n{rows}"


def replayed(store: "HistoricalDataStore", folder: Path, files: dict[str, str]) -> Any:
    """Return the document of a run over the first sixteen hours."""
    import_files(store, folder, files)
    values = {"exchange": "alpha", "symbols": ["AAA/USDT:USDT"], "start": START, "end": START + 16 * HOUR}
    costs = {"slippage_bps": "0", "spot_taker": "0", "perp_taker": "0", "min_volume_24h": "0"}
    rules = {"min_coverage": "0", "allocation": "1", "instrument": {"qty_step": "1", "min_qty": "1"}}
    config = RunConfig.parse({**values, **costs, **rules})
    return replay_run(config, load_window(config, store)).document()


def test_run_that_ends_before_a_redenomination_counts_the_units_after_it(
    store: "HistoricalDataStore", tmp_path: Path
) -> None:
    then = {"market": "perp", "from_ms": START + 20 * HOUR, "carried": True, "units": "10"}
    document = replayed(store, tmp_path, one_pair([ENDING, then], {}))
    [trade] = document["trades"]
    assert (trade["quantity"], trade["spot_entry"], trade["perp_entry"]) == ("5", "1000", "1000")


def test_announced_end_that_is_carried_after_the_run_keeps_nothing_out(
    store: "HistoricalDataStore", tmp_path: Path
) -> None:
    announced = {**ENDING, "announced_ms": START - HOUR}
    then = {"market": "perp", "from_ms": START + 20 * HOUR, "carried": True}
    document = replayed(store, tmp_path, one_pair([announced, then], {}))
    assert [trade["opened_at"] for trade in document["trades"]] == [START]


JUMPED = flat(range(-1, 32), 100).replace(f"{START + HOUR},100,100", f"{START + HOUR},100,500")


def test_contract_whose_mark_candles_begin_after_the_run_is_not_tested_for_liquidation(
    store: "HistoricalDataStore", tmp_path: Path
) -> None:
    life = [{"market": "perp", "from_ms": START - 24 * HOUR}]
    marks = {"alpha/AAAUSDT-mark-1h.csv": flat(range(20, 24), 100), "alpha/AAAUSDT-perp-1h.csv": JUMPED}
    document = replayed(store, tmp_path, one_pair(life, marks))
    assert [trade["reason"] for trade in document["trades"]] == ["end"]
    assert document["metrics"]["min_liquidation_distance"] is None


@pytest.mark.parametrize(("first_mark", "reason"), [(19, "end"), (20, "liquidation")])
def test_later_mark_candles_are_the_mark_series_of_the_contract_that_owns_them(
    store: "HistoricalDataStore", tmp_path: Path, first_mark: int, reason: str
) -> None:
    life = [ENDING, {"market": "perp", "from_ms": START + 20 * HOUR}]
    marks = {
        "alpha/AAAUSDT-mark-1h.csv": flat(range(first_mark, 24), 100),
        "alpha/AAAUSDT-perp-1h.csv": JUMPED,
    }
    document = replayed(store, tmp_path, one_pair(life, marks))
    assert document["trades"][0]["reason"] == reason
