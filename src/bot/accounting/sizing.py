"""Position size: the largest quantity that a slot, free cash and the caps allow."""

from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal, localcontext
from functools import reduce
from typing import Literal

from bot.accounting.fees import FeeSchedule
from bot.accounting.formulas import Amount
from bot.models import Instrument, Ticker
from bot.numbers.arrays import BoolArray
from bot.numbers.exact_array import ExactArray
from bot.numbers.money import MONEY_PLACES, ONE, WIDE, ZERO


@dataclass(frozen=True, slots=True)
class SizingLimits:
    """Limits of a position. Caps are quote notionals of the spot leg, None for no cap."""

    allocation: Decimal
    max_simultaneous_positions: int
    max_position_size: Decimal | None
    max_portfolio_exposure: Decimal | None


@dataclass(frozen=True, slots=True)
class CapitalPlan:
    """Initial capital (quote currency), the base that entries are sized on, and the slots of an account."""

    initial_capital: Decimal
    sizing_base: Literal["initial", "equity"]
    max_simultaneous_positions: int


class PositionSizer:
    """Finds the largest quantity, in whole steps, that budget and caps allow; its floor is exact.

    Source: docs/domain.md, section 4.
    """

    __slots__ = ("_leverage", "_limits", "_perp_share", "_slots", "_spot_share")

    def __init__(
        self, limits: SizingLimits, fees: FeeSchedule, slippage: Decimal, perp_leverage: Decimal
    ) -> None:
        self._limits = limits
        self._slots = Decimal(limits.max_simultaneous_positions)
        self._leverage = perp_leverage
        with localcontext(WIDE):
            self._spot_share = (ONE + slippage) * (ONE + fees.spot_taker) * perp_leverage
            self._perp_share = (ONE - slippage) * (ONE + fees.perp_taker * perp_leverage)

    def quantity(
        self,
        ticker: Ticker,
        instrument: Instrument,
        base: Decimal,
        fraction: Decimal,
        free_cash: Decimal,
        exposure: Decimal,
    ) -> Decimal:
        """Return the quantity to open, zero if the smallest order does not fit.

        `base` and `free_cash` in quote currency; `fraction` scales one slot of the base; `exposure` is
        the spot notional already open.
        """
        if ticker.spot is None or ticker.perp is None:
            return ZERO
        with localcontext(WIDE):
            steps = self._steps(ticker.spot, ticker.perp, instrument, base * fraction, free_cash, exposure)
            quantity = min(steps) * instrument.qty_step
            return quantity if _is_tradable(quantity, ticker.spot, instrument) else ZERO

    def quantities(
        self,
        spots: ExactArray,
        perps: ExactArray,
        instrument: Instrument,
        base: Decimal,
        free_cash: ExactArray,
    ) -> ExactArray:
        """Return `quantity` of many accounts with nothing open, for whole slots."""
        with localcontext(WIDE):
            steps = self._steps(spots, perps, instrument, base, free_cash, ZERO)
            quantity = reduce(ExactArray.least, steps) * instrument.qty_step
        tradable = _is_tradable(quantity, spots, instrument)
        return ExactArray(quantity.mantissas * tradable, quantity.exponent, quantity.bound)

    def slot_units(self, base: Decimal) -> int:
        """Return the least cash, in units of 1e-8, that covers a whole slot of `base`."""
        with localcontext(WIDE):
            units = self._all_slots(base).scaleb(MONEY_PLACES) / self._slots
            return int(units.to_integral_value(ROUND_CEILING))

    def _all_slots(self, base: Decimal) -> Decimal:
        """Return the part of `base` that the slots of an account share."""
        return base * self._limits.allocation

    def _steps(
        self,
        spot: Amount,
        perp: Amount,
        instrument: Instrument,
        base: Decimal,
        free_cash: Amount,
        exposure: Decimal,
    ) -> list[Amount]:
        """Return the number of steps that each limit allows."""
        # Budget and unit are both multiplied by the leverage: division by it would round before the floor.
        limits, leverage, step = self._limits, self._leverage, instrument.qty_step
        unit = (spot * self._spot_share + perp * self._perp_share) * step
        slots = self._all_slots(base) * leverage
        steps = [slots // (unit * self._slots), (free_cash * leverage) // unit]
        if limits.max_position_size is not None:
            steps.append(limits.max_position_size // (spot * step))
        if limits.max_portfolio_exposure is not None:
            steps.append((limits.max_portfolio_exposure - exposure) // (spot * step))
        return steps


def _is_tradable(quantity: Amount, spot: Amount, rules: Instrument) -> bool | BoolArray:
    """Return whether an order of `quantity`, whole steps, is large enough for an exchange."""
    least = max(rules.min_qty, rules.qty_step)
    return (quantity >= least) & (quantity * spot >= rules.min_notional)
