"""Damaged and arbitrary files in every format: imported, or refused in one sentence with nothing stored."""

import gzip
import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nanoarrow as na
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from nanoarrow.ipc import StreamWriter

from bot.errors import DataImportError
from bot.market_store.database import open_engine
from bot.market_store.importers.import_options import ImportOptions
from bot.market_store.importers.mapping import Mapping
from bot.market_store.importing import import_file
from bot.market_store.store import HistoricalDataStore
from bot.market_store.tables import market_import, market_record, market_segment, market_series, metadata
from bot.market_store.verifying import verify_market
from bot.timestamps import parse_time_ms

HOUR = 3_600_000
DAY = parse_time_ms("2024-01-01")
HOURS = [DAY + n * HOUR for n in range(4)]
BARS = [[t, "10", "12.5", "9", "11", "5"] for t in HOURS]
CSV = "timestamp_ms,open,high,low,close,volume\n" + "".join(f"{t},10,12.5,9,11,5\n" for t in HOURS)
FUNDING = "timestamp_ms,funding_rate,interval_hours,mark_price\n" + "".join(
    f"{DAY + n * 8 * HOUR},0.0001,8,42000.5\n" for n in range(3)
)
KLINES = "".join(f"{t},10,12.5,9,11,5,{t + HOUR - 1},55,7,2,22,0\n" for t in HOURS)
VISION = (
    "calc_time,funding_interval_hours,last_funding_rate\n1704067200000,8,0.00037\n1704096000000,8,0.0002\n"
)
EXPORT = '\ufeff"Time","Contracts","Funding Interval","Funding Rate"\n' + "\n".join(
    f'"2024-01-01 {hour}:00:00","BTCUSDT Perpetual","8h","0.01%"' for hour in ("16", "08")
)
MAPPED = "when;market;pct\n2024-01-01T00:00:00+00:00;BTCUSDT;0.01\n2024-01-01T08:00:00Z;BTCUSDT;-0.01\n"
MAPPING = Mapping.parse_all(
    json.dumps(
        {
            "header": "when;market;pct",
            "kind": "funding",
            "delimiter": ";",
            "time_unit": "iso",
            "rate_unit": "percent",
            "columns": {"time": "when", "rate": "pct", "symbol": "market"},
        }
    )
)
BINANCE = [{"symbol": "BTCUSDT", "fundingTime": t, "fundingRate": "0.0001", "markPrice": "9"} for t in HOURS]
BYBIT = {
    "result": {"category": "linear", "symbol": "BTCUSDT", "list": [[str(x) for x in (*b, 0)] for b in BARS]}
}
OKX = {"data": [{"instId": "BTC-USDT-SWAP", "realizedRate": "0.0002", "fundingTime": str(t)} for t in HOURS]}
OKX_BARS = {"data": [[str(t), "10", "12", "9", "11", "500", "5", "55", "1"] for t in HOURS]}
LIQUID = [
    {"t": t, "s": "kPEPE", "i": "1h", "o": "10", "h": "12", "l": "9", "c": "11", "v": "5"} for t in HOURS
]
LIQUID_PAID = [{"coin": "BTC", "time": t, "fundingRate": "0.0001"} for t in HOURS]
DYDX = {
    "historicalFunding": [
        {"ticker": "BTC-USD", "rate": "0.0001", "price": "9.5", "effectiveAt": f"2024-01-01T0{n}:00:00Z"}
        for n in range(3)
    ]
}
CCXT = [{"symbol": "ETH/USDT:USDT", "timestamp": t, "fundingRate": 1e-05, "info": {}} for t in HOURS]


def feather() -> bytes:
    names = ("date", "open", "high", "low", "close", "volume")
    values = [HOURS, *([price] * len(HOURS) for price in (10.0, 12.5, 9.0, 11.0, 5.0))]
    types = {name: na.int64() if name == "date" else na.float64() for name in names}
    columns = [na.c_array(column, kind) for column, kind in zip(values, types.values(), strict=True)]
    batch = na.c_array_from_buffers(na.struct(types), len(HOURS), [None], children=columns)
    packed = io.BytesIO()
    with StreamWriter.from_writable(packed) as writer:
        writer.write_stream(batch)
        return b"ARROW1\x00\x00" + packed.getvalue()


def zipped(content: bytes, name: str) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo(name), content)
    return packed.getvalue()


DOCUMENTS: dict[str, Any] = {
    "binance.json": BINANCE,
    "bybit.json": BYBIT,
    "okx.json": OKX,
    "okx-bars.json": OKX_BARS,
    "hyperliquid.json": LIQUID,
    "hyperliquid-paid.json": LIQUID_PAID,
    "dydx.json": DYDX,
    "ccxt.json": CCXT,
    "BTC_USDT_USDT-1h-futures.json": BARS,
    "BTC_USDT_USDT-8h-funding_rate.json": BARS,
    "BTCUSDT-brackets.json": [{"from_ms": 0, "brackets": [{"cap": 50, "mmr": 0.004}, {"mmr": "0.01"}]}],
    "BTCUSDT-life.json": [{"market": "perp", "from_ms": 0, "to_ms": DAY, "units": 1, "stem": "OLDUSDT"}],
    "klines.json": [[*bar, 0, 0, 0, 0, 0, 0] for bar in BARS],
}
FILES: dict[str, bytes] = {
    "BTCUSDT-perp-1h.csv": CSV.encode(),
    "BTCUSDT-funding.csv": FUNDING.encode(),
    "BTCUSDT-borrow.csv": f"timestamp_ms,hourly_rate,max_quantity\n{DAY},0.00002,12.5\n".encode(),
    "BTCUSDT-1h-2024-01.csv": KLINES.encode(),
    "BTCUSDT-fundingRate-2024-01.csv": VISION.encode(),
    "export.csv": EXPORT.encode(),
    "mapped.csv": MAPPED.encode(),
    "BTC_USDT_USDT-1h-mark.feather": feather(),
    "BTCUSDT-spot-1h.csv.gz": gzip.compress(CSV.encode(), mtime=0),
    "BTCUSDT-mark-1h.zip": zipped(CSV.encode(), "BTCUSDT-mark-1h.csv"),
    **{name: json.dumps(document).encode() for name, document in DOCUMENTS.items()},
}
OPTIONS = (
    ImportOptions(mappings=MAPPING),
    ImportOptions.parse(kind="perp", symbol="BTCUSDT", timeframe="1h", time_zone="UTC", keep_readable=True),
)
"""Import options that only map a column, and options that state everything and keep what is readable."""

EXAMPLES = 150
fuzzed = settings(max_examples=EXAMPLES, suppress_health_check=[HealthCheck.function_scoped_fixture])


class Importing:
    """A store, and a folder whose files are imported into it one after the other."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.engine = open_engine(f"sqlite:///{folder}/market.sqlite")
        metadata.create_all(self.engine)
        self.store = HistoricalDataStore(self.engine)

    def held(self) -> list[Any]:
        tables = (market_series, market_segment, market_import, market_record)
        queries = [sa.select(table) for table in tables]
        with self.engine.connect() as connection:
            return [connection.execute(query).all() for query in queries]

    def offer(self, name: str, content: bytes, options: ImportOptions) -> bool:
        """Import a file; a refusal must name it in one line and leave the store as it was."""
        path = self.folder / name
        path.write_bytes(content)
        before = self.held()
        refused, said = "", []
        try:
            report = import_file(self.store, path, "test", None, options)
            said = [
                refusal for refusal in report.refusals if refusal.line < 1 or not refusal.reason.isprintable()
            ]
        except DataImportError as error:
            refused = error.message
        if refused:
            assert name in refused
            assert refused.isprintable()
            assert self.held() == before
            return False
        assert said == []
        with self.engine.connect() as connection:
            assert verify_market(connection).damages == ()
        return True


@pytest.fixture(scope="module")
def importing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Importing]:
    importing = Importing(tmp_path_factory.mktemp("fuzzed"))
    yield importing
    importing.engine.dispose()


def test_every_file_that_is_damaged_below_is_imported_when_whole(tmp_path: Path) -> None:
    importing = Importing(tmp_path)
    for name, content in FILES.items():
        said = any(importing.offer(name, content, options) for options in OPTIONS)
        assert said, name
    importing.engine.dispose()


def test_file_that_crashes_the_decoder_is_refused(importing: Importing) -> None:
    name = "BTC_USDT_USDT-1h-mark.feather"
    content = bytearray(FILES[name])
    content[383] = 180
    assert not importing.offer(name, bytes(content), OPTIONS[1])


@given(content=st.binary(max_size=300), name=st.sampled_from([*FILES]), options=st.sampled_from(OPTIONS))
@example(content=b"\x1f\x8b", name="export.csv", options=OPTIONS[0])
@example(content=b"PK\x03\x04", name="export.csv", options=OPTIONS[0])
@fuzzed
def test_arbitrary_bytes_are_imported_or_refused(
    importing: Importing, content: bytes, name: str, options: ImportOptions
) -> None:
    importing.offer(name, content, options)


@st.composite
def damaged(draw: st.DrawFn) -> tuple[str, bytes]:
    name = draw(st.sampled_from([*FILES]))
    content = bytearray(FILES[name])
    for _ in range(draw(st.integers(1, 4))):
        at, end = sorted(draw(st.integers(0, len(content))) for _ in range(2))
        kind = draw(st.sampled_from(("write", "insert", "cut", "repeat")))
        if kind == "write":
            content[at : at + 4] = draw(st.binary(min_size=1, max_size=4))
        elif kind == "insert":
            content[at:at] = draw(st.one_of(st.binary(max_size=9), st.sampled_from(TRICKS)))
        elif kind == "cut":
            del content[at:end]
        else:
            content[at:at] = content[at:end] * draw(st.integers(1, 5))
    return name, bytes(content)


TRICKS = (
    b"\r",
    b"0001-01-01T00:00+14:00",
    b'"',
    b"\x00",
    b"nan",
    b"-inf",
    b"1e999",
    b",",
    b"\n",
    b"\xff\xfe",
    b"=cmd()",
    b"\x1b[2J",
    b"9" * 400,
)


@given(file=damaged(), options=st.sampled_from(OPTIONS))
@fuzzed
def test_damaged_files_of_every_format_are_imported_or_refused(
    importing: Importing, file: tuple[str, bytes], options: ImportOptions
) -> None:
    importing.offer(*file, options)


VALUES = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(),
        st.text(max_size=9),
        st.sampled_from(["BTCUSDT", "1h", "NaN", 10**400, 1e-300, DAY, -1]),
    ),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)


@st.composite
def altered(draw: st.DrawFn) -> tuple[str, bytes]:
    """Draw a document of which some values, anywhere in it, are something else."""
    name = draw(st.sampled_from([*DOCUMENTS]))
    document = json.loads(FILES[name])
    for _ in range(draw(st.integers(1, 3))):
        place = document
        while True:
            keys = list(place) if isinstance(place, dict) else list(range(len(place)))
            key = draw(st.sampled_from(keys))
            if not isinstance(place[key], dict | list) or not place[key] or draw(st.integers(0, 3)) == 0:
                break
            place = place[key]
        if isinstance(place, dict) and draw(st.booleans()):
            del place[key]
        else:
            place[key] = draw(VALUES)
        if not document:
            break
    return name, json.dumps(document).encode()


@given(file=altered(), options=st.sampled_from(OPTIONS))
@fuzzed
def test_documents_with_odd_values_are_imported_or_refused(
    importing: Importing, file: tuple[str, bytes], options: ImportOptions
) -> None:
    importing.offer(*file, options)
