"""Names of series in a feed of several exchanges."""

from bot.hedges.markets import LegMarket
from bot.market.hedge_data import PairKey
from bot.market.hedge_names import Market


def series_name(key: PairKey) -> str:
    """Return the name of the series of a pair: `BTC/USDT:USDT@binance`."""
    exchange, symbol = key
    return f"{symbol}@{exchange}"


def pair_key(name: str) -> PairKey:
    """Return the pair of a name that `series_name` gave."""
    symbol, _, exchange = name.rpartition("@")
    return exchange, symbol


def series_of(leg: LegMarket) -> str:
    """Return the name of the series of a leg."""
    market = Market(leg.exchange, leg.symbol)
    return series_name((market.exchange, market.pair))
