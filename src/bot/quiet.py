"""Where a trader has nothing to do, or nothing but to book the funding of its hedges."""

from collections.abc import Sequence
from decimal import Decimal

from bot.market_data.track import Lane, Track
from bot.position.manager import PositionManager
from bot.position.margin_watch import MarginWatch
from bot.strategies.strategy import Strategy

_Guarded = tuple[Lane, Decimal]


class QuietStretches:
    """Looks ahead over the events of a track, asking what the trader would ask at each of them."""

    __slots__ = ("_margin", "_positions", "_slots", "_strategy")

    def __init__(
        self, strategy: Strategy, positions: PositionManager, margin: MarginWatch, slots: int
    ) -> None:
        self._strategy = strategy
        self._positions = positions
        self._margin = margin
        self._slots = slots

    def until(self, track: Track, at: int, last: int) -> int:
        """Return the first place from `at` on, at most `last`, at which there may be more to do."""
        held, strategy = self._positions.held, self._strategy
        if strategy.remembers or self._positions.unfinished:
            return at
        full = bool(held) and len(held) in (self._slots, len(track.symbols))
        floor = None if full else strategy.entry_floor
        if not full and floor is None:
            return at
        if not held and floor is not None:
            return track.first_paying(floor, at, last)
        guarded = [
            (track.lane(symbol), min(self._margin.guards(position))) for symbol, position in held.items()
        ]
        if len(guarded) == 1 and floor is None:
            return self._calm_until(*guarded[0], at, last)
        return self._all_calm_until(track, guarded, floor, at, last)

    def _all_calm_until(
        self, track: Track, guarded: Sequence[_Guarded], floor: Decimal | None, at: int, last: int
    ) -> int:
        """Return the first place at which a hedge may end, or a pair without one pays `floor` or more."""
        taken = self._positions.held
        for place in range(at, last):
            if floor is not None and track.pays(floor, place, taken):
                return place
            if any(self._calm_until(*hedge, place, place + 1) == place for hedge in guarded):
                return place
        return last

    def _calm_until(self, lane: Lane, least: Decimal, at: int, last: int) -> int:
        """Return the first place at which a hedge may end, or needs a closer look.

        Below mark prices of `least` margin has no say.
        """
        worst, views, wants_exit = lane.worst, lane.views, self._strategy.wants_exit
        for place in range(at, last):
            if worst[place] >= least or wants_exit(views[place]):  # type: ignore[arg-type]
                return place
        return last
