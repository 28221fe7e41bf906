"""Rules of patience: how long a hedge is kept beyond an exit signal, what else ends it, when a pair returns.

Source: docs/domain.md, section 5 and 6.
"""

from dataclasses import dataclass
from decimal import Decimal

from bot.models import HOUR_MS, FundingRate
from bot.numbers.money import ONE, ZERO


@dataclass(frozen=True, slots=True)
class Patience:
    """Rules of one account, times in hours; comparisons are exact. The defaults ask for nothing.

    `basis_exit` and `liquidation_distance` are fractions of prices.
    """

    min_hold_hours: Decimal = ZERO
    exit_confirmations: int = 1
    loss_horizon_hours: Decimal | None = None
    cooldown_hours: Decimal = ZERO
    max_round_trips: int | None = None
    basis_exit: Decimal | None = None
    liquidation_distance: Decimal | None = None

    @property
    def watches_prices(self) -> bool:
        """True if prices alone may end a hedge, at any event."""
        return self.basis_exit is not None or self.liquidation_distance is not None

    @property
    def follows_every_signal(self) -> bool:
        """True if a signal closes a hedge at once, whenever it is given."""
        at_once = not self.min_hold_hours and self.exit_confirmations == 1
        return at_once and self.loss_horizon_hours is None

    def costs_more(self, funding: FundingRate, leaving: Decimal) -> bool:
        """Return whether funding over the horizon costs more than `leaving`, both per unit of notional.

        Without a horizon it always does.
        """
        if self.loss_horizon_hours is None:
            return True
        return -funding.rate * self.loss_horizon_hours > leaving * funding.interval_hours

    def may_leave(self, opened_ms: int, t_ms: int, signals: int) -> bool:
        """Return whether so many exit signals in a row close a hedge at `t_ms`."""
        held_long = t_ms - opened_ms >= self.min_hold_hours * HOUR_MS
        return held_long and signals >= self.exit_confirmations

    def may_return(self, round_trips: int, closed_ms: int, t_ms: int) -> bool:
        """Return whether a pair may be entered at `t_ms` after so many round trips, closed by `closed_ms`."""
        few = self.max_round_trips is None or round_trips < self.max_round_trips
        return few and t_ms - closed_ms >= self.cooldown_hours * HOUR_MS

    def basis_is_extended(self, opening: tuple[Decimal, Decimal], spot: Decimal, perp: Decimal) -> bool:
        """Return whether the premium of `perp` over `spot` is too far above that of the `opening` prices."""
        if self.basis_exit is None:
            return False
        spot_then, perp_then = opening
        # The difference of two quotients, multiplied through: exact.
        return perp * spot_then - perp_then * spot >= self.basis_exit * spot * spot_then

    def mark_at_distance(self, mark: Decimal) -> Decimal | None:
        """Return the mark price at which a short must not be liquidated yet; None without such a rule."""
        return None if self.liquidation_distance is None else mark * (ONE + self.liquidation_distance)
