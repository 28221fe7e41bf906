"""Fees of fills: rates by leg and kind of order, and the models that apply them."""

from abc import ABC, abstractmethod
from collections.abc import Iterable
from decimal import Decimal
from functools import lru_cache
from typing import ClassVar, NamedTuple

from bot.accounting import formulas
from bot.accounting.formulas import Amount
from bot.models import LEGS, Leg, Position, Trade


class FeeSchedule(NamedTuple):
    """Fee rates of both legs for one kind of order, fractions of the filled notional."""

    spot: Decimal
    perp: Decimal

    @property
    def round_trip(self) -> Decimal:
        """Fee rate of opening and closing both legs."""
        return 2 * (self.spot + self.perp)

    def rate(self, leg: Leg) -> Decimal:
        """Return the rate of a leg."""
        return self.spot if leg is Leg.SPOT else self.perp


class FeeModel(ABC):
    """Fee rates of the fills of one account; `varies` says that they depend on time.

    Source: docs/domain.md, section 4.
    """

    __slots__ = ()
    varies: ClassVar[bool] = False

    @abstractmethod
    def rate(self, leg: Leg, *, maker: bool, t_ms: int) -> Decimal:
        """Return the rate of a fill of `leg` at `t_ms`, a fraction of its notional; negative is a rebate."""

    def of(self, symbol: str) -> "FeeModel":  # noqa: ARG002
        """Return the rates of one pair; here they are those of all."""
        return self

    def fee(
        self, leg: Leg, quantity: Amount, fill_price: Amount, *, maker: bool = False, t_ms: int = 0
    ) -> Amount:
        """Return the booked fee of filling `quantity` of `leg` at `fill_price`, quote currency."""
        return formulas.fee(quantity, fill_price, self.rate(leg, maker=maker, t_ms=t_ms))

    def note(self, leg: Leg, quantity: Decimal, fill_price: Decimal, t_ms: int) -> None:  # noqa: ARG002
        """Count a fill of the account, where rates depend on what it has traded."""
        return

    def recall(self, trades: Iterable[Trade], held: Iterable[Position] = ()) -> None:
        """Count the fills of hedges that the account had before; liquidations are none."""
        if not self.varies:
            return
        for trade in trades:
            self.note(Leg.SPOT, trade.quantity, trade.spot_entry, trade.opened_at_ms)
            self.note(Leg.PERP, trade.quantity, trade.perp_entry, trade.opened_at_ms)
            self.note(Leg.SPOT, trade.quantity, trade.spot_exit, trade.closed_at_ms)
            if trade.perp_exit is not None:
                self.note(Leg.PERP, trade.quantity, trade.perp_exit, trade.closed_at_ms)
        for position in held:
            self.note(Leg.SPOT, position.quantity, position.spot_entry, position.opened_at_ms)
            self.note(Leg.PERP, position.quantity, position.perp_entry, position.opened_at_ms)


class FlatFees(FeeModel):
    """Fees at the same rates at all times; without rates for `maker` orders those pay as takers."""

    __slots__ = ("_rates",)

    def __init__(self, taker: FeeSchedule, maker: FeeSchedule | None = None) -> None:
        kinds = {False: taker, True: maker or taker}
        self._rates = {kind: {leg: schedule.rate(leg) for leg in LEGS} for kind, schedule in kinds.items()}

    def rate(self, leg: Leg, *, maker: bool, t_ms: int) -> Decimal:  # noqa: ARG002
        """Return the rate of a fill of `leg`, a fraction of its notional."""
        return self._rates[maker][leg]

    def fee(
        self,
        leg: Leg,
        quantity: Amount,
        fill_price: Amount,
        *,
        maker: bool = False,
        t_ms: int = 0,  # noqa: ARG002
    ) -> Amount:
        """Return the booked fee of filling `quantity` of `leg` at `fill_price`, quote currency."""
        # One call less than by `rate`: every order of a replay comes by here.
        return formulas.fee(quantity, fill_price, self._rates[maker][leg])


@lru_cache(maxsize=256)
def flat_fees(taker: FeeSchedule, maker: FeeSchedule) -> FlatFees:
    """Return the fees of accounts that pay these rates at all times; accounts of equal rates share them."""
    return FlatFees(taker, maker)
