"""Stitched run: one account over many days whose parameters change at seams, its positions going on."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from typing import Any, NamedTuple, Protocol

import numpy as np

from bot.backtest.engine import Stage, measured, play
from bot.backtest.result import Curve, trade_document
from bot.config.run_config import RunConfig
from bot.market.window import ReplayWindow
from bot.models import BookedTrade, FundingPayment, Trade
from bot.numbers.arrays import IntArray
from bot.numbers.money import exact
from bot.statistics.metrics import from_units, money_units
from bot.statistics.run_metrics import Metrics
from bot.trading.equity_curve import equity_units

WindowOf = Callable[[RunConfig], ReplayWindow]


class Seam(NamedTuple):
    """Parameters that come into force at the first event from a moment on."""

    from_ms: int
    config: RunConfig


class StageFacts(Protocol):
    """Parameters in force from event `first` of a run on, whichever engine replays it."""

    @property
    def config(self) -> RunConfig:
        """The parameters."""

    @property
    def first(self) -> int:
        """Place of the first event under them."""


class StitchedFacts:
    """Facts of a finished run whose parameters changed on the way, whichever engine made it."""

    stages: Sequence[StageFacts]
    metrics: Metrics
    trades: Sequence[BookedTrade]
    curve: Curve

    @property
    def initial_capital(self) -> Decimal:
        """Cash that the account began with, quote currency."""
        return self.stages[0].config.initial_capital

    @property
    def equity(self) -> list[tuple[int, Decimal]]:
        """Event times, ms UTC, and the equity after each, quote currency."""
        return list(self.curve.points())

    def pnl_between(self, moments_ms: Sequence[int]) -> list[Decimal]:
        """Return the P&L from each moment to the next; events at a moment belong to what follows it."""
        places = np.searchsorted(self.curve.calendar.times_ms, moments_ms).tolist()
        units = [money_units(self.initial_capital), *self.curve.units.tolist()]
        return [from_units(units[end] - units[first]) for first, end in pairwise(places)]

    def metrics_document(self) -> dict[str, Any]:
        """Return its metrics as JSON values."""
        return self.metrics.document()

    def trade_document(self, trade: Any) -> dict[str, Any]:
        """Return one of its trades as in the result document."""
        return trade_document(trade)


@dataclass(frozen=True, eq=False)
class StitchedRun(StitchedFacts):
    """A finished run whose parameters changed on the way; until its first stage the account was cash."""

    stages: tuple[Stage, ...]
    metrics: Metrics
    trades: tuple[Trade, ...]
    payments: tuple[FundingPayment, ...]
    curve: Curve


def stitch(start_ms: int, seams: Sequence[Seam], window_of: WindowOf) -> StitchedRun:
    """Return the run from `start_ms` on, from flat, of parameters that come into force at ascending seams.

    All seams end alike; an account's initial capital is that of the first one. `window_of` returns the window
    of a run. Raises what it raises, and InsufficientDataError without an event.
    """
    stages = _stages(start_ms, seams, window_of)
    window = stages[0].window
    with exact():
        books = play(stages)
        [curve] = equity_units([books.curve])
        payments = tuple(books.paid.written())
    capital = stages[0].config.initial_capital
    [metrics] = measured(capital, [books], curve[None, :], window)
    return StitchedRun(tuple(stages), metrics, books.trades, payments, Curve(window.calendar, curve))


def _stages(start_ms: int, seams: Sequence[Seam], window_of: WindowOf) -> list[Stage]:
    """Return a stage for each seam at which other parameters come into force, the last of one event."""
    symbols = traded(seams)
    configs = [seam.config.varied({"start": start_ms}) for seam in seams]
    # Each run had enough data over all of its days: what its newest ones hold is to be replayed as it is.
    windows = [
        window_of(config.varied({"symbols": symbols, "min_coverage": Decimal(0)})) for config in configs
    ]
    found = in_force(windows[0].calendar.times_ms, [seam.from_ms for seam in seams], configs)
    return [Stage(configs[place], windows[place], first) for place, first in found]


def traded(seams: Sequence[Seam]) -> tuple[str, ...]:
    """Return the symbols that some of the parameters trade, each once."""
    return tuple(dict.fromkeys(symbol for seam in seams for symbol in seam.config.symbols))


def in_force(
    times_ms: IntArray, moments_ms: Sequence[int], configs: Sequence[RunConfig]
) -> list[tuple[int, int]]:
    """Return the places of the parameters that are in force at some event, each with its first event.

    Parameters come into force at the first event from their moment on, at the latest at the last one.
    """
    firsts = np.minimum(np.searchsorted(times_ms, moments_ms), len(times_ms) - 1).tolist()
    found: list[tuple[int, int]] = []
    for place, first in enumerate(firsts):
        if found and found[-1][1] == first:
            found.pop()
        if not found or configs[found[-1][0]] != configs[place]:
            found.append((place, first))
    return found
