"""Find the next event at which an order is possible; until then only funding is booked."""

from decimal import Decimal

from bot.market.event_columns import EventColumns, PairColumns
from bot.models import Position
from bot.numbers.thresholds import EventMask
from bot.strategies.strategy import Strategy
from bot.trading.contract_watch import ContractWatch
from bot.trading.margin_watch import MarginWatch
from bot.trading.position_manager import PositionManager


class FastForward:
    """Skips events at which no order can happen, by the rules a trader of `slots` applies to each event."""

    def __init__(
        self,
        columns: EventColumns,
        strategy: Strategy,
        positions: PositionManager,
        margin: MarginWatch,
        contracts: ContractWatch,
        slots: int,
    ) -> None:
        self._columns = columns
        self._strategy = strategy
        self._positions = positions
        self._margin = margin
        self._contracts = contracts
        # Accounts are full with every slot taken, or with every pair held: entries need not be looked for
        # then.
        self._full = min(slots, len(columns.symbols) - len(contracts.untraded))
        floor = strategy.entry_floor
        self._entries = None if floor is None else (floor, columns.entry_mask(floor))
        self._exit_masks: dict[str, tuple[PairColumns, EventMask]] = {}
        self._margin_checks: dict[str, tuple[Position, int]] = {}

    def next_stop(self, at: int, last: int) -> int:
        """Return the first event from `at` on, at most `last`, at which an order is possible."""
        held = self._positions.held
        # A strategy with memory has to see every settlement, and unfinished hedges are worked on at every
        # event; hedges of pairs that are no longer traded are closed as soon as possible.
        if self._strategy.remembers or self._positions.unfinished:
            return at
        if not self._contracts.untraded.isdisjoint(held):
            return at
        full = len(held) >= self._full
        if self._entries is None and not full:
            return at
        stop = last
        for position in held.values():
            stop = self._first_exit(position, at, stop)
        return stop if full or self._entries is None else self._first_entry(*self._entries, at, stop)

    def _first_entry(self, floor: Decimal, entry_mask: EventMask, at: int, last: int) -> int:
        """Return the first event at which a pair that is not held may be entered."""
        held, may_enter = self._positions.held, self._strategy.may_enter
        # The mask knows the best rate of each event only: whether that pair is free and living is asked here.
        while (at := entry_mask.first(at)) < last:
            for view in self._contracts.living(self._columns.events[at].decidable):
                funding = view.funding
                if funding.rate_8h >= floor and funding.symbol not in held and may_enter(view):
                    return at
            at += 1
        return last

    def _first_exit(self, position: Position, at: int, last: int) -> int:
        """Return the first event at which a hedge may end, or that has to be processed by itself."""
        pair, exit_mask = self._pair(position.symbol)
        ending = self._columns.index_from(self._contracts.end_ms(position.symbol))
        stop = min(last, self._first_margin_check(position, pair, at), exit_mask.first(at), ending)
        # With a ceiling the mask holds every event whose rate allows an exit; without one each view is asked.
        # No view before `stop` is None: the mask stops at events without one.
        if self._strategy.exit_ceiling is not None:
            return stop
        wants_exit = self._strategy.wants_exit
        exits = (place for place in range(at, stop) if wants_exit(pair.views[place]))  # type: ignore[arg-type]
        return next(exits, stop)

    def _pair(self, symbol: str) -> tuple[PairColumns, EventMask]:
        """Return the columns of a pair, and the mask of events that a hedge of it cannot skip."""
        known = self._exit_masks.get(symbol)
        if known is None:
            pair = self._columns.pair(symbol)
            known = self._exit_masks[symbol] = pair, pair.exit_mask(self._strategy.exit_ceiling)
        return known

    def _first_margin_check(self, position: Position, pair: PairColumns, at: int) -> int:
        """Return the first event from `at` on at which the margin of a hedge has to be checked."""
        # Guards depend on the position alone, so a result stands until the position changes or is passed.
        known = self._margin_checks.get(position.symbol)
        if known is None or known[0] is not position or known[1] < at:
            place = pair.first_margin_check(min(self._margin.guards(position)), at)
            known = self._margin_checks[position.symbol] = position, place
        return known[1]
