"""Groups of parameters of hedges other than spot against a perp of one exchange, and of what befalls them.

None of them asks for anything at its default.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer, WithJsonSchema

from bot.config.fields import (
    FeeRate,
    Integer,
    NonNegative,
    Number,
    Positive,
    TimeMs,
    bookable,
    few_objects,
    parameter_number,
)
from bot.config.parameter_group import Parameters
from bot.hedge_names import HedgeStructure
from bot.market_names import is_exchange_name
from bot.notation import plain, quoted

MOST_STRESSES = 100
_MOST_MINUTES = 10_000_000
_MOST_EXCHANGES = 16

READ_UNDER: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "borrow_rate_hourly": ("structure", ("reverse",)),
    "borrow_leverage": ("structure", ("reverse",)),
    "borrow_mmr": ("structure", ("reverse",)),
    "margin_trigger": ("margin_policy", ("top_up", "rebalance")),
}
"""Parameters that are read under some values of another one alone; axes of sweeps imply it by themselves."""

_MAKING = ("order_style", ("maker", "maker_entry"))
_RECORDED, _FLAT = (("fee_model", (model,)) for model in ("recorded", "flat"))
EVERY_READ_UNDER: Mapping[str, tuple[str, tuple[str, ...]]] = {
    **READ_UNDER,
    **dict.fromkeys(("maker_legs", "spot_maker", "perp_maker", "maker_slippage_bps"), _MAKING),
    **dict.fromkeys(("long_maker", "short_maker"), _MAKING),
    **dict.fromkeys(("fee_tier", "fee_base_volume"), _RECORDED),
    **dict.fromkeys(("spot_taker", "perp_taker"), _FLAT),
}
"""Those as well for which axes imply nothing: they are older, and stored sweeps would be numbered anew."""

Minutes = Annotated[Integer, Field(ge=0, le=_MOST_MINUTES)]
BasisPoints = Annotated[Number, Field(ge=0, lt=10000)]


def _shares(value: object) -> tuple[tuple[str, Decimal], ...]:
    """Return an object of shares as pairs of exchange and share, by name: equal ones are equal and hash."""
    if isinstance(value, Mapping):
        value = tuple(value.items())
    if not isinstance(value, tuple):
        raise ValueError(f"{quoted(value)} is no object of shares by exchange")
    if not 0 < len(value) <= _MOST_EXCHANGES:
        raise ValueError(
            f"{quoted(dict(value))} names {len(value)} exchanges, 1 to {_MOST_EXCHANGES} are allowed"
        )
    shares = {str(name): parameter_number(share) for name, share in value}
    for name, share in shares.items():
        if not 0 <= share <= 1:
            raise ValueError(f"{plain(share)} of {quoted(name)} is not between 0 and 1")
    if (total := sum(shares.values())) != 1:
        raise ValueError(f"{quoted(dict(value))} sums to {plain(Decimal(total))}, not to 1")
    return tuple(sorted(shares.items()))


def _shares_document(shares: tuple[tuple[str, Decimal], ...]) -> dict[str, str]:
    return {name: plain(share) for name, share in shares}


CapitalShares = Annotated[
    tuple[tuple[str, Decimal], ...],
    BeforeValidator(_shares),
    PlainSerializer(_shares_document, when_used="json"),
    WithJsonSchema(
        {
            "type": "object",
            "additionalProperties": {"anyOf": [{"type": "string"}, {"type": "number"}]},
            "examples": [{"binance": "0.6", "bybit": "0.4"}],
        }
    ),
]


def _exchange(name: str) -> str:
    if not is_exchange_name(name):
        raise ValueError(f"{quoted(name)} is no name such as binance (a-z, 0-9, dot, dash)")
    return name


ExchangeName = Annotated[str, AfterValidator(_exchange)]


class StressEntry(Parameters):
    """A moment at which the exchange closes one leg of hedges, as in an automatic deleveraging."""

    at: TimeMs = Field(description="moment at which it closes the leg, at the mark")
    leg: Literal["long", "short"] = Field("short", description="leg that it closes, if that is margined")
    symbol: str | None = Field(
        None, description="name of the hedge; left out, all hedges", min_length=1, max_length=200
    )
    delay_minutes: Minutes | None = Field(
        None, description="minutes until the other leg is closed; left out, leg_out_delay_minutes"
    )
    adverse_bps: BasisPoints = Field(
        Decimal(0), description="basis points that the mark is moved against the leg"
    )


def _entries(value: object) -> Any:
    """Return a single entry as a list of one, which is how axes and labels write it."""
    entries = [value] if isinstance(value, Mapping | StressEntry) else value
    return few_objects(entries, MOST_STRESSES, '{"at": "2024-08-05T12:00"}')


Stresses = Annotated[
    tuple[StressEntry, ...],
    AfterValidator(tuple),
    BeforeValidator(_entries),
]


class StructureParameters(Parameters):
    """Legs of the hedges and the exchanges that they are on."""

    structure: HedgeStructure = Field(
        "spot_perp",
        description="long spot and short perp, the reverse with borrowed spot, two perps, or an inverse perp",
    )
    long_exchange: ExchangeName | None = Field(
        None, description="exchange of long legs that name none by @; left out, exchange", max_length=64
    )
    short_exchange: ExchangeName | None = Field(
        None, description="exchange of short legs that name none by @; left out, exchange", max_length=64
    )
    capital_shares: CapitalShares | None = Field(
        None, description="share of the capital on each exchange; left out, equal shares"
    )


class BorrowParameters(Parameters):
    """Interest and collateral of borrowed spot legs."""

    borrow_rate_hourly: NonNegative | None = Field(
        None, description="interest for each hour begun; left out, the recorded rates"
    )
    borrow_leverage: Positive = Field(
        Decimal(1), description="notional of a borrowed leg over its locked collateral"
    )
    borrow_mmr: FeeRate = Field(Decimal("0.1"), description="maintenance margin rate of borrowed legs")


class MarginParameters(Parameters):
    """Margin of legs, and what is done before it is used up."""

    margin_model: Literal["flat", "brackets"] = Field(
        "flat", description="maintenance margin at one rate, or by brackets of notional"
    )
    liquidation_fee: FeeRate | None = Field(
        None, description="fee rate of a liquidation that leaves the rest; left out, it takes the margin"
    )
    margin_policy: Literal["none", "top_up", "rebalance"] = Field(
        "none", description="top up the margin of a leg at margin_trigger, reduce both legs, or neither"
    )
    margin_trigger: Annotated[Number, Field(gt=0, lt=1)] = Field(
        Decimal("0.5"), description="maintenance/balance ratio from which the margin policy acts"
    )


class TransferParameters(Parameters):
    """Transfers of margin, and between exchanges."""

    transfer_fee: Annotated[NonNegative, AfterValidator(bookable)] = Field(
        Decimal(0), description="fee of a transfer, quote"
    )
    transfer_delay_minutes: Minutes = Field(0, description="minutes until a transfer arrives")
    wallet_trigger: NonNegative | None = Field(
        None, description="excess of an exchange over its share, of all equity, that is transferred"
    )


class StressParameters(Parameters):
    """Closings that an exchange forces on one leg, and the time until the other is closed."""

    stress: Stresses = Field((), description="closings of one leg that an exchange forces, each at a moment")
    leg_out_delay_minutes: Minutes = Field(
        0, description="minutes until the other leg is closed after an exchange closed one"
    )


class ImpactParameters(Parameters):
    """Impact of orders on prices, their largest size, and how late they are filled."""

    impact_bps: BasisPoints = Field(
        Decimal(0), description="further adverse move of a taker that buys the volume of a day, basis points"
    )
    max_participation: Positive | None = Field(
        None, description="largest quantity as a share of the volume of 24 candles"
    )
    fill_lag_candles: Annotated[Integer, Field(ge=0, le=1000)] = Field(
        0, description="candles of each leg between a decision and its fill"
    )


class ContractParameters(Parameters):
    """Ages and announced ends of contracts."""

    exit_on_announcement: Annotated[bool, Field(strict=True)] = Field(
        False, description="close a hedge once the end of a leg's contract is announced"
    )
    min_contract_age_days: NonNegative = Field(
        Decimal(0), description="days since a leg's contract began before which it is not entered"
    )


class HedgeParameters(
    ContractParameters,
    ImpactParameters,
    StressParameters,
    TransferParameters,
    MarginParameters,
    BorrowParameters,
    StructureParameters,
):
    """All groups of this module; the fields of the last one come first."""
