"""The parameters of a run by group: names, defaults, bounds and meaning (docs/domain.md, section 7)."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from bot.accounting.brackets import Bracket, Brackets, bracket_fault
from bot.accounting.fees import FeeSchedule, FlatFees, flat_fees
from bot.accounting.order_style import OrderStyle
from bot.accounting.trading_costs import TradingCosts, flat_costs
from bot.config.account_rules import OrderParameters, PatienceParameters, ReportParameters
from bot.config.fields import (
    Count,
    FeeRate,
    Fraction,
    Money,
    NonNegative,
    Number,
    Positive,
    Share,
    StrategyName,
    Symbols,
    TimeMs,
    few_objects,
)
from bot.config.hedge_rules import HedgeParameters
from bot.config.parameter_group import Parameters
from bot.hedge_names import Hedge, hedges_of, is_hedge_name
from bot.models import Instrument, Leg
from bot.notation import plain

__all__ = ["FEES", "AccountParameters", "CompositeParameters", "Parameters", "SimpleParameters"]

FEES = ("spot_taker", "perp_taker", *OrderParameters.model_fields)
"""Parameters that fee rates depend on."""

_MOST_BRACKETS = 200


def _is_none(value: object) -> bool:
    return value is None


class BracketParameters(Parameters):
    """Maintenance margin of notionals up to `cap`, null for all above: `mmr` of one, less `amount`."""

    cap: Number | None = Field(description="largest notional, null in the last one for all above")
    mmr: Number = Field(description="maintenance margin rate")
    amount: Number = Field(Decimal(0), description="amount that maintenance is less by, quote")
    max_leverage: Number | None = Field(None, description="largest leverage; left out, every one")


def _ascending(brackets: tuple[BracketParameters, ...]) -> tuple[BracketParameters, ...]:
    fault = bracket_fault(_brackets(brackets))
    if fault is not None:
        raise ValueError(f"[{fault.place}].{fault.field}: {fault.message}")
    return brackets


def _brackets(given: tuple[BracketParameters, ...]) -> Brackets:
    return Brackets(Bracket(one.cap, one.mmr, one.amount, one.max_leverage) for one in given)


def _few_brackets(value: object) -> object:
    return few_objects(value, _MOST_BRACKETS, '{"cap": "50000", "mmr": "0.004"}')


BracketList = Annotated[
    tuple[BracketParameters, ...],
    AfterValidator(_ascending),
    BeforeValidator(_few_brackets),
]


class InstrumentOverride(Parameters):
    """Instrument values of a run that replace what the store has, for every symbol of the run."""

    qty_step: Positive | None = None
    min_qty: NonNegative | None = None
    min_notional: NonNegative | None = None
    mmr: Annotated[Number, Field(ge=0, lt=1)] | None = None
    # Left out of documents unless they are set, so that older run keys hold.
    contract_size: Positive | None = Field(
        None, description="quote currency that one inverse contract is worth", exclude_if=_is_none
    )
    brackets: BracketList | None = Field(
        None, description="maintenance margin brackets of every perp, ascending", exclude_if=_is_none
    )

    @property
    def margin_brackets(self) -> Brackets | None:
        """The brackets as margin is worked out from them, None where none are set."""
        return None if self.brackets is None else _brackets(self.brackets)

    def applied_to(self, instrument: Instrument) -> Instrument:
        """Return `instrument` with the values that are set here."""
        values = {name: getattr(self, name, None) for name in Instrument.__slots__}
        return replace(instrument, **{name: value for name, value in values.items() if value is not None})


class SimpleParameters(Parameters):
    """Thresholds of the strategy `simple`."""

    min_funding_rate: Number = Field(Decimal("0.0003"), description="enter at this rate per 8 h or above")
    exit_funding_rate: Number = Field(Decimal("0.0001"), description="exit below this rate per 8 h")
    min_volume_24h: Number = Field(Decimal(1000000), description="perp volume of 24 candles, quote")
    min_holding_periods: Count = Field(30, description="settlements that must pay both round-trip fees")


class CompositeParameters(Parameters):
    """Thresholds, weights and scales of the strategy `composite`; rates per 8 hours."""

    entry_threshold: Number = Field(Decimal("0.5"), description="enter at this composite score or above")
    exit_threshold: Number = Field(Decimal("0.3"), description="exit below this composite score")
    weight_rate_level: NonNegative = Field(Decimal("0.35"), description="relative weight of the rate level")
    weight_trend: NonNegative = Field(Decimal("0.25"), description="relative weight of the rate trend")
    weight_persistence: NonNegative = Field(Decimal("0.25"), description="relative weight of persistence")
    weight_basis: NonNegative = Field(Decimal("0.15"), description="relative weight of the basis")
    trend_ema_span: Count = Field(6, description="span of the rate's moving average, settlements")
    trend_stable_threshold: NonNegative = Field(Decimal("0.00005"), description="smaller moves are stable")
    persistence_threshold: Number = Field(Decimal("0.0003"), description="rate per 8 h that counts as high")
    persistence_max_periods: Count = Field(30, description="run of high settlements that scores 1")
    rate_cap: Positive = Field(Decimal("0.003"), description="rate per 8 h that scores 1")
    basis_cap: Positive = Field(Decimal("0.01"), description="perp premium over spot that scores 1")
    volume_lookback_days: Count = Field(7, description="days of each half of the volume comparison")
    volume_decline_ratio: NonNegative = Field(Decimal("0.7"), description="least newer/older volume to enter")
    dynamic_sizing: bool = Field(False, strict=True, description="scale entries by the composite score")
    sizing_min_fraction: Fraction = Field(Decimal("0.3"), description="share of a slot at score 0")
    sizing_max_fraction: Fraction = Field(Decimal(1), description="share of a slot at score 1")

    def refuse_contradictions(self) -> None:
        """Check weights and size fractions."""
        super().refuse_contradictions()
        weights = self.weight_rate_level + self.weight_trend + self.weight_persistence + self.weight_basis
        if not weights:
            raise ValueError("weight_rate_level: 0, like all other weights; at least one must be positive")
        if self.sizing_max_fraction < self.sizing_min_fraction:
            raise ValueError(
                f"sizing_max_fraction: {plain(self.sizing_max_fraction)} is below "
                f"sizing_min_fraction {plain(self.sizing_min_fraction)}"
            )


class AccountParameters(ReportParameters, OrderParameters, PatienceParameters, HedgeParameters):
    """Market, window, capital, costs and margin: what every strategy shares."""

    exchange: str | None = Field(None, description="data set; the only one held if left out", max_length=64)
    symbols: Symbols = Field(description="perpetuals, or hedges LONG>SHORT, traded from one capital pool")
    start: TimeMs = Field(description="first moment of the window, inclusive")
    end: TimeMs = Field(description="last moment of the window, inclusive")
    strategy_mode: StrategyName = Field("simple", description="which strategy decides")
    initial_capital: Money = Field(Decimal(10000), description="starting cash, quote currency")

    spot_taker: FeeRate = Field(Decimal("0.001"), description="fee rate of a spot fill")
    perp_taker: FeeRate = Field(Decimal("0.00055"), description="fee rate of a perp fill")
    slippage_bps: Annotated[Number, Field(ge=0, lt=10000)] = Field(
        Decimal(5), description="adverse move of every fill, basis points"
    )
    perp_leverage: Positive = Field(Decimal(1), description="notional of the short over its locked margin")
    margin_exit_ratio: Share = Field(Decimal("0.8"), description="close at this maintenance/balance ratio")
    max_simultaneous_positions: Count = Field(1, description="slots the capital is split into")
    sizing_base: Literal["initial", "equity"] = Field("initial", description="fixed capital or compounding")
    allocation: Share = Field(Decimal("0.9"), description="share of the base put to work")
    max_position_size: Positive | None = Field(None, description="largest spot notional, quote")
    max_portfolio_exposure: Positive | None = Field(None, description="largest sum of notionals, quote")
    min_coverage: Fraction = Field(Decimal("0.9"), description="least share of settlements held")
    max_price_age_hours: Positive = Field(Decimal(2), description="older closes are too stale to decide on")
    instrument: InstrumentOverride | None = Field(None, description="replaces the store's trading rules")
    end_dead_markets: bool = Field(
        False, strict=True, description="close a hedge where its perp stopped trading for good"
    )

    @property
    def hedges(self) -> tuple[Hedge, ...]:
        """The hedges that `symbols` name; an exchange that is not named yet is an empty text.

        Raises: InvalidInputError naming `symbols` where names and structure do not fit.
        """
        return hedges_of(
            self.symbols, self.structure, self.exchange or "", self.long_exchange, self.short_exchange
        )

    @property
    def exchanges(self) -> tuple[str, ...]:
        """The exchanges that its hedges trade on, in order of appearance; raises as `hedges` does."""
        return tuple(dict.fromkeys(leg.exchange for hedge in self.hedges for leg in hedge.legs))

    def resolved_exchange(self, resolve: Callable[[str | None], str]) -> str:
        """Return the run's own exchange: as named, or that of its first leg where every leg names its own.

        Of others `resolve` returns the only one held, and checks that a named one is held.
        Raises: InvalidInputError naming `symbols` where names and structure do not fit; as `resolve` does.
        """
        if self.exchange is None and (self.long_exchange or any(map(is_hedge_name, self.symbols))):
            exchanges = self.exchanges
            if "" not in exchanges:
                return exchanges[0]
        return resolve(self.exchange)

    @property
    def slippage(self) -> Decimal:
        """Adverse move of every fill as a fraction of the price."""
        return slippage_of(self.slippage_bps)

    @property
    def max_price_age_ms(self) -> Decimal:
        """Age in ms up to which a close is fresh."""
        return self.max_price_age_hours * 3_600_000

    @property
    def fees(self) -> FlatFees:
        """Fee rates of both legs; those of a leg stand above those of its market."""
        taker = FeeSchedule(
            self.spot_taker if self.long_taker is None else self.long_taker,
            self.perp_taker if self.short_taker is None else self.short_taker,
        )
        maker = FeeSchedule(
            self.spot_maker if self.long_maker is None else self.long_maker,
            self.perp_maker if self.short_maker is None else self.short_maker,
        )
        return flat_fees(taker, maker)

    @property
    def own_fees(self) -> dict[tuple[Leg, bool], Decimal | None]:
        """Fee rates of legs for takers and (True) makers, None where those of their market hold."""
        return {
            (Leg.SPOT, False): self.long_taker,
            (Leg.SPOT, True): self.long_maker,
            (Leg.PERP, False): self.short_taker,
            (Leg.PERP, True): self.short_maker,
        }

    @property
    def style(self) -> OrderStyle:
        """Legs that maker orders open and close."""
        return OrderStyle.of(self.order_style, self.maker_legs)

    @property
    def costs(self) -> TradingCosts:
        """Fees as they are named, fills and style of the orders; recorded fees are those of a window."""
        return flat_costs(self.fees, self.slippage, slippage_of(self.maker_slippage_bps), self.style)


def slippage_of(slippage_bps: Decimal) -> Decimal:
    """Return the adverse move of a fill as a fraction of the price."""
    return slippage_bps.scaleb(-4)
