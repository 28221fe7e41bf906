"""Exported bytes mean what was stored: to a spreadsheet, to JSON, and to another program's Parquet reader."""

import csv
import io
import json
import random
import tracemalloc
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from sweeps.export.pages import Field, Kind
from sweeps.export.parquet import ParquetWriter, decimal_places
from sweeps.export.text import csv_header, csv_page, json_page
from sweeps.export.thrift import Long, struct, varint

FIELDS = [
    Field("number", Kind.WHOLE, None, "number"),
    Field("state", Kind.TEXT, None, "state"),
    Field("symbols", Kind.TEXT, "params", "symbols"),
    Field("dynamic", Kind.FLAG, "params", "dynamic"),
    Field("net_pnl", Kind.EXACT, "metrics", "net_pnl"),
    Field("sharpe", Kind.REAL, "metrics", "sharpe"),
]
PAGE = [
    [0, 1, 2],
    ["completed", "completed", "failed"],
    ["BTC/USDT:USDT", "Ünïcode 値", None],
    [True, None, False],
    [Decimal("-12345678901234567890.12345678"), Decimal("0.00000001"), None],
    [-1.5, 1e-300, None],
]


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "\uff1d1+1"])
def test_text_that_a_spreadsheet_would_run_gets_an_apostrophe(text: str) -> None:
    (row,) = csv.reader(io.StringIO(csv_page([[text]]).decode(), newline=""))
    assert row == [f"'{text}"]


def test_negative_numbers_stay_numbers_in_csv_and_missing_ones_are_empty() -> None:
    text = (csv_header(FIELDS) + csv_page(PAGE)).decode()
    assert text.split("\r\n")[:-1] == [
        "number,state,symbols,dynamic,net_pnl,sharpe",
        "0,completed,BTC/USDT:USDT,true,-12345678901234567890.12345678,-1.5",
        "1,completed,Ünïcode 値,,0.00000001,1e-300",
        "2,failed,,false,,",
    ]


def test_json_lines_hold_exact_amounts_as_text_and_no_metrics_of_failed_trials() -> None:
    first, _, last = map(json.loads, json_page(FIELDS, PAGE).splitlines())
    assert first == {
        "number": 0,
        "state": "completed",
        "params": {"symbols": "BTC/USDT:USDT", "dynamic": True},
        "metrics": {"net_pnl": "-12345678901234567890.12345678", "sharpe": -1.5},
    }
    assert last["metrics"] is None


def parquet(path: Path, fields: Sequence[Field], *pages: Any, places: int = 8) -> Any:
    writer = ParquetWriter(
        fields, {field.name: places for field in fields if field.kind is Kind.EXACT}, {"note": "noté"}
    )
    path.write_bytes(writer.start() + b"".join(map(writer.rows, pages)) + writer.end())
    return duckdb.connect()


def test_parquet_is_read_by_another_program_value_for_value(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    reader = parquet(path, FIELDS, PAGE, PAGE)
    rows = reader.execute("SELECT * FROM read_parquet(?)", [str(path)]).fetchall()
    assert rows == list(zip(*PAGE, strict=True)) * 2
    notes = reader.execute("SELECT key, value FROM parquet_kv_metadata(?)", [str(path)]).fetchall()
    assert notes == [(b"note", "noté".encode())]


def test_parquet_without_rows_has_its_columns(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    found = parquet(path, FIELDS).execute("SELECT * FROM read_parquet(?)", [str(path)])
    assert [column[0] for column in found.description] == [field.name for field in FIELDS]
    assert found.fetchall() == []


@pytest.mark.parametrize("rows", [1, 7, 8, 9, 1000])
def test_parquet_keeps_every_pattern_of_missing_values(tmp_path: Path, rows: int) -> None:
    drawn = random.Random(rows)
    path = tmp_path / "x.parquet"
    page = [
        [drawn.choice([None, drawn.randrange(-(2**63), 2**63)]) for _ in range(rows)],
        [drawn.choice([None, "", "x" * drawn.randrange(300)]) for _ in range(rows)],
        [drawn.choice([None, True, False]) for _ in range(rows)],
        [drawn.choice([None, Decimal(drawn.randrange(-(10**30), 10**30)).scaleb(-8)]) for _ in range(rows)],
    ]
    fields = [
        Field(kind.value, kind, None, kind.value) for kind in (Kind.WHOLE, Kind.TEXT, Kind.FLAG, Kind.EXACT)
    ]
    found = parquet(path, fields, page).execute("SELECT * FROM read_parquet(?)", [str(path)])
    assert found.fetchall() == list(zip(*page, strict=True))


def test_parquet_writer_keeps_what_describes_its_rows_and_none_of_them() -> None:
    writer = ParquetWriter(FIELDS[1:2], {}, {})
    page = [[random.Random(row).randbytes(50).hex() for row in range(1_000)]]
    written = len(writer.rows(page))
    tracemalloc.start()
    try:
        for _ in range(20):
            writer.rows(page)
        kept, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert written > 50_000
    assert kept < written


@pytest.mark.parametrize(
    ("text", "places"), [("1", 0), ("1.50", 1), ("0.00000001", 8), ("1E+3", 0), ("0", 0)]
)
def test_decimal_places_are_those_an_amount_needs(text: str, places: int) -> None:
    assert decimal_places(Decimal(text)) == places


def test_thrift_structs_are_written_as_the_compact_protocol_says() -> None:
    assert varint(300) == b"\xac\x02"
    assert struct({1: -1, 3: Long(1), 4: "a"}) == b"\x15\x01\x26\x02\x18\x01a\x00"
    assert struct({1: list(range(15))})[:3] == b"\x19\xf5\x0f"
