"""Names of markets: unified symbols, the coin behind a multiplier's name, and the kind of a market."""

import re
from collections.abc import Sequence
from typing import Literal, NamedTuple

from bot.errors import InvalidInputError
from bot.notation import quoted

MarketKind = Literal["spot", "linear", "inverse"]

DOLLARS = frozenset({"USD", "USDT", "USDC", "FDUSD"})
"""Quotes that count at par."""

_MULTIPLIER_PREFIX = re.compile(r"(?P<units>10{3,6}|1M)(?P<base>[A-Z][A-Z0-9]*)\Z")
_MULTIPLIER_SUFFIX = re.compile(r"(?P<base>[A-Z]+)(?P<units>10{3,6})\Z")
_THOUSANDS = frozenset({"BONK", "DOGS", "FLOKI", "LUNC", "NEIRO", "PEPE", "SHIB"})
"""The coins that Hyperliquid counts in thousands: `kPEPE`, which ccxt writes `KPEPE`."""

_EXCHANGE = re.compile(r"[a-z0-9][a-z0-9_.-]{0,63}\Z")
_SYMBOL = re.compile(r"(?P<base>[^/:@<>]+)/(?P<quote>[^/:@<>]+)(?::(?P<settle>[^/:@<>]+))?\Z")
_QUOTE = re.compile(r"[^/]*/([^:@]+)")
"""Quote currency in the name of a market, with an exchange or without."""


class Market(NamedTuple):
    """Market of an exchange under its unified symbol: `BTC/USDT`, `BTC/USDT:USDT`, `BTC/USD:BTC`."""

    exchange: str
    symbol: str

    @property
    def kind(self) -> MarketKind:
        """Return `spot`, or the kind of a perpetual: `linear` settles in its quote, `inverse` in coins."""
        if ":" not in self.symbol:
            return "spot"
        return "inverse" if self.symbol.endswith(f":{self.base}") else "linear"

    @property
    def base(self) -> str:
        """Return the base as the exchange names it: `1000PEPE`."""
        return self.symbol.partition("/")[0]

    @property
    def quote(self) -> str:
        """Return the currency of its prices."""
        return spot_symbol(self.symbol).partition("/")[2]

    @property
    def coin(self) -> str:
        """Return the coin itself: `PEPE` of `1000PEPE`."""
        found = multiplied(self.symbol)
        return self.base if found is None else found[1].partition("/")[0]

    @property
    def named_units(self) -> int:
        """Return the coins in one unit that its name says: 1000 of `1000PEPE`, else 1."""
        found = multiplied(self.symbol)
        return 1 if found is None else int(10 ** found[0])

    @property
    def pair(self) -> str:
        """Return the perp symbol that its rows are stored under: of spot, that of the linear perpetual."""
        return f"{self.symbol}:{self.quote}" if self.kind == "spot" else self.symbol


def market_of(exchange: str, symbol: str) -> Market:
    """Return the market of a unified symbol.

    Raises: InvalidInputError naming `symbols` for one that is no spot market and no perpetual.
    """
    found = _SYMBOL.match(symbol)
    if not found:
        raise InvalidInputError.of(
            "symbols", f"{quoted(symbol)} is no market such as BTC/USDT, BTC/USDT:USDT or BTC/USD:BTC"
        )
    base, quote, settle = found["base"], found["quote"], found["settle"]
    if settle not in {None, quote, base} and not {quote, settle} <= DOLLARS:
        raise InvalidInputError.of(
            "symbols", f"{quoted(symbol)} is no perpetual: it is settled neither in {quote} nor in {base}"
        )
    return Market(exchange, symbol)


def market_order(perp: str) -> tuple[bool, bool, str]:
    """Return the place of a perp symbol in lists: those in USDT first, inverse ones last, then by name."""
    return Market("", perp).kind == "inverse", not perp.endswith(":USDT"), perp


def is_exchange_name(text: str) -> bool:
    """Return whether a text can name an exchange: a-z, 0-9, dot, dash."""
    return _EXCHANGE.match(text) is not None


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


def quote_of(symbols: Sequence[str]) -> str:
    """Return the quote currency that `symbols` share, else `quote`; different dollars are `USD`."""
    markets = [market for symbol in symbols for market in re.split("<>|>", symbol)]
    units = {found[1] for found in map(_QUOTE.match, markets) if found}
    if len(units) > 1 and units <= DOLLARS:
        return "USD"
    return units.pop() if len(units) == 1 else "quote"
