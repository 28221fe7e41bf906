"""Names of markets: the unified symbols, what exchanges' own names mean, and multiplier contracts."""

import re

from bot.errors import DataImportError, InvalidInputError
from bot.market.contracts import Venue, contract_of, split_quote

SYNTHETIC_EXCHANGE = "synthetic"
"""The one data set that is generated, and never anything else."""

_EXCHANGE = re.compile(r"[a-z0-9][a-z0-9_.-]{0,63}\Z")

_MULTIPLIER_PREFIX = re.compile(r"(?P<units>10{3,6}|1M)(?P<base>[A-Z][A-Z0-9]*)\Z")
_MULTIPLIER_SUFFIX = re.compile(r"(?P<base>[A-Z]+)(?P<units>10{3,6})\Z")
_THOUSANDS = frozenset({"BONK", "DOGS", "FLOKI", "LUNC", "NEIRO", "PEPE", "SHIB"})
"""The coins that Hyperliquid counts in thousands: `kPEPE`, which ccxt writes `KPEPE`."""


def perp_symbol(market: str) -> str:
    """Return the perp symbol of an exchange's market name: `BTCUSDT` is `BTC/USDT:USDT`.

    Raises: DataImportError if the name ends in no known quote currency.
    """
    parts = split_quote(market)
    if parts is None:
        raise DataImportError(f"{market!r} is no market name such as BTCUSDT or ETHUSDC")
    return f"{parts[0]}/{parts[1]}:{parts[1]}"


def market_symbol(name: str) -> str:
    """Return the perp symbol of the linear market that a user names: BTCUSDT, BTC-USDT-SWAP, BTC/USDT:USDT.

    Raises: UnmodelledContractError for another kind of contract; DataImportError if it is no such name.
    """
    return contract_of(name, Venue.DECLARED).symbol()


def spot_symbol(perp: str) -> str:
    """Return the spot symbol that hedges a perp: `BTC/USDT:USDT` is hedged by `BTC/USDT`."""
    return perp.partition(":")[0]


def multiplied(perp: str) -> tuple[int, str] | None:
    """Return the coins in one unit of a multiplier contract, and the perp symbol of the coin itself.

    `1000PEPE/USDT:USDT` is (3, `PEPE/USDT:USDT`): the number of coins is a power of ten. None for others.
    """
    base, slash, quote = perp.partition("/")
    if base[:1] in {"k", "K"} and base[1:] in _THOUSANDS:
        return 3, f"{base[1:]}{slash}{quote}"
    parts = _MULTIPLIER_PREFIX.match(base) or _MULTIPLIER_SUFFIX.match(base)
    if not parts:
        return None
    power = 6 if parts["units"] == "1M" else len(parts["units"]) - 1
    return power, f"{parts['base']}{slash}{quote}"


def exchange_name(value: str) -> str:
    """Return `value` if it can name a data set.

    Raises: InvalidInputError, also for the name kept for generated data.
    """
    if not _EXCHANGE.match(value):
        raise InvalidInputError.of("exchange", f"{value!r} is no name such as binance (a-z, 0-9, dot, dash)")
    if value == SYNTHETIC_EXCHANGE:
        raise InvalidInputError.of("exchange", f"{value!r} is kept for generated data")
    return value
