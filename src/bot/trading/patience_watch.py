"""Patience of one account: what it remembers of hedges and pairs, and whether a signal is followed."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from decimal import Decimal

from bot.accounting.patience import Patience
from bot.accounting.trading_costs import TradingCosts
from bot.errors import ExecutionError
from bot.models import Position, SettlementView, Ticker
from bot.trading.account import RoundTrips, Waiting


class PatienceWatch:
    """Applies rules of patience, given the `costs` of a signal's exit.

    `round_trips` are those of the account, which go on changing.
    """

    __slots__ = (
        "_costs",
        "_opened",
        "_round_trips",
        "_waiting",
        "follows_all",
        "returns_freely",
        "rules",
        "watches_prices",
    )

    def __init__(self, rules: Patience, costs: TradingCosts, round_trips: Mapping[str, RoundTrips]) -> None:
        self.rules = rules
        self._costs = costs
        self._round_trips = round_trips
        self.watches_prices = rules.watches_prices
        self.returns_freely = not rules.cooldown_hours and rules.max_round_trips is None
        self.follows_all = rules.follows_every_signal
        # A memory is made of the opening only when a rule asks for it: most accounts have none.
        self._opened: dict[str, tuple[int, Ticker]] = {}
        self._waiting: dict[str, Waiting] = {}

    def may_return(self, view: SettlementView) -> bool:
        """Return whether the settling pair may be a candidate again."""
        if self.returns_freely:
            return True
        funding = view.funding
        before = self._round_trips.get(funding.symbol)
        return before is None or self.rules.may_return(before.trips, before.closed_at_ms, funding.t_ms)

    def follows(self, position: Position, view: SettlementView, *, wanted: bool) -> bool:
        """Return whether a hedge is closed at a settlement, where its strategy `wanted` that or not."""
        if self.follows_all:
            return wanted
        if not wanted:
            self.no_signals((position.symbol,))
            return False
        rules, funding = self.rules, view.funding
        signal = rules.costs_more(funding, self._costs.leaving(funding.t_ms))
        known = self._remembered(position, view.ticker)
        signals = known.signals + 1 if signal else 0
        if signals != known.signals:
            self._waiting[position.symbol] = replace(known, signals=signals)
        return signal and rules.may_leave(position.opened_at_ms, funding.t_ms, signals)

    def basis_is_extended(self, position: Position, ticker: Ticker) -> bool:
        """Return whether the basis has moved against a hedge too far since its opening; prices are fresh."""
        if self.rules.basis_exit is None:
            return False
        known, spot, perp = self._remembered(position, ticker), *_prices(ticker)
        return self.rules.basis_is_extended((known.spot, known.perp), spot, perp)

    def opened(self, position: Position, ticker: Ticker) -> None:
        """Remember a hedge that has been opened at the prices of `ticker`, unless it is known."""
        known = self._opened.get(position.symbol)
        if known is None or known[0] != position.opened_at_ms:
            self._opened[position.symbol] = position.opened_at_ms, ticker

    def no_signals(self, symbols: Iterable[str]) -> None:
        """Forget the exit signals of hedges: none was given at settlements that have been passed."""
        for symbol in symbols:
            known = self._waiting.get(symbol)
            if known is not None and known.signals:
                self._waiting[symbol] = replace(known, signals=0)

    def state(self, held: Mapping[str, Position]) -> dict[str, Waiting]:
        """Return what has to be remembered of the open hedges."""
        known = {symbol: self._known(position) for symbol, position in held.items()}
        return {symbol: memory for symbol, memory in known.items() if memory is not None}

    def restore(self, waiting: Mapping[str, Waiting]) -> None:
        """Go on from what was remembered."""
        self._waiting = dict(waiting)

    def _remembered(self, position: Position, ticker: Ticker) -> Waiting:
        """Return the memory of a hedge; one that is new was opened at the prices of `ticker`."""
        known = self._known(position) or Waiting(position.opened_at_ms, *_prices(ticker))
        self._waiting[position.symbol] = known
        return known

    def _known(self, position: Position) -> Waiting | None:
        """Return what is remembered of a hedge, or of its opening; None if it is new."""
        symbol, opened_ms = position.symbol, position.opened_at_ms
        known = self._waiting.get(symbol)
        if known is not None and known.opened_at_ms == opened_ms:
            return known
        since_ms, ticker = self._opened.get(symbol, (None, None))
        return None if ticker is None or since_ms != opened_ms else Waiting(opened_ms, *_prices(ticker))


def _prices(ticker: Ticker) -> tuple[Decimal, Decimal]:
    """Return the last prices of both legs; raises ExecutionError without one."""
    if ticker.spot is None or ticker.perp is None:
        raise ExecutionError(f"{ticker.symbol} has no price of one leg")
    return ticker.spot, ticker.perp
