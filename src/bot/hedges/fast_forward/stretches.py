"""Find the next event at which an order of hedges is possible; until then funding and interest are booked."""

from bisect import bisect_left, bisect_right
from decimal import Decimal

from bot.hedges.fast_forward.event_columns import EventColumns
from bot.hedges.fast_forward.held_stretch import HeldStretch
from bot.hedges.maintenance import takes_up
from bot.hedges.mark_tests import extremes_of
from bot.hedges.positions import OpenHedge, OpenLeg
from bot.hedges.trader import HedgeTrader


class FastForward:
    """Skips events at which no order is possible, by the rules that a trader applies to each event.

    Call inside `exact_products()`.
    """

    def __init__(self, trader: HedgeTrader, columns: EventColumns) -> None:
        config = trader.config
        self._trader = trader
        self._columns = columns
        self._moments = columns.moments
        self._max_age_ms = config.max_price_age_ms
        self._paying = columns.paying(trader.decisions.entry_floor, self._max_age_ms)
        self._share = config.margin_exit_ratio
        if config.margin_policy != "none":
            self._share = min(self._share, config.margin_trigger)
        levels = config.wallet_trigger is not None and len(trader.account.wallets.exchanges) > 1
        # A strategy with memory has to see every settlement.
        self._skips = not levels and not trader.decisions.remembers
        self._watches_prices = config.basis_exit is not None or config.exit_liquidation_distance is not None
        self._exits: dict[int, int] = {}

    def equities(self) -> list[Decimal]:
        """Go through all events but the last, and return the equity after each."""
        equities: list[Decimal] = []
        at, last = 0, len(self._moments) - 1
        while at < last:
            stop = self._next_stop(at, last)
            if stop > at:
                equities += HeldStretch(self._trader, self._columns, at, stop).equities()
            else:
                equities.append(self._trader.on_event(self._moments[at]))
            at = len(equities)
        return equities

    def _next_stop(self, at: int, last: int) -> int:
        """Return the first event from `at` on, at most `last`, at which something else may happen."""
        account = self._trader.account
        if not self._skips or account.waiting or account.wallets.under_way is not None:
            return at
        if account.hedges and (self._watches_prices or not all(map(_is_quiet, account.hedges))):
            return at
        stop = last
        for hedge in account.hedges:
            stop = self._first_exit(hedge, at, stop)
        if self._trader.slots_left() > 0:
            stop = self._first_entry(at, stop)
        for hedge in account.hedges:
            for leg in hedge.legs:
                if leg.market.kind.is_margined:
                    stop = self._first_margin_check(leg, at, stop)
        return stop

    def _first_exit(self, hedge: OpenHedge, at: int, last: int) -> int:
        """Return the first event at which a signal, an end or a stress entry may end a hedge."""
        known = self._exits.get(hedge.number)
        if known is None or known < at:
            known = self._exits[hedge.number] = self._searched_exit(hedge, at)
        return min(known, last)

    def _searched_exit(self, hedge: OpenHedge, at: int) -> int:
        config, previous_ms = self._trader.config, self._moments[at - 1]
        ends = [entry.at for entry in config.stress if entry.at > previous_ms]
        for leg in hedge.legs:
            contract = leg.contract
            ends += [contract.to_ms] if contract.to_ms is not None else []
            if config.exit_on_announcement and contract.announced_ms is not None:
                ends.append(contract.announced_ms)
        stop = min(map(self._columns.place_from, ends), default=len(self._moments))
        decided = self._columns.decided(hedge.name, self._max_age_ms)
        wanted = self._trader.decisions.first_exit(decided[at:stop])
        return stop if wanted is None else at + wanted

    def _first_entry(self, at: int, last: int) -> int:
        """Return the first event at which a hedge that is not held may be entered."""
        trader, (places, settlements) = self._trader, self._paying
        kept_out = trader.account.names
        kept_out |= {name for name in trader.markets if name not in kept_out and trader.is_taken(name)}
        may_enter = trader.decisions.may_enter
        for index in range(bisect_left(places, at), len(places)):
            if places[index] >= last:
                break
            if any(one.name not in kept_out and may_enter(one) for one in settlements[index]):
                return places[index]
        return last

    def _first_margin_check(self, leg: OpenLeg, at: int, last: int) -> int:
        """Return the first event that a leg may not reach or may not leave as it is."""
        if at >= last:
            return at
        brackets_at, moments = leg.market.maintenance.at, self._moments
        marks, columns = leg.contract.marks, self._columns.of(leg.contract)
        untested = marks.count(leg.tested_ms)
        first_ms = marks.closed_ms[untested] if untested < columns.marked[at] else moments[at]
        brackets = brackets_at(first_ms)
        if brackets_at(moments[last - 1]) is not brackets:
            changed = [brackets_at(t_ms) is not brackets for t_ms in moments[at:last]]
            last = at + changed.index(True)
        last = self._first_wipe_out(leg, untested, at, last)
        own = self._columns.known_marks(leg.contract, at, last)
        kind, share = leg.market.kind, self._share
        if not own:
            return last
        if len(brackets) == 1 and brackets[0].mmr < share:
            # What one bracket takes up of the balance grows on the way against the leg.
            worst = max(own) if leg.side < 0 else min(own)
            if not takes_up(kind, leg, worst, brackets, share):
                return last
        reached = (place for place, mark in enumerate(own, at) if takes_up(kind, leg, mark, brackets, share))
        return next(reached, last)

    def _first_wipe_out(self, leg: OpenLeg, untested: int, at: int, last: int) -> int:
        """Return the first event by which an untested mark candle may have wiped out a leg."""
        if at >= last:
            return at
        marked, extremes = self._columns.of(leg.contract).marked, extremes_of(leg)
        candles = extremes[untested : marked[last - 1]]
        if not candles:
            return last
        level = leg.liquidation_level(leg.contract.marks.closed_ms[untested])
        if not level.may_be_reached(max(candles) if leg.side < 0 else min(candles)):
            return last
        reached = next(place for place, one in enumerate(candles, untested) if level.may_be_reached(one))
        return bisect_right(marked, reached, at, last)


def _is_quiet(hedge: OpenHedge) -> bool:
    """Return whether nothing of a hedge is under way: no order, transfer, second leg or signal."""
    under_way = (
        hedge.closing is not None or hedge.signals or any(leg.arrives_ms is not None for leg in hedge.legs)
    )
    return hedge.is_whole and not under_way
