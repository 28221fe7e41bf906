"""Taker fees of both legs."""

from dataclasses import dataclass
from decimal import Decimal

from bot.accounting import formulas
from bot.accounting.formulas import Amount
from bot.models import Leg


@dataclass(frozen=True, slots=True)
class FeeSchedule:
    """Taker fee rates, fractions of the filled notional."""

    spot_taker: Decimal
    perp_taker: Decimal

    @property
    def round_trip(self) -> Decimal:
        """Fee rate of opening and closing both legs."""
        return 2 * (self.spot_taker + self.perp_taker)


class FeeCalculator:
    """Computes the booked fee of a fill from a schedule.

    Source: docs/domain.md, section 4.
    """

    __slots__ = ("_rates",)

    def __init__(self, schedule: FeeSchedule) -> None:
        self._rates = {Leg.SPOT: schedule.spot_taker, Leg.PERP: schedule.perp_taker}

    def fee(self, leg: Leg, quantity: Amount, fill_price: Amount) -> Amount:
        """Return the fee of filling `quantity` of `leg` at `fill_price`, quote currency."""
        return formulas.fee(quantity, fill_price, self._rates[leg])
