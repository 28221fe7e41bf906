"""The data of hedges straight from files as the product imports them, without a database."""

import hashlib
import json
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

import builders

from bot.market.hedge_data import HedgeData, PairKey
from bot.market.records.kinds import RECORD_TYPES, RecordKind
from bot.market.records.recorded import RecordedRows
from bot.market.rules import TIMEFRAMES_MS
from bot.market.series import CandleSeries, HeldRange, SymbolData
from bot.market.symbols import perp_symbol
from bot.models import HOUR_MS, Instrument
from bot.timestamps import parse_time_ms

_PLACE = re.compile(
    r"(?P<exchange>[a-z0-9_.-]+)/(?:(?P<stem>[A-Z0-9_]+)-)?(?P<kind>[a-z]+)(?:-(?P<timeframe>\w+))?\.(?:csv|json)"
)
_INVERSE = "_PERP"


def hedge_data(files: Mapping[str, str], config: Mapping[str, Any]) -> HedgeData:
    """Return the data in `files`, by names such as `alpha/AAAUSDT-perp-1h.csv`, cut at the end of `config`.

    Of `config` only `exchange` and `end` are read. Trading rules are the defaults.
    """
    end_ms = parse_time_ms(config["end"])
    exchanges: dict[str, RecordedRows] = {}
    held: dict[PairKey, dict[str, tuple[str, str]]] = defaultdict(dict)
    for name, text in files.items():
        place = _PLACE.fullmatch(name)
        assert place is not None, f"{name} is no name of a file such as alpha/AAAUSDT-perp-1h.csv"
        if place["stem"] is None:
            exchanges[place["exchange"]] = _recorded({place["kind"]: text}, end_ms)
        else:
            pair = held[place["exchange"], symbol_of_stem(place["stem"])]
            assert place["kind"] not in pair, f"{name} is the second file of its kind"
            pair[place["kind"]] = place["timeframe"] or "1h", text
    pairs = {key: _symbol_data(key[1], found, end_ms) for key, found in held.items()}
    digest = hashlib.sha256(json.dumps([sorted(files.items()), end_ms]).encode()).hexdigest()
    return HedgeData(config["exchange"], end_ms, pairs, exchanges, digest)


def symbol_of_stem(stem: str) -> str:
    """Return the perp symbol of a file's stem: of `BTCUSD_PERP` it is `BTC/USD:BTC`."""
    if stem.endswith(_INVERSE):
        base = stem.removesuffix(f"USD{_INVERSE}")
        return f"{base}/USD:{base}"
    return perp_symbol(stem)


def _symbol_data(symbol: str, found: Mapping[str, tuple[str, str]], end_ms: int) -> SymbolData:
    legs = {leg: _candles(*found[leg], end_ms) for leg in ("spot", "perp", "mark") if leg in found}
    funding = _rows(found["funding"][1]) if "funding" in found else []
    times = {
        kind: [int(row[0]) for row in _rows(found[kind][1])] for kind in (*legs, "funding") if kind in found
    }
    empty = builders.candle_series([], HOUR_MS, end_ms)
    return SymbolData(
        symbol=symbol,
        instrument=Instrument(),
        funding=builders.funding_series(
            [(int(t), rate, int(hours), mark) for t, rate, hours, mark in funding], end_ms
        ),
        spot=legs.get("spot", empty),
        perp=legs.get("perp", empty),
        mark=legs.get("mark"),
        fingerprint=hashlib.sha256(json.dumps([symbol, found]).encode()).hexdigest(),
        synthetic=False,
        held=tuple(HeldRange(kind, min(known), max(known)) for kind, known in times.items() if known),
        recorded=_recorded({kind: text for kind, (_, text) in found.items()}, end_ms),
    )


def _candles(timeframe: str, text: str, end_ms: int) -> CandleSeries:
    rows = [(int(opened), *values) for opened, *values in _rows(text)]
    return builders.candle_series(rows, TIMEFRAMES_MS[timeframe], end_ms)


def _recorded(texts: Mapping[str, str], end_ms: int) -> RecordedRows:
    """Return the rows that begin by `end_ms` of each kind beside candles and funding."""
    rows: dict[RecordKind, tuple[Any, ...]] = {}
    for kind in RecordKind:
        if kind.value in texts:
            record_type = RECORD_TYPES[kind]
            parsed = [record_type.parse(values) for values in _values(kind, texts[kind.value])]
            record_type.check_all(parsed)
            rows[kind] = tuple(row for row in parsed if row.from_ms <= end_ms)
    return RecordedRows({kind: visible for kind, visible in rows.items() if visible})


def _values(kind: RecordKind, text: str) -> Iterable[object]:
    record_type = RECORD_TYPES[kind]
    if record_type.csv:
        return [dict(zip(record_type.fields, row, strict=True)) for row in _rows(text)]
    document = json.loads(text, parse_int=str, parse_float=str)
    return document if record_type.rows_under is None else document[record_type.rows_under]


def _rows(text: str) -> list[list[str]]:
    """Return the fields of the lines after the header."""
    return [line.split(",") for line in text.splitlines()[1:]]
