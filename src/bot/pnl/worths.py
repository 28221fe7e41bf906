"""What an account is worth after each event of a replay: hedges are priced together, once all are known."""

from decimal import Decimal

import numpy as np

from bot.analytics.metrics import UNITS_PER_QUOTE, Units, fitting
from bot.market_data.track import Lane
from bot.models import Position
from bot.money import MONEY_PLACES
from bot.pnl import formulas
from bot.pnl.exact_array import ExactArray

_Held = tuple[Position, int, int]


class WorthCurve:
    """The worths after `events` events in units of 1e-8, filled in from the first. Call inside `exact()`."""

    def __init__(self, events: int) -> None:
        self.events_in_market = 0
        self._units: Units = np.zeros(events, dtype=np.int64)
        self._hedges: dict[Lane, list[_Held]] = {}

    def stand(self, first: int, stop: int, worth: Decimal, *, held: bool) -> None:
        """Have the same worth after each of some events."""
        self._put(first, stop, int(worth * UNITS_PER_QUOTE))
        if held:
            self.events_in_market += stop - first

    def carry(
        self, position: Position, lane: Lane, first: int, stop: int, before: Decimal, received: ExactArray
    ) -> None:
        """Hold a hedge at some events, with the cash `before` them and what has been received after each."""
        self._put(first, stop, received.whole(MONEY_PLACES) + int(before * UNITS_PER_QUOTE))
        self._hedges.setdefault(lane, []).append((position, first, stop))
        self.events_in_market += stop - first

    def units(self) -> Units:
        """Return the worths."""
        for lane, hedges in self._hedges.items():
            self._price(lane, hedges)
        self._hedges.clear()
        return fitting(self._units)

    def _price(self, lane: Lane, hedges: list[_Held]) -> None:
        lengths = [stop - first for _, first, stop in hedges]
        places = np.concatenate([np.arange(first, stop) for _, first, stop in hedges])
        which = np.repeat(np.arange(len(hedges)), lengths)
        quantities = ExactArray.from_decimals([position.quantity for position, _, _ in hedges])
        entries = ExactArray.from_decimals([position.perp_entry for position, _, _ in hedges])
        values = formulas.hedge_value(
            quantities[which], lane.spot[places], entries[which], lane.perp[places]
        ).whole(MONEY_PLACES)
        if values.dtype == object or fitting(self._units).dtype == object:
            self._units = self._units.astype(object)
        self._units[places] += values

    def _put(self, first: int, stop: int, units: Units | int) -> None:
        try:
            self._units[first:stop] = units
        except OverflowError:
            self._units = self._units.astype(object)
            self._units[first:stop] = units
