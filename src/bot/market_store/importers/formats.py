"""The formats that are known, in the order in which they are tried."""

import codecs
from collections.abc import Callable
from dataclasses import dataclass

from bot.errors import DataImportError, NoMarketDataError
from bot.market_store.importers import (
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
    predicted_rates,
    recorded_rows,
)
from bot.market_store.importers.files.source import Source
from bot.market_store.importers.import_options import ImportOptions
from bot.market_store.importers.markets import Recorded
from bot.notation import quoted


@dataclass(frozen=True, slots=True)
class Format:
    """A vendor's format: how to tell it, and how to read it; `exchange` is the only one that writes it."""

    name: str
    recognise: Callable[[Source, ImportOptions], bool]
    parse: Callable[[Source, ImportOptions], Recorded]
    exchange: str | None = None


FORMATS = (
    Format("mapped CSV", mapped_csv.recognise, mapped_csv.parse),
    Format("recorded rows", recorded_rows.recognise, recorded_rows.parse),
    Format("canonical CSV", canonical_csv.recognise, canonical_csv.parse),
    Format("Binance Vision", binance_vision.recognise, binance_vision.parse),
    Format("Binance website export", binance_web_export.recognise, binance_web_export.parse, "binance"),
    Format("freqtrade", freqtrade.recognise, freqtrade.parse),
    Format("predicted rates", predicted_rates.recognise, predicted_rates.parse),
    Format("Binance REST", binance_json.recognise, binance_json.parse, "binance"),
    Format("Bybit REST", bybit_json.recognise, bybit_json.parse, "bybit"),
    Format("OKX REST", okx_json.recognise, okx_json.parse, "okx"),
    Format("Hyperliquid REST", hyperliquid_json.recognise, hyperliquid_json.parse, "hyperliquid"),
    Format("dYdX REST", dydx_json.recognise, dydx_json.parse, "dydx"),
    Format("ccxt dump", ccxt_json.recognise, ccxt_json.parse),
)
_EXCHANGES = frozenset(one.exchange for one in FORMATS if one.exchange)


def check_exchange(known: Format, exchange: str) -> None:
    """Raise DataImportError if a file is of another exchange than the one that it is imported for.

    Data sets of names of one's own take anything.
    """
    if known.exchange and exchange in _EXCHANGES and exchange != known.exchange:
        raise DataImportError(f"holds data of {known.exchange} ({known.name}), --exchange says {exchange}")


def recognised(source: Source, options: ImportOptions) -> Format:
    """Return the format of a file, told by its content; raises NoMarketDataError if it is none of them."""
    for one in FORMATS:
        if one.recognise(source, options):
            return one
    if unreadable := _unreadable(source.head):
        raise NoMarketDataError(f"{source.name} is no market data: {unreadable}")
    known = ", ".join(one.name for one in FORMATS if one.parse is not predicted_rates.parse)
    advice = "a mapping file (--mapping) can describe another CSV"
    if options.mappings:
        advice = "and none of its first lines, in a file of its name, is the header of a mapping given"
    raise NoMarketDataError(
        f"{source.name} is no market data: {_seen(source)} fits none of the known formats ({known}); {advice}"
    )


def _unreadable(head: bytes) -> str:
    """Return the reason why the beginning of a file tells nothing, empty if it can be read."""
    if not head:
        return "it is empty"
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or _every_other_is_zero(head):
        return "it is text in UTF-16; save it as UTF-8"
    if not head.strip(b"\xef\xbb\xbf \t\r\n"):
        return "it begins with blank lines only"
    if b"\r" in head and b"\n" not in head:
        return "its lines end with CR alone; save it with line ends of LF or CRLF"
    return ""


def _every_other_is_zero(head: bytes) -> bool:
    return len(head) > 1 and any(set(head[start::2]) == {0} for start in (0, 1)) and set(head) != {0}


def _seen(source: Source) -> str:
    line = source.first_line
    if not line or not line.isprintable():
        return "its beginning"
    return f"its first line {quoted(line[:60])}"
