"""Find the next event at which an order is possible; until then only funding is booked."""

from bisect import bisect_left

from bot.accounting.sizing import is_full
from bot.market.event_columns import EventColumns
from bot.models import MarketEvent, Position, SettlementView
from bot.strategies.strategy import Strategy
from bot.trading.contract_watch import ContractWatch
from bot.trading.margin_watch import MarginWatch
from bot.trading.patience_watch import PatienceWatch
from bot.trading.position_manager import PositionManager


class Watches:
    """Watches over the hedges of an account: what may end them, and what may be entered again."""

    __slots__ = ("_all_may_enter", "contracts", "margin", "patience")

    def __init__(self, margin: MarginWatch, contracts: ContractWatch, patience: PatienceWatch) -> None:
        self.margin = margin
        self.contracts = contracts
        self.patience = patience
        self._all_may_enter = contracts.all_live and patience.returns_freely

    def candidates(self, views: tuple[SettlementView, ...]) -> tuple[SettlementView, ...]:
        """Return the settling pairs that can be entered: those whose contract lives, and that may return."""
        if self._all_may_enter:
            return views
        contracts, patience = self.contracts, self.patience
        return tuple([view for view in views if contracts.lives(view) and patience.may_return(view)])


class FastForward:
    """Skips events at which no order can happen, by the rules a trader of `slots` applies to each event."""

    def __init__(
        self,
        columns: EventColumns,
        strategy: Strategy,
        positions: PositionManager,
        watches: Watches,
        slots: int,
    ) -> None:
        self._columns = columns
        self._strategy = strategy
        self._positions = positions
        self._margin, self._contracts, self._patience = watches.margin, watches.contracts, watches.patience
        self._candidates = watches.candidates
        # Without a pair left to enter, entries need not be looked for either.
        self._most = min(slots, len(columns.symbols) - len(watches.contracts.untraded))
        self._paying = columns.paying(strategy.entry_floor)
        self._exit_floor = strategy.exit_floor
        self._exits: dict[str, tuple[Position, int]] = {}

    def next_stop(self, at: int, last: int) -> int:
        """Return the first event from `at` on, at most `last`, at which an order is possible."""
        held = self._positions.held
        # A strategy with memory has to see every settlement, and unfinished hedges are worked on at every
        # event; hedges of pairs that are no longer traded are closed as soon as possible.
        if self._strategy.remembers or self._positions.unfinished:
            return at
        if not self._contracts.untraded.isdisjoint(held):
            return at
        if held and self._patience.watches_prices:
            return at
        stop = last
        for position in held.values():
            stop = min(stop, self._first_exit(position, at, last))
        return stop if is_full(len(held), self._most) else self._first_entry(at, stop)

    def _first_entry(self, at: int, last: int) -> int:
        """Return the first event at which a pair that is not held may be entered."""
        paying = self._paying
        for index in range(bisect_left(paying, at), len(paying)):
            place = paying[index]
            if place >= last:
                break
            if self._may_enter(self._columns.events[place]):
                return place
        return last

    def _may_enter(self, event: MarketEvent) -> bool:
        held, may_enter = self._positions.held, self._strategy.may_enter
        for view in self._candidates(event.decidable):
            if view.funding.symbol not in held and may_enter(view):
                return True
        return False

    def _first_exit(self, position: Position, at: int, last: int) -> int:
        """Return the first event at which a hedge may end, or that has to be processed by itself."""
        # It follows from the position alone, so it stands until the position changes or is passed.
        known = self._exits.get(position.symbol)
        if known is None or known[0] is not position or known[1] < at:
            place = self._searched_exit(position, at, last)
            known = self._exits[position.symbol] = position, place
        return known[1]

    def _searched_exit(self, position: Position, at: int, last: int) -> int:
        pair, wants_exit = self._columns.pair(position.symbol), self._strategy.wants_exit
        ending = self._columns.index_from(self._contracts.end_ms(position.symbol))
        margin_check = pair.highest_mark.first_at_least(self._margin.guard(position), at)
        stop, views = min(last, ending, margin_check), pair.views
        if not self._patience.follows_all:  # signals are counted where the pair settles, and only there
            stop = min(stop, pair.first_passing(at))
        places = pair.paying_less(self._exit_floor)
        for index in range(bisect_left(places, at), len(places)):
            place = places[index]
            if place >= stop:
                break
            view = views[place]
            if view is None or wants_exit(view):
                return place
        return max(at, stop)
