"""Where a trader has nothing to do, or nothing but to book the funding of its hedges."""

from decimal import Decimal

from bot.market.event_columns import Lane, Track
from bot.models import Position
from bot.numbers.thresholds import Choice
from bot.strategies.strategy import Strategy
from bot.trading.contract_watch import ContractWatch
from bot.trading.margin_watch import MarginWatch
from bot.trading.position_manager import PositionManager


class QuietStretches:
    """Looks ahead over the events of a track, asking what a trader of `slots` would ask at each of them."""

    def __init__(
        self,
        track: Track,
        strategy: Strategy,
        positions: PositionManager,
        margin: MarginWatch,
        contracts: ContractWatch,
        slots: int,
    ) -> None:
        self._track = track
        self._strategy = strategy
        self._positions = positions
        self._margin = margin
        self._contracts = contracts
        self._full = slots, len(track.symbols)
        floor = strategy.entry_floor
        self._paying = None if floor is None else (floor, track.paying(floor))
        self._stirring: dict[str, tuple[Lane, Choice]] = {}
        self._judged: dict[str, tuple[Position, int]] = {}

    def until(self, at: int, last: int) -> int:
        """Return the first place from `at` on, at most `last`, at which there may be more to do."""
        held = self._positions.held
        if self._strategy.remembers or self._positions.unfinished:
            return at
        full = len(held) in self._full
        if self._paying is None and not full:
            return at
        stop = last
        for position in held.values():
            stop = self._calm_until(position, at, stop)
        return stop if full or self._paying is None else self._first_entry(*self._paying, at, stop)

    def _first_entry(self, floor: Decimal, paying: Choice, at: int, last: int) -> int:
        """Return the first place at which a pair that is not held may be entered."""
        held, may_enter = self._positions.held, self._strategy.may_enter
        while (at := paying.first(at)) < last:
            for view in self._contracts.living(self._track.events[at].decidable):
                funding = view.funding
                if funding.rate_8h >= floor and funding.symbol not in held and may_enter(view):
                    return at
            at += 1
        return last

    def _calm_until(self, position: Position, at: int, last: int) -> int:
        """Return the first place at which a hedge may end, or needs a closer look."""
        lane, stirring = self._lane(position.symbol)
        ending = self._track.place_from(self._contracts.end_ms(position.symbol))
        stop = min(last, self._judged_at(position, lane, at), stirring.first(at), ending)
        if self._strategy.exit_ceiling is not None:
            return stop
        wants_exit = self._strategy.wants_exit
        exits = (place for place in range(at, stop) if wants_exit(lane.views[place]))  # type: ignore[arg-type]
        return next(exits, stop)

    def _lane(self, symbol: str) -> tuple[Lane, Choice]:
        """Return a pair's lane, and where a hedge of it cannot go on without being looked at."""
        known = self._stirring.get(symbol)
        if known is None:
            lane = self._track.lane(symbol)
            known = self._stirring[symbol] = lane, lane.stirring(self._strategy.exit_ceiling)
        return known

    def _judged_at(self, position: Position, lane: Lane, at: int) -> int:
        """Return the first place from `at` on at which margin has a say."""
        known = self._judged.get(position.symbol)
        if known is None or known[0] is not position or known[1] < at:
            place = lane.first_judged(min(self._margin.guards(position)), at)
            known = self._judged[position.symbol] = position, place
        return known[1]
