"""Position size: the largest quantity that a slot, free cash and the caps allow."""

from dataclasses import dataclass
from decimal import Decimal, localcontext
from functools import lru_cache
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

    __slots__ = ("_costs", "_flat_shares", "_leverage", "_limits", "_slots")

    def __init__(self, limits: SizingLimits, costs: TradingCosts, perp_leverage: Decimal) -> None:
        self._limits = limits
        self._slots = Decimal(limits.max_simultaneous_positions)
        self._leverage = perp_leverage
        self._costs = costs
        self._flat_shares = None if costs.fees.varies else _flat_shares(costs, perp_leverage)

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
            shares = self._flat_shares or _shares(self._costs, self._leverage, ticker.t_ms)
            unit = formulas.unit_cost(ticker.spot, shares[0], ticker.perp, shares[1])
            steps = self._steps(unit, ticker.spot, instrument, base * fraction, free_cash, exposure)
            quantity = min(steps) * instrument.qty_step
            return quantity if _is_tradable(quantity, ticker.spot, instrument) else ZERO

    def _steps(
        self,
        unit: Decimal,
        spot: Decimal,
        instrument: Instrument,
        base: Decimal,
        free_cash: Decimal,
        exposure: Decimal,
    ) -> list[Decimal]:
        """Return the number of steps that each limit allows; `unit` is what one of the quantity ties up."""
        # Budget and unit are both multiplied by the leverage: division by it would round before the floor.
        limits, leverage, step = self._limits, self._leverage, instrument.qty_step
        unit *= step
        if unit <= ZERO:  # Rebates above what a hedge ties up: no quantity is the largest.
            return [ZERO]
        slots = base * limits.allocation * leverage
        steps = [slots // (unit * self._slots), (free_cash * leverage) // unit]
        if limits.max_position_size is not None:
            steps.append(limits.max_position_size // (spot * step))
        if limits.max_portfolio_exposure is not None:
            steps.append((limits.max_portfolio_exposure - exposure) // (spot * step))
        return steps


def _shares(costs: TradingCosts, leverage: Decimal, t_ms: int) -> tuple[Decimal, Decimal]:
    """Return what each leg ties up as a share of its notional, times the leverage."""
    spot, perp = costs.entry(Leg.SPOT, t_ms), costs.entry(Leg.PERP, t_ms)
    return formulas.spot_share(*spot, leverage), formulas.perp_share(*perp, leverage)


@lru_cache(maxsize=256)
def _flat_shares(costs: TradingCosts, leverage: Decimal) -> tuple[Decimal, Decimal]:
    """Return the shares of accounts under fees that never change."""
    with localcontext(WIDE):
        return _shares(costs, leverage, 0)


def _is_tradable(quantity: Decimal, spot: Decimal, rules: Instrument) -> bool:
    """Return whether an order of `quantity`, whole steps, is large enough for an exchange."""
    least = max(rules.min_qty, rules.qty_step)
    return quantity >= least and quantity * spot >= rules.min_notional
