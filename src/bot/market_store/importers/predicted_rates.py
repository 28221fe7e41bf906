"""Answers with rates of coming settlements: predictions that nobody has paid, so they are refused."""

from collections.abc import Iterable
from typing import Any

from bot.errors import DataImportError
from bot.market_store.importers.files.source import Source
from bot.market_store.importers.import_options import ImportOptions
from bot.market_store.importers.markets import Recorded
from bot.market_store.importers.vendor_json import rows_at

_SHAPES = (
    frozenset({"symbol", "lastFundingRate", "nextFundingTime"}),
    frozenset({"symbol", "fundingRate", "nextFundingTime"}),
    frozenset({"symbol", "fundingRate", "fundingTimestamp"}),
    frozenset({"instId", "fundingRate", "nextFundingTime"}),
    frozenset({"funding", "markPx", "oraclePx"}),
    frozenset({"ticker", "nextFundingRate"}),
)
"""Keys of Binance's premium index, Bybit's tickers, ccxt's current rates, OKX, Hyperliquid and dYdX."""


def recognise(source: Source, _options: ImportOptions) -> bool:
    """Say whether it is a record of a coming settlement, or a list or an object of such records."""
    return any(
        isinstance(record, dict) and any(shape <= record.keys() for shape in _SHAPES)
        for record in _first_records(source.document())
    )


def parse(source: Source, _options: ImportOptions) -> Recorded:
    """Refuse the file: raises DataImportError."""
    raise DataImportError(
        f"{source.name} holds predicted rates of coming settlements, not those that were paid; "
        "import the funding history instead"
    )


def _first_records(document: Any) -> Iterable[Any]:
    yield document
    places = (
        document,
        rows_at(document, "result", "list"),
        rows_at(document, "data"),
        rows_at(document, "markets"),
    )
    for place in places:
        values = list(place.values()) if isinstance(place, dict) else place
        if isinstance(values, list) and values:
            yield values[0]
            # Hyperliquid answers the universe first, then the list of records.
            last = values[-1]
            yield last[0] if isinstance(last, list) and last else last
