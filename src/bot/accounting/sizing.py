"""Position size: the largest quantity that a slot, free cash and the caps allow."""

from dataclasses import dataclass
from decimal import Decimal, localcontext
from typing import Literal

from bot.accounting import formulas
from bot.accounting.trading_costs import TradingCosts
from bot.models import Instrument, Leg, Ticker
from bot.numbers.money import WIDE, ZERO


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


def is_full(held: int, slots: int) -> bool:
    """Return whether an account with so many hedges has no slot left.

    Source: docs/domain.md, section 5.
    """
    return held >= slots


class PositionSizer:
    """Finds the largest quantity, in whole steps, that budget and caps allow; its floor is exact.

    Source: docs/domain.md, section 4.
    """

    __slots__ = ("_costs", "_leverage", "_limits", "_shares", "_slots")

    def __init__(self, limits: SizingLimits, costs: TradingCosts, perp_leverage: Decimal) -> None:
        self._limits = limits
        self._slots = Decimal(limits.max_simultaneous_positions)
        self._leverage = perp_leverage
        self._costs = costs
        with localcontext(WIDE):
            self._shares = self._shares_at(0)

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
            if self._costs.fees.varies:
                self._shares = self._shares_at(ticker.t_ms)
            steps = self._steps(ticker.spot, ticker.perp, instrument, base * fraction, free_cash, exposure)
            quantity = min(steps) * instrument.qty_step
            return quantity if _is_tradable(quantity, ticker.spot, instrument) else ZERO

    def _steps(
        self,
        spot: Decimal,
        perp: Decimal,
        instrument: Instrument,
        base: Decimal,
        free_cash: Decimal,
        exposure: Decimal,
    ) -> list[Decimal]:
        """Return the number of steps that each limit allows."""
        # Budget and unit are both multiplied by the leverage: division by it would round before the floor.
        limits, leverage, step = self._limits, self._leverage, instrument.qty_step
        unit = formulas.unit_cost(spot, self._shares[0], perp, self._shares[1]) * step
        if unit <= 0:  # Rebates above what a hedge ties up: no quantity is the largest.
            return [ZERO]
        slots = base * limits.allocation * leverage
        steps = [slots // (unit * self._slots), (free_cash * leverage) // unit]
        if limits.max_position_size is not None:
            steps.append(limits.max_position_size // (spot * step))
        if limits.max_portfolio_exposure is not None:
            steps.append((limits.max_portfolio_exposure - exposure) // (spot * step))
        return steps

    def _shares_at(self, t_ms: int) -> tuple[Decimal, Decimal]:
        """Return what each leg ties up as a share of its notional, times the leverage."""
        spot, perp = self._costs.entry(Leg.SPOT, t_ms), self._costs.entry(Leg.PERP, t_ms)
        return formulas.spot_share(*spot, self._leverage), formulas.perp_share(*perp, self._leverage)


def _is_tradable(quantity: Decimal, spot: Decimal, rules: Instrument) -> bool:
    """Return whether an order of `quantity`, whole steps, is large enough for an exchange."""
    least = max(rules.min_qty, rules.qty_step)
    return quantity >= least and quantity * spot >= rules.min_notional
