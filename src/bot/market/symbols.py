"""Names of markets: the unified symbols, what exchanges' own names mean, and multiplier contracts."""

from bot.errors import DataImportError, InvalidInputError
from bot.market.contracts import Venue, contract_of, split_quote
from bot.market_names import is_exchange_name, multiplied, spot_symbol

__all__ = [
    "SYNTHETIC_EXCHANGE",
    "exchange_name",
    "market_symbol",
    "multiplied",
    "perp_symbol",
    "spot_symbol",
]

SYNTHETIC_EXCHANGE = "synthetic"
"""The one data set that is generated, and never anything else."""


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


def exchange_name(value: str) -> str:
    """Return `value` if it can name a data set.

    Raises: InvalidInputError, also for the name kept for generated data.
    """
    if not is_exchange_name(value):
        raise InvalidInputError.of("exchange", f"{value!r} is no name such as binance (a-z, 0-9, dot, dash)")
    if value == SYNTHETIC_EXCHANGE:
        raise InvalidInputError.of("exchange", f"{value!r} is kept for generated data")
    return value
