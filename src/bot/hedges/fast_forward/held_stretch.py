"""Stretch of events at which nothing is decided: hedges settle, pay interest and are priced."""

from collections.abc import Iterator
from decimal import Decimal
from itertools import repeat
from operator import add

from bot.hedges.fast_forward.event_columns import EventColumns
from bot.hedges.mark_tests import tested
from bot.hedges.trader import HedgeTrader
from bot.models import HOUR_MS
from bot.numbers.money import ZERO


class HeldStretch:
    """Events from the place `at` to below `stop` with the same whole hedges before and after each, or none.

    Call inside `exact_products()`.
    """

    def __init__(self, trader: HedgeTrader, columns: EventColumns, at: int, stop: int) -> None:
        self._trader = trader
        self._account = trader.account
        self._columns = columns
        self._moments = columns.moments
        self._at, self._stop = at, stop
        hedges = trader.account.hedges
        self._legs = [(hedge, leg) for hedge in hedges for leg in hedge.legs]
        self._inverse = [hedge for hedge in hedges if hedge.market.structure.is_inverse]

    def equities(self) -> list[Decimal]:
        """Book what the events bring, and return the equity after each."""
        trader, last_ms = self._trader, self._moments[self._stop - 1]
        equities = list(map(add, self._cash(), self._worths()))
        if not self._inverse:
            trader.observed.note_unchanged(self._moments[self._at : self._stop], self._account.hedges)
        for _, leg in self._legs:
            if leg.market.kind.is_margined:
                tested(leg, last_ms, trader.observed)
        trader.previous_ms = last_ms
        return equities

    def _cash(self) -> Iterator[Decimal]:
        """Book event by event, and yield the cash after each with the worth of inverse hedges then."""
        trader, account, moments = self._trader, self._account, self._moments
        hedges, inverse = account.hedges, self._inverse
        borrows = any(leg.market.kind.borrows for _, leg in self._legs)
        settling = [
            (hedge, leg, self._columns.of(leg.contract).records)
            for hedge, leg in self._legs
            if leg.market.kind.is_perp
        ]
        for place in range(self._at, self._stop):
            t_ms = moments[place]
            if borrows:
                for now in range(_next_hour(moments[place - 1]), t_ms + 1, HOUR_MS):
                    trader.charge_interest(now)
            for hedge, leg, records in settling:
                record = records[place]
                if record is not None:
                    trader.book_funding(hedge, leg, record, t_ms)
            if inverse:
                trader.observed.note_event(t_ms, hedges)
            cash = account.wallets.total
            for hedge in inverse:
                cash += sum((worth for _, worth in account.values_by_exchange(hedge, t_ms)), ZERO)
            yield cash

    def _worths(self) -> list[Decimal]:
        """Return what the legs of other hedges add to cash at each event."""
        worths = [ZERO] * (self._stop - self._at)
        for hedge, leg in self._legs:
            if hedge not in self._inverse:
                prices = self._columns.known_prices(leg.contract, self._at, self._stop)
                worths = list(map(add, worths, map(leg.market.kind.worth, repeat(leg), prices)))
        return worths


def _next_hour(t_ms: int) -> int:
    return t_ms - t_ms % HOUR_MS + HOUR_MS
