"""Random entries of a finished run: its trips at other settlements, priced by the rules of every run."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from bot.accounting.event_order import INTERRUPTIONS
from bot.backtest.result import RunResult
from bot.backtest.slot_trips import SlotPrices
from bot.market.window import ReplayWindow
from bot.models import BookedTrade
from bot.numbers.arrays import IntArray
from bot.numbers.money import exact
from bot.selection.evidence.random_entries import REPLICATES, Trips, p_random, random_trips
from bot.statistics.metrics import Units, addable

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
    times = {symbol: _settlements(window, symbol) for symbol in result.config.symbols}
    own = {
        symbol: trips_of(_trades(result.trades, symbol), Moments(own, own, own))
        for symbol, own in times.items()
    }
    with exact():
        return placed_at_random(
            result.run_key,
            {symbol: len(own) for symbol, own in times.items()},
            own,
            lambda symbol: SlotPrices.shared(window).of(result.config, window, symbol).net_pnls,
        )


def placed_at_random(
    run_key: str,
    settlements: Mapping[str, int],
    own: Mapping[str, IntArray],
    priced: Callable[[str], Callable[[IntArray, IntArray], Units]],
) -> RandomEntries:
    """Return what trips earn, and what they do at settlements chosen at random.

    `own` has the trips of each symbol (trips x entry and end); `priced` returns what prices some of a symbol.
    """
    trips = {
        symbol: Trips(settlements[symbol], tuple((own[symbol][:, 1] - own[symbol][:, 0]).tolist()))
        for symbol in sorted(own)
    }
    traded = [symbol for symbol in trips if len(own[symbol])]
    placed = random_trips(run_key, trips) if traded else {}
    net, drawn = 0, [0] * REPLICATES
    for symbol in traded:
        every = np.concatenate([own[symbol], placed[symbol].reshape(-1, 2)])
        nets = priced(symbol)(every[:, 0], every[:, 1])
        [rows] = addable(nets.reshape(1 + REPLICATES, -1), times=len(own[symbol]))
        first, *others = rows.sum(axis=1).tolist()
        net += first
        drawn = [before + more for before, more in zip(drawn, others, strict=True)]
    return RandomEntries(trips, net, drawn, p_random(net, drawn, trips))


class Moments(NamedTuple):
    """Times (ms UTC) of settlements, and of when an entry and an exit decided at each are filled."""

    times_ms: IntArray
    entered_ms: IntArray
    left_ms: IntArray


def trips_of(trades: Iterable[BookedTrade], moments: Moments) -> IntArray:
    """Return the trips of a symbol by the number of its settlements, oldest first (trips x entry and end).

    One that the exchange ended lasts to the settlement after, unless the symbol was entered again there; one
    that was left at an event of others, to the settlement before.
    """
    times, entered, left = moments
    ordered = sorted(trades, key=lambda trade: trade.opened_at_ms)
    opened = [trade.opened_at_ms for trade in ordered]
    entries = np.searchsorted(entered, opened).tolist()
    found = []
    for trade, entry, following in zip(ordered, entries, [*entries, len(times)][1:], strict=True):
        if trade.reason in INTERRUPTIONS:
            end = min(int(np.searchsorted(times, trade.closed_at_ms)), following - 1)
        else:
            end = int(np.searchsorted(left, trade.closed_at_ms, side="right")) - 1
        found.append((entry, end))
    return np.array(found, dtype=np.int64).reshape(-1, 2)


def _trades(trades: Iterable[BookedTrade], symbol: str) -> list[BookedTrade]:
    return [trade for trade in trades if trade.symbol == symbol]


def _settlements(window: ReplayWindow, symbol: str) -> IntArray:
    return window.calendar.times_ms[window.event_series(symbol).settles]
