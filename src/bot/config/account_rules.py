"""Groups of parameters that came with edition 2: patience, and styles of orders with their costs."""

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field

from bot.accounting.order_style import MakerLegs, Style
from bot.accounting.patience import Patience
from bot.config.fields import Count, FeeRate, NonNegative, Number, Positive
from bot.config.parameter_group import Parameters

MakerRate = Annotated[Number, Field(gt=-1, lt=1)]
"""Fee rate of a maker: negative where an exchange pays for the order."""


class PatienceParameters(Parameters):
    """Rules of leaving later than a signal, or earlier, and of coming back; none of them at the defaults."""

    min_hold_hours: NonNegative = Field(
        Decimal(0), description="hours after opening in which no signal closes a hedge"
    )
    exit_confirmations: Count = Field(
        1, description="settlements in a row that must give the exit signal before it closes"
    )
    exit_loss_horizon_hours: Positive | None = Field(
        None,
        description="hours of funding at the newest rate that must cost more than leaving",
    )
    cooldown_hours: NonNegative = Field(
        Decimal(0), description="hours after closing in which a pair is not entered again"
    )
    max_round_trips: Count | None = Field(None, description="most openings of one pair in a run")
    basis_exit: NonNegative | None = Field(
        None,
        description="close where the perp premium over spot has grown by it since opening; 0.01 is 1 %",
    )
    exit_liquidation_distance: NonNegative | None = Field(
        None, description="close where this rise of the mark would liquidate, 0.05 is 5 %"
    )

    @property
    def patience(self) -> Patience:
        """The rules, as an account applies them."""
        return Patience(
            self.min_hold_hours,
            self.exit_confirmations,
            self.exit_loss_horizon_hours,
            self.cooldown_hours,
            self.max_round_trips,
            self.basis_exit,
            self.exit_liquidation_distance,
        )


class ReportParameters(Parameters):
    """Parameters that no trade depends on."""

    regime_high: Number = Field(
        Decimal("0.0003"), description="rate per 8 h from which on funding counts as high"
    )


class OrderParameters(Parameters):
    """Styles of orders and their costs, leg by leg; takers alone at the defaults.

    The long leg is spot, the short leg the perp.
    """

    fee_model: Literal["flat", "recorded"] = Field(
        "flat", description="fee rates as named here, or by the recorded schedules of the exchange"
    )
    fee_tier: str = Field(
        "auto", description="tier of recorded fees, auto by the volume traded", min_length=1, max_length=64
    )
    fee_base_volume: NonNegative = Field(
        Decimal(0), description="volume of 30 days, quote, that counts besides the run's own fills"
    )
    order_style: Style = Field(
        "taker", description="maker orders for entries and non-urgent exits, for entries only, or none"
    )
    maker_legs: MakerLegs = Field("both", description="legs that maker orders are for")
    spot_maker: MakerRate = Field(Decimal("0.001"), description="fee rate of a maker's spot fill")
    perp_maker: MakerRate = Field(Decimal("0.0002"), description="fee rate of a maker's perp fill")
    long_maker: MakerRate | None = Field(None, description="fee rate of a maker's fill of the long leg")
    long_taker: FeeRate | None = Field(None, description="fee rate of a taker's fill of the long leg")
    short_maker: MakerRate | None = Field(None, description="fee rate of a maker's fill of the short leg")
    short_taker: FeeRate | None = Field(None, description="fee rate of a taker's fill of the short leg")
    maker_slippage_bps: Annotated[Number, Field(gt=-10000, lt=10000)] = Field(
        Decimal(0), description="adverse move of a maker's fill, basis points; negative is an improvement"
    )
