"""Where a trader has nothing to do, or nothing but to book the funding of one hedge."""

from bot.market_data.track import Lane, Track
from bot.models import Position
from bot.position.manager import PositionManager
from bot.position.margin_watch import MarginWatch
from bot.strategies.strategy import Strategy


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
        if not held:
            return at if strategy.entry_floor is None else track.first_paying(strategy.entry_floor, at, last)
        if len(held) > 1 or self._slots > 1 < track.pairs:
            return at
        [position] = held.values()
        return self._calm_until(position, track.lane(position.symbol), at, last)

    def _calm_until(self, position: Position, lane: Lane, at: int, last: int) -> int:
        """Return the first place at which a hedge may end, or needs a closer look."""
        least, wants_exit = min(self._margin.guards(position)), self._strategy.wants_exit
        worst, views = lane.worst, lane.views
        for place in range(at, last):
            if worst[place] >= least or wants_exit(views[place]):  # type: ignore[arg-type]
                return place
        return last
