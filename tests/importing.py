"""Files of markets that are imported or refused, and settlements of several markets with their mapping."""

import json
from pathlib import Path
from typing import Any

import pytest

from bot.errors import DataImportError
from bot.market_store.import_reports import FileReport
from bot.market_store.importers.import_options import ImportOptions
from bot.market_store.importing import import_file
from bot.market_store.store import HistoricalDataStore
from bot.timestamps import parse_time_ms

HOUR = 3_600_000
DAY = parse_time_ms("2024-01-01")
OKX_HEADER = "instrument_name,funding_rate,funding_time"
OKX_MAPPING = json.dumps(
    {
        "header": OKX_HEADER,
        "kind": "funding",
        "columns": {"time": "funding_time", "symbol": "instrument_name", "rate": "funding_rate"},
    }
)
OKX_BULK = f"{OKX_HEADER}\n" + "".join(
    f"{market},0.000{rate},{DAY + n * 8 * HOUR}\n"
    for n in range(3)
    for rate, market in enumerate(("BTC-USDT-SWAP", "ETH-USDT-SWAP", "BTC-USD-SWAP"), start=1)
)


def imported(
    store: HistoricalDataStore, folder: Path, content: Any, name: str = "answer.json", **said: Any
) -> FileReport:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return import_file(store, path, "test", None, ImportOptions.parse(**said))


def refusal(
    store: HistoricalDataStore, folder: Path, content: Any, name: str = "answer.json", **said: Any
) -> str:
    with pytest.raises(DataImportError) as error:
        imported(store, folder, content, name, **said)
    assert store.exchanges() == []
    return error.value.message
