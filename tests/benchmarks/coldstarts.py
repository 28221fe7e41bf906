"""Cold starts: the command line, a single run, an import, the first trial of a window."""

import json
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks import market
from benchmarks.commands import CARRYGRID, environment
from benchmarks.measure import Finished, cpu_seconds, medians, run_command
from bot.config.parameter_columns import ParameterColumns
from bot.market.rows import CANDLE_COLUMNS, Rows, SeriesKind
from bot.market_store.store import HistoricalDataStore
from bot.market_store.synthetic.generator import GeneratedPair
from sweeps.work.kernel_replay import replay_fast
from sweeps.work.replay import WindowCache

SIX_YEARS = market.YEARS * 1_095
_FUNDING_HEAD = "timestamp_ms,funding_rate,interval_hours,mark_price"


def measured(store: HistoricalDataStore, pair: GeneratedPair, folder: Path, runs: int) -> dict[str, Any]:
    """Return medians of some runs each; `folder` holds the database of the store and becomes a home."""
    config = folder / "config.json"
    config.write_text(json.dumps(market.simple_body(SIX_YEARS)["base"]))
    exported = canonical_csv(pair, folder / "csv")
    return {
        "carrygrid --help": medians([_command(folder, "--help") for _ in range(runs)]),
        "backtest, six years": medians([_command(folder, "backtest", config, "--json") for _ in range(runs)]),
        "import, six years of four series": medians([_import(folder, exported, at) for at in range(runs)]),
        "first trial of six years in a worker": medians([_first_trial(store) for _ in range(runs)]),
    }


def hundred_symbols(pairs: Sequence[GeneratedPair], folder: Path, symbols: int = 100) -> dict[str, Any]:
    """Return what a store of many symbols over six years costs to list and to run one symbol of."""
    folder.mkdir()
    store = market.filled_store(folder, pairs, symbols)
    store.engine.dispose()
    config = folder / "config.json"
    config.write_text(json.dumps(market.simple_body(SIX_YEARS)["base"]))
    return {
        "symbols": symbols,
        "database_mib": (folder / market.DATABASE).stat().st_size / 2**20,
        "data list": asdict(_command(folder, "data", "list")),
        "data list, again": asdict(_command(folder, "data", "list")),
        "backtest of one symbol": asdict(_command(folder, "backtest", config, "--json")),
    }


def _command(home: Path, *arguments: object) -> Finished:
    return run_command([CARRYGRID, *map(str, arguments)], environment(home))


def _import(folder: Path, exported: Path, at: int) -> Finished:
    home = folder / f"import-{at}"
    return _command(home, "data", "import", exported, "--exchange", "generated")


def _first_trial(store: HistoricalDataStore) -> Finished:
    """Return the time from the claim: history read, window built, one trial replayed."""
    run = market.simple_sweep(SIX_YEARS).config(0)

    def once() -> None:
        held = WindowCache(store).held(run)
        replay_fast(held.kernel, held.baselines, ParameterColumns.of([run]))

    began = time.perf_counter()
    cpu_s = cpu_seconds(once)
    return Finished(time.perf_counter() - began, cpu_s, 0.0)


def canonical_csv(pair: GeneratedPair, folder: Path) -> Path:
    """Write the four series of a pair as canonical CSV and return their folder."""
    folder.mkdir()
    stem = pair.symbol.partition(":")[0].replace("/", "")
    for kind, rows in pair.rows.items():
        name, lines = _funding(rows) if kind is SeriesKind.FUNDING else (f"{kind}-1h", _candles(rows))
        (folder / f"{stem}-{name}.csv").write_text("\n".join([*lines, ""]))
    return folder


def _candles(rows: Rows) -> list[str]:
    columns = [map(str, column.decimals()) for column in rows.columns]
    head = ",".join(("timestamp_ms", *CANDLE_COLUMNS))
    return [head, *(",".join(row) for row in zip(map(str, rows.times.tolist()), *columns, strict=True))]


def _funding(rows: Rows) -> tuple[str, list[str]]:
    rates, hours, marks, _ = (column.decimals() for column in rows.columns)
    times = rows.times.tolist()
    return "funding", [
        _FUNDING_HEAD,
        *(f"{t},{rate:f},{h},{mark}" for t, rate, h, mark in zip(times, rates, hours, marks, strict=True)),
    ]
