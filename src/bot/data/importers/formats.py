"""The formats that are known, in the order in which they are tried."""

from collections.abc import Callable
from dataclasses import dataclass

from bot.data.importers import (
    binance_json,
    binance_vision,
    binance_web_export,
    bybit_json,
    canonical_csv,
    ccxt_json,
    dydx_json,
    freqtrade,
    hyperliquid_json,
    mapped_csv,
    okx_json,
)
from bot.data.importers.hints import Hints
from bot.data.importers.parsing import Parsed
from bot.data.importers.source import Source
from bot.errors import DataImportError


@dataclass(frozen=True, slots=True)
class Format:
    """A vendor's format: how to tell it, and how to read it."""

    name: str
    recognise: Callable[[Source, Hints], bool]
    parse: Callable[[Source, Hints], Parsed]


FORMATS = (
    Format("mapped CSV", mapped_csv.recognise, mapped_csv.parse),
    Format("canonical CSV", canonical_csv.recognise, canonical_csv.parse),
    Format("Binance Vision", binance_vision.recognise, binance_vision.parse),
    Format("Binance website export", binance_web_export.recognise, binance_web_export.parse),
    Format("freqtrade", freqtrade.recognise, freqtrade.parse),
    Format("Binance REST", binance_json.recognise, binance_json.parse),
    Format("Bybit REST", bybit_json.recognise, bybit_json.parse),
    Format("OKX REST", okx_json.recognise, okx_json.parse),
    Format("Hyperliquid REST", hyperliquid_json.recognise, hyperliquid_json.parse),
    Format("dYdX REST", dydx_json.recognise, dydx_json.parse),
    Format("ccxt dump", ccxt_json.recognise, ccxt_json.parse),
)


def recognised(source: Source, hints: Hints) -> Format:
    """Return the format of a file, told by its content; raises DataImportError if it is none of them."""
    for one in FORMATS:
        if one.recognise(source, hints):
            return one
    known = ", ".join(one.name for one in FORMATS)
    raise DataImportError(
        f"{source.name} is no market data: {_seen(source)} fits none of the known formats ({known}); "
        "a mapping file (--mapping) can describe another CSV"
    )


def _seen(source: Source) -> str:
    line = source.first_line
    if not line or not line.isprintable():
        return "its beginning"
    return f"its first line {line[:60]!r}"
