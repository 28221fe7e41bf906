"""Exports hold every finished trial as stored, read in short transactions, in both databases."""

import csv
import io
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
import sqlalchemy as sa
from sweeping import BASE, chunks_of, stored_rows, submit, sweep_spec

from bot.clock import SystemClock
from bot.market_store.store import HistoricalDataStore
from sweeps.analysis.progress import get_spec, get_sweep
from sweeps.export import ExportFormat, exported, manifest, pages
from sweeps.spec.metrics import METRICS
from sweeps.work.replay import WindowCache
from sweeps.work.runner import ChunkRunner

SPEC = sweep_spec(
    base={name: value for name, value in BASE.items() if name not in {"symbols", "end"}},
    grid={
        "min_funding_rate": ["0.00002", "0.0001"],
        "symbols": ["BTC/USDT:USDT", ["BTC/USDT:USDT", "ETH/USDT:USDT"]],
        "perp_leverage": [1, "2.5"],
        "end": ["2024-03-30", "2024-01-05"],
        "dynamic_sizing": [True, False],
        "max_position_size": ["100", None],
        "volume_lookback_days": [5, 7],
    },
)
PARAMS = tuple(SPEC.params(0))


@pytest.fixture
def sweep_id(engine: sa.Engine, monkeypatch: pytest.MonkeyPatch) -> int:
    """Return a finished sweep, half of whose trials failed, that is exported in several pages."""
    monkeypatch.setattr(pages, "PAGE_ROWS", 10)
    sweep_id = submit(engine, SPEC, size=50)
    runner = ChunkRunner(engine, WindowCache(HistoricalDataStore(engine)), SystemClock())
    for found in chunks_of(engine, sweep_id):
        runner.run(sweep_id, found.id, "test")
    return sweep_id


def export(engine: sa.Engine, sweep_id: int, file_format: ExportFormat) -> bytes:
    with engine.connect() as connection:
        notes = manifest(connection, get_sweep(connection, sweep_id), get_spec(connection, sweep_id))
    return b"".join(exported(engine, sweep_id, SPEC, file_format, notes))


def expected_params(number: int) -> dict[str, Any]:
    labels = SPEC.params(number)
    return {name: " ".join(label) if isinstance(label, list) else label for name, label in labels.items()}


def test_json_lines_are_the_rows(engine: sa.Engine, sweep_id: int) -> None:
    lines = list(map(json.loads, export(engine, sweep_id, ExportFormat.JSON_LINES).splitlines()))
    rows = stored_rows(engine, sweep_id)
    assert [line["number"] for line in lines] == list(range(SPEC.trial_count))
    for line, row in zip(lines, rows, strict=True):
        assert line["params"] == expected_params(row["number"])
        assert (line["state"], line["error"], line["run_key"]) == (row["state"], row["error"], row["run_key"])
        if row["state"] == "failed":
            assert line["metrics"] is None
            continue
        for name in SPEC.metrics():
            value = row[name]
            assert line["metrics"][name] == value or Decimal(line["metrics"][name]) == value


def test_csv_and_parquet_say_what_json_lines_say(engine: sa.Engine, sweep_id: int, tmp_path: Path) -> None:
    lines = list(map(json.loads, export(engine, sweep_id, ExportFormat.JSON_LINES).splitlines()))
    flat = [{**line, **line["params"], **(line["metrics"] or dict.fromkeys(METRICS))} for line in lines]
    table = list(csv.DictReader(io.StringIO(export(engine, sweep_id, ExportFormat.CSV).decode())))
    path = tmp_path / "trials.parquet"
    path.write_bytes(export(engine, sweep_id, ExportFormat.PARQUET))
    read = duckdb.connect().execute("SELECT * FROM read_parquet(?) ORDER BY number", [str(path)])
    names = [column[0] for column in read.description]
    assert names == list(table[0])
    for row, written, line in zip(read.fetchall(), table, flat, strict=True):
        for name, value in zip(names, row, strict=True):
            assert same(value, line[name]), name
            assert same(value, written[name]), name


def same(value: Any, text: Any) -> bool:
    if value is None:
        return text in {None, ""}
    if isinstance(value, bool):
        return text in {value, str(value).lower()}
    if isinstance(value, Decimal):
        return Decimal(text) == value
    return type(value)(text) == value


def test_no_transaction_stays_open_between_pages(engine: sa.Engine, sweep_id: int) -> None:
    pool: Any = engine.pool
    stream = exported(engine, sweep_id, SPEC, ExportFormat.CSV, {})
    seen = [pool.checkedout() for _ in stream]
    assert len(seen) > SPEC.trial_count // 10
    assert set(seen) == {0}


def test_manifest_names_spec_data_and_versions(engine: sa.Engine, sweep_id: int) -> None:
    with engine.connect() as connection:
        found = manifest(connection, get_sweep(connection, sweep_id), get_spec(connection, sweep_id))
    assert found["spec"] == SPEC.document()
    assert found["spec_digest"] == SPEC.digest
    assert {"carrygrid", "engine_version", "numpy", "python"} <= set(found["exported_by"])
    assert [column["name"] for column in found["columns"]] == export(
        engine, sweep_id, ExportFormat.CSV
    ).decode().splitlines()[0].split(",")
    assert json.loads(json.dumps(found)) == found
