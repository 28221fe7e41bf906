"""Names of markets: the unified symbols, and what exchanges' own names mean."""

import re

from bot.errors import DataImportError, InvalidInputError

SYNTHETIC_EXCHANGE = "synthetic"
"""The one data set that is generated, and never anything else."""

_QUOTES = (
    *("FDUSD", "USDT", "USDC", "BUSD", "TUSD", "USDE"),
    *("USD", "EUR", "GBP", "JPY", "TRY", "BRL", "AUD", "DAI", "BTC", "ETH", "BNB"),
)
_MARKET = re.compile(r"[A-Z0-9]{2,40}\Z")
_EXCHANGE = re.compile(r"[a-z0-9][a-z0-9_.-]{0,63}\Z")


def perp_symbol(market: str) -> str:
    """Return the perp symbol of an exchange's market name: `BTCUSDT` is `BTC/USDT:USDT`.

    Raises: DataImportError if the name ends in no known quote currency.
    """
    if _MARKET.match(market):
        for quote in _QUOTES:
            base = market.removesuffix(quote)
            if base not in {market, ""}:
                return f"{base}/{quote}:{quote}"
    raise DataImportError(f"{market!r} is no market name such as BTCUSDT or ETHUSDC")


def spot_symbol(perp: str) -> str:
    """Return the spot symbol that hedges a perp: `BTC/USDT:USDT` is hedged by `BTC/USDT`."""
    return perp.partition(":")[0]


def exchange_name(value: str) -> str:
    """Return `value` if it can name a data set.

    Raises: InvalidInputError, also for the name kept for generated data.
    """
    if not _EXCHANGE.match(value):
        raise InvalidInputError.of("exchange", f"{value!r} is no name such as binance (a-z, 0-9, dot, dash)")
    if value == SYNTHETIC_EXCHANGE:
        raise InvalidInputError.of("exchange", f"{value!r} is kept for generated data")
    return value
