"""What an account is worth after each event of a replay: hedges are priced together, once all are known."""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import cast

import numpy as np
import numpy.typing as npt

from bot.analytics.metrics import Units, amount_units, fitting, packed
from bot.market_data.track import Lane
from bot.money import MONEY_PLACES
from bot.pnl import formulas
from bot.pnl.exact_array import ExactArray
from bot.pnl.payments import Held


class WorthCurve:
    """The worths in units of 1e-8, told from the first event to the last. Call inside `exact()`."""

    def __init__(self) -> None:
        self.events_in_market = 0
        self._worths: list[Decimal] = []
        self._events: list[int] = []
        self._held: list[tuple[Held, ExactArray]] = []

    def stand(self, worth: Decimal, events: int, *, held: bool) -> None:
        """Have the same worth after each of the next events."""
        self._worths.append(worth)
        self._events.append(events)
        if held:
            self.events_in_market += events

    def carry(self, hedges: Sequence[Held], before: Decimal, received: Iterable[ExactArray]) -> None:
        """Hold hedges at the next events, with the cash `before` them and what each has received by each."""
        self.stand(before, hedges[0].stop - hedges[0].first, held=True)
        self._held.extend(zip(hedges, received, strict=True))

    def units(self) -> Units:
        """Return the worths."""
        units = cast("Units", packed(amount_units(self._worths)).repeat(self._events))
        for lane in {hedge.lane: None for hedge, _ in self._held}:
            hedges = [hedge for hedge, _ in self._held if hedge.lane is lane]
            places = np.concatenate([np.arange(hedge.first, hedge.stop) for hedge in hedges])
            received = ExactArray.joined([sums for hedge, sums in self._held if hedge.lane is lane])
            added = (received + _values(lane, hedges, places)).whole(MONEY_PLACES)
            if added.dtype.hasobject:
                units = units.astype(object)
            units[places] += added
            units = fitting(units)
        return units


def _values(lane: Lane, hedges: list[Held], places: npt.NDArray[np.int64]) -> ExactArray:
    """Return what hedges of one pair add to cash, one after another, at `places` in their lane."""
    which = np.arange(len(hedges)).repeat([hedge.stop - hedge.first for hedge in hedges])
    quantities = ExactArray.from_decimals([hedge.position.quantity for hedge in hedges])
    entries = ExactArray.from_decimals([hedge.position.perp_entry for hedge in hedges])
    prices = lane.spot[places], entries[which], lane.perp[places]
    return formulas.hedge_value(quantities[which], *prices)
