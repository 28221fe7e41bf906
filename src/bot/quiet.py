"""Where a trader has nothing to do, or nothing but to book the funding of its hedges."""

from bot.market_data.track import Lane, Track
from bot.models import Position
from bot.position.manager import PositionManager
from bot.position.margin_watch import MarginWatch
from bot.strategies.strategy import Strategy


class QuietStretches:
    """Looks ahead over the events of a track, asking what the trader would ask at each of them."""

    __slots__ = ("_judged", "_margin", "_positions", "_slots", "_strategy")

    def __init__(
        self, strategy: Strategy, positions: PositionManager, margin: MarginWatch, slots: int
    ) -> None:
        self._strategy = strategy
        self._positions = positions
        self._margin = margin
        self._slots = slots
        self._judged: dict[str, tuple[Position, int]] = {}

    def until(self, track: Track, at: int, last: int) -> int:
        """Return the first place from `at` on, at most `last`, at which there may be more to do."""
        held, strategy = self._positions.held, self._strategy
        if strategy.remembers or self._positions.unfinished:
            return at
        full = bool(held) and len(held) in (self._slots, len(track.symbols))
        floor = None if full else strategy.entry_floor
        if not full and floor is None:
            return at
        stop = last
        for position in held.values():
            stop = self._calm_until(position, track.lane(position.symbol), at, stop)
        return stop if floor is None else track.first_paying(floor, at, stop, held)

    def _calm_until(self, position: Position, lane: Lane, at: int, last: int) -> int:
        """Return the first place at which a hedge may end, or needs a closer look."""
        ceiling, wants_exit = self._strategy.exit_ceiling, self._strategy.wants_exit
        stop = min(last, self._judged_at(position, lane, at), int(lane.stirring(ceiling).next[at]))
        if ceiling is not None:
            return stop
        exits = (place for place in range(at, stop) if wants_exit(lane.views[place]))  # type: ignore[arg-type]
        return next(exits, stop)

    def _judged_at(self, position: Position, lane: Lane, at: int) -> int:
        """Return the first place from `at` on at which margin has a say."""
        known = self._judged.get(position.symbol)
        if known is None or known[0] is not position or known[1] < at:
            place = lane.first_judged(min(self._margin.guards(position)), at)
            known = self._judged[position.symbol] = position, place
        return known[1]
