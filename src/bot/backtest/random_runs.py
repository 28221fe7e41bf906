"""Random entries of a finished run: its trips at other settlements, priced by the rules of every run."""

from dataclasses import dataclass

import numpy as np

from bot.accounting.event_order import INTERRUPTIONS
from bot.backtest.result import RunResult
from bot.backtest.slot_trips import SlotPrices
from bot.market.window import ReplayWindow
from bot.numbers.arrays import IntArray
from bot.numbers.money import exact
from bot.selection.evidence.random_entries import REPLICATES, Trips, p_random, random_trips

NO_TRIPS = "no trip to place elsewhere"
NO_CHOICE = "no settlement to spare: every placement is the same"


@dataclass(frozen=True, slots=True)
class RandomEntries:
    """Net P&L (1e-8) of the trips of a run, one slot each, and of each placement at random.

    `p` is the chance that random entries earn as much; None where `missing` says why.
    """

    symbols: dict[str, Trips]
    net_pnl: int
    drawn: list[int]
    p: float | None

    @property
    def missing(self) -> str | None:
        """Reason for having no chance."""
        if self.p is not None:
            return None
        return NO_CHOICE if any(own.lengths for own in self.symbols.values()) else NO_TRIPS


def random_entries(result: RunResult, window: ReplayWindow) -> RandomEntries:
    """Return what the trips of a run of `window` earn, and what they do at settlements chosen at random."""
    own = {symbol: _trips(result, window, symbol) for symbol in sorted(result.config.symbols)}
    trips = {
        symbol: Trips(_settlements(window, symbol), tuple((found[:, 1] - found[:, 0]).tolist()))
        for symbol, found in own.items()
    }
    traded = [symbol for symbol, found in own.items() if len(found)]
    placed = random_trips(result.run_key, trips) if traded else {}
    net, drawn = 0, [0] * REPLICATES
    with exact():
        for symbol in traded:
            every = np.concatenate([own[symbol], placed[symbol].reshape(-1, 2)])
            slots = SlotPrices.shared(window).of(result.config, window, symbol)
            nets = slots.net_pnls(*every.T).astype(object)
            first, *others = nets.reshape(1 + REPLICATES, -1).sum(axis=1).tolist()
            net += first
            drawn = [before + more for before, more in zip(drawn, others, strict=True)]
    return RandomEntries(trips, net, drawn, p_random(net, drawn, trips))


def _trips(result: RunResult, window: ReplayWindow, symbol: str) -> IntArray:
    """Return the trips of a pair by the number of its settlements, oldest first (trips x entry and end).

    One that the exchange ended lasts to the settlement after, unless the pair was entered again there; one
    that was left at an event of other pairs, to the settlement before.
    """
    times = window.calendar.times_ms[window.event_series(symbol).settles]
    trades = sorted(
        (trade for trade in result.trades if trade.symbol == symbol), key=lambda trade: trade.opened_at_ms
    )
    entries = np.searchsorted(times, [trade.opened_at_ms for trade in trades]).tolist()
    found = []
    for trade, entry, following in zip(trades, entries, [*entries, len(times)][1:], strict=True):
        if trade.reason in INTERRUPTIONS:
            end = min(int(np.searchsorted(times, trade.closed_at_ms)), following - 1)
        else:
            end = int(np.searchsorted(times, trade.closed_at_ms, side="right")) - 1
        found.append((entry, end))
    return np.array(found, dtype=np.int64).reshape(-1, 2)


def _settlements(window: ReplayWindow, symbol: str) -> int:
    return int(np.count_nonzero(window.event_series(symbol).settles))
