"""Run records of the best trials: equity curves and trades, assembled from columns."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Self

import numpy as np

from bot.backtest.batch.equity_curves import AccountTrades
from bot.backtest.batch.hedges import HedgeBook
from bot.backtest.batch.trades import TradeColumns, trades_of
from bot.backtest.result import Curve, RunResult
from bot.models import Trade
from bot.numbers.arrays import IntArray


@dataclass(frozen=True, slots=True, eq=False)
class RunRecord:
    """Run record: the equity curve of a run, and its trades in their order."""

    curve: Curve
    trades: tuple[Trade, ...]

    @classmethod
    def of(cls, result: RunResult) -> Self:
        """Return the run record of a plain replay."""
        return cls(result.curve, result.trades)


def run_records_of(book: HedgeBook, trades: TradeColumns, accounts: AccountTrades) -> list[RunRecord]:
    """Return the run record of each account. Call inside `exact()`."""
    calendar, closed = book.pair.window.calendar, trades_of(book, trades)
    return [
        RunRecord(
            Curve(calendar, _equity(book, trades, accounts, first, end)),
            tuple(closed[trade] for trade in accounts.trades[first:end]),
        )
        for first, end in pairwise(accounts.starts.tolist())
    ]


def _equity(book: HedgeBook, trades: TradeColumns, accounts: AccountTrades, first: int, end: int) -> IntArray:
    """Return the equity of an account: flat between its trades, cash and hedge within them."""
    equity = np.full(len(book.pair.events), book.initial, dtype=np.int64)
    for row in range(first, end):
        trade, cash = accounts.trades[row], accounts.cash[row]
        entry, close, cell = trades.entries[trade], trades.ends[trade], trades.cells[trade]
        equity[entry:close] = cash + trades.curves.equity[cell : cell + close - entry]
        equity[close:] = cash + trades.net[trade]
    return equity
