"""What the best trials are kept with: their equity curves and round trips, put together from columns."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Self

import numpy as np

from bot.backtest.batch.curves import Legs
from bot.backtest.batch.hedges import HedgeBook
from bot.backtest.batch.trips import Trips, trades_of
from bot.backtest.result import Curve, RunResult
from bot.models import Trade
from bot.numbers.arrays import IntArray


@dataclass(frozen=True, slots=True, eq=False)
class Course:
    """The equity curve of a run, and its round trips in their order."""

    curve: Curve
    trades: tuple[Trade, ...]

    @classmethod
    def of(cls, result: RunResult) -> Self:
        """Return the course of a run."""
        return cls(result.curve, result.trades)


def courses_of(book: HedgeBook, trips: Trips, legs: Legs) -> list[Course]:
    """Return the course of each of `legs`' accounts. Call inside `exact()`."""
    calendar, trades = book.pair.window.calendar, trades_of(book, trips)
    return [
        Course(
            Curve(calendar, _worth(book, trips, legs, first, end)),
            tuple(trades[trip] for trip in legs.trips[first:end]),
        )
        for first, end in pairwise(legs.starts.tolist())
    ]


def _worth(book: HedgeBook, trips: Trips, legs: Legs, first: int, end: int) -> IntArray:
    """Return the curve of an account: flat between its trips, and its cash and a hedge within them."""
    worth = np.full(len(book.pair.events), book.initial, dtype=np.int64)
    for leg in range(first, end):
        trip, cash = legs.trips[leg], legs.cash[leg]
        entry, close, cell = trips.entries[trip], trips.ends[trip], trips.cells[trip]
        worth[entry:close] = cash + trips.paths.worth[cell : cell + close - entry]
        worth[close:] = cash + trips.net[trip]
    return worth
