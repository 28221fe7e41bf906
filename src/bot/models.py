"""Frozen values of the trading domain. Prices and amounts in quote currency, times in ms UTC."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple, Protocol

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS


class Leg(StrEnum):
    """The two legs of a hedge."""

    SPOT = "spot"
    PERP = "perp"


LEGS = SPOT, PERP = Leg.SPOT, Leg.PERP
"""Both legs; orders are so many that going through the enumeration for each would be felt."""


class Side(StrEnum):
    """Direction of an order."""

    BUY = "buy"
    SELL = "sell"


LONG = Decimal(1)
"""Side of a leg that gains as its price rises; a quantity times the side of its leg is signed."""
SHORT = Decimal(-1)
"""Side of a leg that gains as its price falls."""


def opening_order(side: Decimal) -> Side:
    """Return the order that opens a leg of `side`."""
    return Side.BUY if side > 0 else Side.SELL


def closing_order(side: Decimal) -> Side:
    """Return the order that closes a leg of `side`."""
    return opening_order(-side)


class Structure(NamedTuple):
    """Sides of the legs that make up a hedge."""

    spot: Decimal
    perp: Decimal

    def side(self, leg: Leg) -> Decimal:
        """Return the side of a leg."""
        return self.spot if leg is Leg.SPOT else self.perp


SPOT_PERP = Structure(LONG, SHORT)
"""Spot held against a perp short of equal quantity: the structure of every hedge."""


class CloseReason(StrEnum):
    """Reason a trade was closed."""

    SIGNAL = "signal"
    MARGIN = "margin"
    LIQUIDATION = "liquidation"
    END = "end"
    EMERGENCY = "emergency"
    DELISTED = "delisted"
    SEAM = "seam"
    DISTANCE = "distance"
    BASIS = "basis"
    DELISTING = "delisting"
    ADL = "adl"


@dataclass(frozen=True, slots=True)
class Instrument:
    """Trading rules of one pair: steps of the coarser leg, and the perp's maintenance margin rate.

    `contract_size` is what one inverse contract is worth, in quote currency; linear perps have no use for it.
    """

    qty_step: Decimal = Decimal("0.00001")
    min_qty: Decimal = Decimal("0.00001")
    min_notional: Decimal = Decimal(5)
    mmr: Decimal = Decimal("0.005")
    spot_active: bool = True
    contract_size: Decimal = Decimal(1)


@dataclass(frozen=True, slots=True)
class FundingRate:
    """One settled funding record: `rate` is a fraction per interval, `rate_8h` the same per 8 hours."""

    symbol: str
    t_ms: int
    rate: Decimal
    interval_hours: int
    mark_price: Decimal | None
    rate_8h: Decimal


@dataclass(frozen=True, slots=True)
class Ticker:
    """Newest closed prices of a pair as of `t_ms`.

    `mark` is the newest closed close of the mark series (before its first candle, of the perp);
    `fresh` says that spot and perp both closed recently enough to trade on.
    `volume_24h` is quote volume of the 24 newest closed perp candles.
    """

    symbol: str
    t_ms: int
    spot: Decimal | None
    perp: Decimal | None
    mark: Decimal | None
    fresh: bool
    volume_24h: Decimal


@dataclass(frozen=True, slots=True)
class ContractEnd:
    """The end of a perp's contract: `ticker` shows the prices of that moment.

    A `recorded` end is a fact about the contract; any other is derived from data after it, so that nobody
    could know it at the time.
    """

    ticker: Ticker
    recorded: bool = False

    @property
    def at_ms(self) -> int:
        """The moment of the end."""
        return self.ticker.t_ms

    @property
    def settle_price(self) -> Decimal | None:
        """The price at which a perp leg closes: the newest mark close."""
        return self.ticker.mark


class VolumeHistory(Protocol):
    """Volumes of a perp's closed candles, as of a moment."""

    def base_volume(self, newest: int, skip: int) -> Decimal | None:
        """Return the volume in base coin of `newest` candles before the `skip` newest, None if fewer."""


@dataclass(frozen=True, slots=True)
class SettlementView:
    """Facts known about a pair the moment it settles: all that a strategy is ever handed."""

    funding: FundingRate
    ticker: Ticker
    instrument: Instrument
    volumes: VolumeHistory


@dataclass(frozen=True, slots=True)
class MarkCandle:
    """A closed candle of the mark series: its highest price, and the ticker as of its close."""

    closed_at_ms: int
    high: Decimal
    ticker: Ticker


@dataclass(frozen=True, slots=True)
class MarketEvent:
    """A moment at which at least one pair settles.

    `tickers` covers every pair, `settlements` those that settle now, `decidable` those of them whose
    prices are fresh. `mark_highs` is, per pair, the highest price of the mark series' candles that closed
    after the previous event, up to this one.
    Do not change the mappings: trials share them.
    """

    t_ms: int
    tickers: Mapping[str, Ticker]
    settlements: tuple[SettlementView, ...]
    decidable: tuple[SettlementView, ...]
    mark_highs: Mapping[str, Decimal]


class OrderRequest(NamedTuple):
    """An order for one leg: a taker's, or a `maker`'s.

    A `forced` one follows from the end of the other leg: no price is too old for it.
    `number` counts the orders of an account; an order that is asked about again keeps its own.
    """

    symbol: str
    leg: Leg
    side: Side
    quantity: Decimal
    forced: bool = False
    number: int = 0
    maker: bool = False


class OrderResult(NamedTuple):
    """A filled order: unrounded average price and the booked fee; `request.quantity` is what was filled."""

    request: OrderRequest
    price: Decimal
    fee: Decimal
    filled_at_ms: int


class Position(NamedTuple):
    """An open hedge: a spot and a perp leg of equal quantity, on the sides that its structure says.

    `spot_entry` and `perp_entry` are the unrounded fills; `spot_cost` is the booked notional of the spot leg,
    `margin` the booked, locked margin of the perp.
    """

    symbol: str
    opened_at_ms: int
    quantity: Decimal
    spot_entry: Decimal
    perp_entry: Decimal
    spot_cost: Decimal
    margin: Decimal
    entry_fees: Decimal

    @property
    def structure(self) -> Structure:
        """The sides of its legs."""
        return SPOT_PERP


class FundingPayment(NamedTuple):
    """One settlement of an open perp leg: `amount` is received if positive, paid if negative."""

    t_ms: int
    symbol: str
    rate: Decimal
    interval_hours: int
    mark_price: Decimal
    quantity: Decimal
    amount: Decimal


class BookedTrade(Protocol):
    """Facts of a closed hedge that sums and digests read, whatever its legs are."""

    @property
    def symbol(self) -> str: ...
    @property
    def opened_at_ms(self) -> int: ...
    @property
    def closed_at_ms(self) -> int: ...
    @property
    def quantity(self) -> Decimal: ...
    @property
    def funding(self) -> Decimal: ...
    @property
    def fees(self) -> Decimal: ...
    @property
    def price_pnl(self) -> Decimal: ...
    @property
    def net_pnl(self) -> Decimal: ...
    @property
    def funding_payments(self) -> int: ...
    @property
    def reason(self) -> CloseReason: ...


class Trade(NamedTuple):
    """A closed hedge. `perp_exit` is None if the perp leg was liquidated."""

    symbol: str
    opened_at_ms: int
    closed_at_ms: int
    quantity: Decimal
    spot_entry: Decimal
    perp_entry: Decimal
    spot_exit: Decimal
    perp_exit: Decimal | None
    funding: Decimal
    fees: Decimal
    price_pnl: Decimal
    net_pnl: Decimal
    funding_payments: int
    reason: CloseReason

    @property
    def structure(self) -> Structure:
        """The sides of its legs."""
        return SPOT_PERP
