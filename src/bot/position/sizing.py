"""How much of a pair an account can open."""

from dataclasses import dataclass
from decimal import Decimal

from bot.models import Instrument, Ticker
from bot.money import ONE, WIDE, ZERO
from bot.pnl.fees import FeeSchedule


@dataclass(frozen=True, slots=True)
class SizingLimits:
    """What a position may tie up. Caps are quote notionals of the spot leg, None for no cap."""

    allocation: Decimal
    max_simultaneous_positions: int
    max_position_size: Decimal | None
    max_portfolio_exposure: Decimal | None


class PositionSizer:
    """Finds the largest quantity, in whole steps, that budget and caps allow; its floor is exact."""

    __slots__ = ("_fees", "_leverage", "_limits", "_slippage")

    def __init__(
        self, limits: SizingLimits, fees: FeeSchedule, slippage: Decimal, perp_leverage: Decimal
    ) -> None:
        self._limits = limits
        self._fees = fees
        self._slippage = slippage
        self._leverage = perp_leverage

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
        limits, step = self._limits, instrument.qty_step
        unit = self._tied_up_per_unit(ticker.spot, ticker.perp)
        slot = WIDE.multiply(WIDE.multiply(base, limits.allocation), WIDE.multiply(fraction, self._leverage))
        free = WIDE.multiply(free_cash, self._leverage)
        spot_step = WIDE.multiply(ticker.spot, step)
        steps = [
            _floor(slot, WIDE.multiply(unit, step * limits.max_simultaneous_positions)),
            _floor(free, WIDE.multiply(unit, step)),
        ]
        if limits.max_position_size is not None:
            steps.append(_floor(limits.max_position_size, spot_step))
        if limits.max_portfolio_exposure is not None:
            steps.append(_floor(WIDE.subtract(limits.max_portfolio_exposure, exposure), spot_step))
        quantity = WIDE.multiply(min(steps), step)
        return quantity if _tradable(quantity, ticker.spot, instrument) else ZERO

    def _tied_up_per_unit(self, spot: Decimal, perp: Decimal) -> Decimal:
        """Return what one unit ties up, times the leverage, so that nothing is divided."""
        leverage, fees = self._leverage, self._fees
        buy, sell = ONE + self._slippage, ONE - self._slippage
        spot_cost = WIDE.multiply(WIDE.multiply(spot, buy), WIDE.multiply(ONE + fees.spot_taker, leverage))
        perp_cost = WIDE.multiply(
            WIDE.multiply(perp, sell), WIDE.add(ONE, WIDE.multiply(fees.perp_taker, leverage))
        )
        return WIDE.add(spot_cost, perp_cost)


def _floor(amount: Decimal, unit: Decimal) -> Decimal:
    return WIDE.divide_int(amount, unit) if amount > 0 else ZERO


def _tradable(quantity: Decimal, spot: Decimal, instrument: Instrument) -> bool:
    return (
        quantity > 0
        and quantity >= instrument.min_qty
        and WIDE.multiply(quantity, spot) >= instrument.min_notional
    )
