"""Hedges of a run: their names, legs and markets, and the contracts that those had."""

import re
from dataclasses import dataclass
from fractions import Fraction

from tests.reference.hedges.contracts import Contract, Epoch, contracts_of, epochs_of
from tests.reference.hedges.files import BorrowRow, Files
from tests.reference.hedges.parameters import Parameters

SIDES = ("long", "short")
LEG_KINDS = {
    "spot_perp": ("spot", "linear"),
    "reverse": ("linear", "borrowed"),
    "perp_perp": ("linear", "linear"),
    "inverse": ("spot", "inverse"),
}
PERPS = ("linear", "inverse")
QUOTES = ("USD", "USDT", "USDC", "FDUSD")
MULTIPLES = (
    re.compile(r"(?P<count>1000+)(?P<coin>[A-Za-z].*)"),
    re.compile(r"(?P<coin>.*[A-Za-z])(?P<count>1000+)"),
    re.compile(r"(?P<count>1M)(?P<coin>[A-Z].*)"),
    re.compile(r"(?P<count>k)(?P<coin>[A-Z].*)"),
)
COUNTS = {"1M": 1_000_000, "k": 1000}


class Leg:
    """One side of a hedge: a market on an exchange, and what it is traded as."""

    def __init__(self, side: str, kind: str, symbol: str, exchange: str) -> None:
        self.side, self.kind, self.symbol, self.exchange = side, kind, symbol, exchange
        self.is_perp = kind in PERPS
        self.is_margined = kind != "spot"
        self.sign = 1 if side == "long" else -1
        self.coin = symbol.split("/", maxsplit=1)[0]
        self.stem = stem_of(symbol)
        self.market = "perp" if self.is_perp else "spot"
        self.epochs: list[Epoch] = []
        self.contracts: list[Contract] = []
        self.borrow_rows: list[BorrowRow] = []

    @property
    def place(self) -> tuple[str, str]:
        """Exchange and symbol, which tell markets apart."""
        return self.exchange, self.symbol

    def contract_at(self, t: int) -> Contract | None:
        """Return the contract in force at `t`, None between two or after the last."""
        return next((contract for contract in self.contracts if contract.is_in_force(t)), None)

    def borrow_row(self, t: int) -> BorrowRow | None:
        """Return the recorded row of interest in force at `t`."""
        rows = [row for row in self.borrow_rows if row.t <= t]
        return rows[-1] if rows else None


@dataclass(frozen=True)
class Hedge:
    """A long and a short leg of one coin, called by a name."""

    name: str
    long: Leg
    short: Leg
    unit: Fraction

    @property
    def legs(self) -> tuple[Leg, Leg]:
        """Both legs, the long one first."""
        return self.long, self.short

    @property
    def perps(self) -> list[Leg]:
        """The perp legs."""
        return [leg for leg in self.legs if leg.is_perp]

    @property
    def is_inverse(self) -> bool:
        """Tell whether coins are the collateral."""
        return self.short.kind == "inverse"

    def settlements(self) -> set[int]:
        """Return all times at which a perp leg settles."""
        return {
            record.t for leg in self.perps for contract in leg.contracts for record in contract.settlements
        }


def stem_of(symbol: str) -> str:
    """Return the stem of a market's files: `BTCUSDT` for spot and linear, `BTCUSD_PERP` for inverse.

    Raises: ValueError if the symbol has no dollar quote.
    """
    pair, _, settled_in = symbol.partition(":")
    base, _, quote = pair.partition("/")
    if quote not in QUOTES:
        raise ValueError(f"{symbol}: no dollar quote")
    return f"{base}{quote}" + ("_PERP" if settled_in and settled_in != quote else "")


def kind_fits(kind: str, symbol: str) -> bool:
    """Tell whether a market can be a leg of this kind."""
    pair, _, settled_in = symbol.partition(":")
    base, _, quote = pair.partition("/")
    expected = {"spot": "", "borrowed": "", "linear": quote, "inverse": base}
    return settled_in == expected[kind]


def multiple_of(coin: str) -> tuple[int, str]:
    """Return how many of which coin a name such as `1000PEPE` says."""
    for pattern in MULTIPLES:
        match = pattern.fullmatch(coin)
        if match:
            return COUNTS.get(match["count"]) or int(match["count"]), match["coin"]
    return 1, coin


def hedges_of(parameters: Parameters, files: Files) -> list[Hedge]:
    """Return the hedges of a run, in the order of its symbols.

    Raises: ValueError if markets do not fit the structure or differ in coin.
    """
    return [
        hedge
        for symbol in parameters.symbols
        for name, long, short in _directed(symbol, parameters, files)
        for hedge in [_hedge(name, long, short, parameters, files)]
    ]


def _directed(symbol: str, parameters: Parameters, files: Files) -> list[tuple[str, str, str]]:
    """Return name, long and short market of what a symbol names, exchanges left out where it does."""
    if "<>" in symbol:
        one, other = symbol.split("<>")
        return [(f"{one}>{other}", one, other), (f"{other}>{one}", other, one)]
    if ">" in symbol:
        one, other = symbol.split(">")
        return [(symbol, one, other)]
    structure = parameters["structure"]
    if structure == "perp_perp":
        return [(symbol, symbol, symbol)]
    side = "short" if structure == "reverse" else "long"
    spot = _spot_of(symbol, parameters.exchanges[side], files)
    return [(symbol, symbol, spot) if structure == "reverse" else (symbol, spot, symbol)]


def _spot_of(perp: str, exchange: str, files: Files) -> str:
    """Return the spot market that a short name means: that of its name if it is held, else the coin's."""
    pair, _, settled_in = perp.partition(":")
    base, _, quote = pair.partition("/")
    quote = quote if settled_in == quote else "USDT"
    own = f"{base}/{quote}"
    return own if files.holds(exchange, stem_of(own), "spot") else f"{multiple_of(base)[1]}/{quote}"


def _hedge(name: str, long: str, short: str, parameters: Parameters, files: Files) -> Hedge:
    legs = []
    for side, kind, market in zip(SIDES, LEG_KINDS[parameters["structure"]], (long, short), strict=True):
        symbol, _, exchange = market.partition("@")
        if not kind_fits(kind, symbol):
            raise ValueError(f"{name}: {symbol} is no {kind} market")
        legs.append(Leg(side, kind, symbol, exchange or parameters.exchanges[side]))
    renamed = legs[0].coin != legs[1].coin
    if multiple_of(legs[0].coin)[1] != multiple_of(legs[1].coin)[1]:
        raise ValueError(f"{name}: the legs differ in coin")
    for leg in legs:
        rows = files.document(f"{leg.exchange}/{leg.stem}-life.json")
        units = multiple_of(leg.coin)[0] if renamed else 1
        leg.epochs = epochs_of(rows, leg.market, leg.stem, str(units))
        leg.borrow_rows = files.borrow(leg.exchange, leg.stem) if leg.kind == "borrowed" else []
    counted = legs[1] if legs[1].is_perp else legs[0]
    unit = counted.epochs[-1].units
    for leg in legs:
        leg.contracts = contracts_of(files, leg.exchange, leg.market, leg.epochs, unit)
    return Hedge(name, legs[0], legs[1], unit)
