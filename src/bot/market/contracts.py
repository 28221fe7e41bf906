"""Contracts behind markets' names: linear perpetuals, and those that nothing here models."""

import re
from dataclasses import dataclass
from enum import StrEnum

from bot.errors import DataImportError, UndecidedContractError, UnmodelledContractError
from bot.notation import quoted

QUOTES = (
    *("FDUSD", "USDT", "USDC", "BUSD", "TUSD", "USDE"),
    *("USD", "EUR", "GBP", "JPY", "TRY", "BRL", "AUD", "DAI", "BTC", "ETH", "BNB"),
)
_ENDING_IN_T = frozenset({"ANT", "APT", "BAT", "BNT", "DOT", "GMT", "GRT", "HNT", "QNT", "XBT"})
"""Coins whose pairs with USD would else be read as pairs of another coin with TUSD: DOTUSD."""
_DOLLARS = frozenset({"FDUSD", "USDT", "USDC", "BUSD", "TUSD", "USDE", "USD", "DAI"})
LONGEST_NAME = 64
"""Characters of a market's name; longer ones are no names, and take the patterns below too long."""
_MONTHS = "JAN|FEB|MAR|APR|MAY|JUN|JUL|AUG|SEP|OCT|NOV|DEC"
_COIN = r"k?[A-Z0-9]{1,40}"

_OPTION = re.compile(r".+[-_]\d+(?:[D.]\d+)?-[CP](?:-[A-Z]{2,5})?\Z")
_DATED = (
    re.compile(r".*[A-Z][-_](?:\d{4}|\d{6}|\d{8})\Z"),
    re.compile(rf".*[A-Z][-_]?\d{{1,2}}(?:{_MONTHS})\d\d\Z"),
    re.compile(r".+[-_](?:[CN][WQ]|BQ|(?:CURRENT|NEXT)_(?:WEEK|MONTH|QUARTER)|QUARTER(?:LY)?|FUTURES?)\Z"),
    re.compile(r".+USD[TC]?[FGHJKMNQUVXZ]\d\d\Z"),
    # Names without a quote: HTX's BTC240927, BitMEX's XBTH24.
    re.compile(r"(?:[A-Z]{2,10}\d{6}|[A-Z]{3,5}[HMUZ]\d\d)\Z"),
)
_KRAKEN = re.compile(rf"(?P<type>P[FI])_(?P<base>{_COIN}?)(?P<quote>USD|EUR|GBP|USDT|USDC)\Z")
_SETTLED = re.compile(
    rf"(?P<base>{_COIN})[-_/](?P<quote>[A-Z0-9]{{2,10}})[-_:](?P<settle>[A-Z0-9]{{2,10}})\Z"
)
_PAIR = re.compile(rf"(?P<base>{_COIN})[-_/](?P<quote>[A-Z0-9]{{2,10}})(?P<linear>_UM)?\Z")
_JOINED = re.compile(r"k?[A-Z0-9]{2,40}\Z")
_PERPETUAL = re.compile(
    r"(?P<rest>.+?)(?:(?P<sign>[-_])(?P<word>PERP-INTX|PERPETUAL|PERP|SWAP|UMCBL|DMCBL|CMCBL)|\.(?P<dot>P)"
    r"|(?P<end>PERP))\Z"
)
_KUCOIN = re.compile(rf"(?P<base>{_COIN}?)(?P<quote>USDT|USDC|USD)M\Z")


class Venue(StrEnum):
    """Origin of a name, as far as it tells contracts apart that are quoted in US dollars.

    `DECLARED` names are a user's own words for the linear market: an option, or the canonical files.
    """

    BINANCE = "binance"
    BYBIT = "bybit"
    OKX = "okx"
    HYPERLIQUID = "hyperliquid"
    DYDX = "dydx"
    DECLARED = "declared"
    UNKNOWN = "unknown"


class ContractKind(StrEnum):
    """Kind of a market; `LINEAR` are perpetuals settled in their quote, and their spot pairs."""

    LINEAR = "linear"
    INVERSE = "inverse"
    QUANTO = "quanto"
    DATED = "dated"
    OPTION = "option"
    UNDECIDED = "undecided"
    UNKNOWN = "unknown"


COIN_MARGINED = "coin-margined contracts are read from canonical files only"
"""Refusal of all other files, whose volumes may count contracts."""

_NOT_MODELLED = {
    ContractKind.INVERSE: COIN_MARGINED,
    ContractKind.QUANTO: "contracts settled in a third currency are not modelled",
    ContractKind.DATED: "dated futures are not modelled",
    ContractKind.OPTION: "options are not modelled",
}


@dataclass(frozen=True, slots=True)
class Contract:
    """A market's kind, base and quote, both empty where its name does not say them; `name` can be shown."""

    name: str
    kind: ContractKind
    base: str = ""
    quote: str = ""

    @property
    def refusal(self) -> str | None:
        """Return the reason to refuse the market whatever else is known about it, None if there is none."""
        refusal = _NOT_MODELLED.get(self.kind)
        return None if refusal is None else f"{refusal}: {quoted(self.name)}"

    def symbol(self) -> str:
        """Return the perp symbol.

        Raises: UnmodelledContractError; UndecidedContractError where the name leaves quote or settlement
        open; DataImportError if it is no market name.
        """
        if self.kind is ContractKind.LINEAR:
            return f"{self.base}/{self.quote}:{self.quote}"
        if self.kind is ContractKind.UNKNOWN:
            raise DataImportError(f"{quoted(self.name)} is no market name such as BTCUSDT or ETHUSDC")
        if self.refusal is not None:
            raise UnmodelledContractError(self.refusal)
        if self.quote:
            linear = f"{self.base}/{self.quote}:{self.quote}"
            raise UndecidedContractError(
                f"{quoted(self.name)} does not say whether it is coin-margined; "
                f"if it is linear, say --symbol {linear}"
            )
        raise UndecidedContractError(
            f"{quoted(self.name)} does not say what it is quoted in; "
            f"say it with --symbol {self.base}/USDC:USDC"
        )

    def may_be(self, symbol: str) -> bool:
        """Say whether a contract whose name leaves something open can be the one of a perp symbol."""
        base, _, rest = symbol.partition("/")
        return self.base == base and self.quote in {"", rest.partition(":")[0]}


def contract_of(name: str, venue: Venue = Venue.UNKNOWN) -> Contract:
    """Return the contract behind a venue's name for a market, however it is written.

    Kinds are told by the name alone, except that of contracts quoted in US dollars without their settlement:
    on Binance and Bybit they are coin-margined, on dYdX linear, and undecided where the venue is unknown.
    """
    if len(name) > LONGEST_NAME or not name.isprintable():
        return Contract(ascii(name[:LONGEST_NAME])[1:-1], ContractKind.UNKNOWN)
    text = _upper(name)
    if _OPTION.match(text):
        return Contract(name, ContractKind.OPTION)
    if any(dated.match(text) for dated in _DATED):
        return Contract(name, ContractKind.DATED)
    return (
        _kraken(name, text)
        or _perpetual(name, text, venue)
        or _settled(name, text)
        or _pair(name, text, venue)
        or _joined(name, text, venue)
        or Contract(name, ContractKind.UNKNOWN)
    )


def split_quote(market: str) -> tuple[str, str] | None:
    """Return base and quote of a name without separator such as BTCUSDT, None if no known quote ends it."""
    if _JOINED.match(market):
        for quote in QUOTES:
            base = market.removesuffix(quote)
            if base not in {market, "", "k"} and not (quote == "TUSD" and f"{base}T" in _ENDING_IN_T):
                return base, quote
    return None


def _kraken(name: str, text: str) -> Contract | None:
    found = _KRAKEN.match(text)
    if not found:
        return None
    kind = ContractKind.LINEAR if found["type"] == "PF" else ContractKind.INVERSE
    return Contract(name, kind, _bitcoin(found["base"]), found["quote"])


def _settled(name: str, text: str) -> Contract | None:
    found = _SETTLED.match(text)
    if not found:
        return None
    base, quote, settle = found["base"], found["quote"], found["settle"]
    if settle == quote or {settle, quote} <= _DOLLARS:
        return Contract(name, ContractKind.LINEAR, base, quote)
    if settle == base:
        return Contract(name, ContractKind.INVERSE, base, quote)
    return Contract(name, ContractKind.QUANTO, base, quote) if settle in QUOTES else None


def _perpetual(name: str, text: str, venue: Venue) -> Contract | None:
    found = _PERPETUAL.match(text)
    if not found:
        return _kucoin(name, text)
    word = found["word"] or found["dot"] or found["end"]
    pair, joined = _PAIR.match(found["rest"]), split_quote(found["rest"])
    base, quote = (pair["base"], pair["quote"]) if pair else joined or (found["rest"], "")
    if not re.fullmatch(_COIN, base) or (pair and found["end"]):
        return None
    if not quote:
        return _without_quote(name, base, word, venue, joined=bool(found["end"]))
    if pair and pair["linear"]:
        return Contract(name, ContractKind.LINEAR, base, quote)
    # OKX's BTC-USD-SWAP, Binance's BTCUSD_PERP and Bitget's BTCUSD_DMCBL are settled in coins.
    dapi = word == "PERP" and found["sign"] == "_" and not pair
    if quote == "USD" and (word in {"SWAP", "DMCBL"} or dapi):
        return Contract(name, ContractKind.INVERSE, base, quote)
    return _quoted(name, base, quote, venue)


def _kucoin(name: str, text: str) -> Contract | None:
    found = _KUCOIN.match(text)
    if not found:
        return None
    kind = ContractKind.INVERSE if found["quote"] == "USD" else ContractKind.LINEAR
    return Contract(name, kind, _bitcoin(found["base"]), found["quote"])


def _without_quote(name: str, base: str, word: str, venue: Venue, *, joined: bool) -> Contract:
    if word == "PERPETUAL":
        # Deribit writes the currency of its linear ones: BTC_USDC-PERPETUAL.
        return Contract(name, ContractKind.INVERSE, base, "USD")
    if word == "CMCBL":
        return Contract(name, ContractKind.LINEAR, base.removesuffix("PERP"), "USDC")
    if word == "PERP-INTX" or (venue is Venue.BYBIT and joined):
        return Contract(name, ContractKind.LINEAR, base, "USDC")
    return Contract(name, ContractKind.UNDECIDED, base)


def _pair(name: str, text: str, venue: Venue) -> Contract | None:
    found = _PAIR.match(text)
    if not found:
        return None
    base, quote = found["base"], found["quote"]
    if quote not in QUOTES and split_quote(base):
        return None
    if found["linear"]:
        return Contract(name, ContractKind.LINEAR, base, quote)
    return _quoted(name, base, quote, venue)


def _joined(name: str, text: str, venue: Venue) -> Contract | None:
    parts = split_quote(text)
    return _quoted(name, *parts, venue) if parts else None


def _quoted(name: str, base: str, quote: str, venue: Venue) -> Contract:
    if quote != "USD" or venue in {Venue.DECLARED, Venue.DYDX, Venue.HYPERLIQUID}:
        return Contract(name, ContractKind.LINEAR, base, quote)
    inverse = venue in {Venue.BINANCE, Venue.BYBIT}
    return Contract(name, ContractKind.INVERSE if inverse else ContractKind.UNDECIDED, base, quote)


def _bitcoin(coin: str) -> str:
    return "BTC" if coin == "XBT" else coin


def _upper(name: str) -> str:
    # The k of kPEPE is the exchange's own way to write thousands; all else is upper case.
    own = re.match(r"k[A-Z0-9]+(?![a-zA-Z0-9])", name)
    return f"k{name[1:].upper()}" if own else name.upper()
