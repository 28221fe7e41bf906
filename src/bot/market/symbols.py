"""Names of markets: the unified symbols, what exchanges' own names mean, and multiplier contracts."""

import re

from bot.errors import DataImportError, InvalidInputError
from bot.market.contracts import ContractKind, Venue, contract_of, split_quote
from bot.market_names import is_exchange_name, multiplied, spot_symbol
from bot.notation import quoted

__all__ = [
    "SECOND_SYNTHETIC_EXCHANGE",
    "SYNTHETIC_EXCHANGE",
    "SYNTHETIC_EXCHANGES",
    "exchange_name",
    "inverse_symbol",
    "is_generated",
    "market_symbol",
    "multiplied",
    "perp_symbol",
    "spot_symbol",
]

SYNTHETIC_EXCHANGE = "synthetic"
"""The data set that is generated, and never anything else."""

SECOND_SYNTHETIC_EXCHANGE = "synthetic-2"
"""Another generated one, for hedges of two exchanges."""

SYNTHETIC_EXCHANGES = (SYNTHETIC_EXCHANGE, SECOND_SYNTHETIC_EXCHANGE)

_INVERSE_STEM = re.compile(r"(?P<base>[A-Z0-9]{1,40})USD_PERP\Z")


def perp_symbol(market: str) -> str:
    """Return the perp symbol of an exchange's market name: `BTCUSDT` is `BTC/USDT:USDT`.

    Raises: DataImportError if the name ends in no known quote currency.
    """
    parts = split_quote(market)
    if parts is None:
        raise DataImportError(f"{quoted(market)} is no market name such as BTCUSDT or ETHUSDC")
    return f"{parts[0]}/{parts[1]}:{parts[1]}"


def market_symbol(name: str) -> str:
    """Return the perp symbol of the market that a user names: BTCUSDT, BTC-USDT-SWAP, BTC/USDT:USDT.

    An inverse one is named as `inverse_symbol` reads it.
    Raises: UnmodelledContractError for another kind of contract; DataImportError if it is no such name.
    """
    return inverse_symbol(name) or contract_of(name, Venue.DECLARED).symbol()


def inverse_symbol(name: str) -> str | None:
    """Return the perp symbol of an inverse market: `BTCUSD_PERP`, as its files are named, is `BTC/USD:BTC`.

    None for all else, other spellings included: files of those names may count contracts, not coins.
    """
    # Told by its ending before quotes are: BNBUSD_PERP is not BN against BUSD.
    stem = _INVERSE_STEM.match(name.upper())
    if stem is not None:
        return f"{stem['base']}/USD:{stem['base']}"
    contract = contract_of(name, Venue.DECLARED)
    symbol = f"{contract.base}/USD:{contract.base}"
    return symbol if contract.kind is ContractKind.INVERSE and name.upper() == symbol else None


def is_generated(exchange: str | None) -> bool:
    """Return whether the rows of a data set are generated, not recorded."""
    return exchange in SYNTHETIC_EXCHANGES


def exchange_name(value: str) -> str:
    """Return `value` if it can name a data set.

    Raises: InvalidInputError, also for the name kept for generated data.
    """
    if not is_exchange_name(value):
        raise InvalidInputError.of(
            "exchange", f"{quoted(value)} is no name such as binance (a-z, 0-9, dot, dash)"
        )
    if is_generated(value):
        raise InvalidInputError.of("exchange", f"{quoted(value)} is kept for generated data")
    return value
