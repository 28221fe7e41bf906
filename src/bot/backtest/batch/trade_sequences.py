"""Distinct sequences of trades among many trials, each summed up once."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from decimal import Decimal
from itertools import pairwise
from typing import Any, Self

import numpy as np

from bot.accounting.cash_flows import FLOWS, FUNDING
from bot.backtest.batch.equity_curves import AccountTrades, EquityCurves
from bot.backtest.batch.hedge_curves import segment_sums
from bot.backtest.batch.hedges import HedgeBook
from bot.backtest.batch.run_records import RunRecord, run_records_of
from bot.backtest.batch.trade_search import RemainingCash, TrialTrades
from bot.backtest.batch.trades import TradeColumns, TradeExtremes
from bot.backtest.ledger_digest import ledger_digest
from bot.backtest.result import RunResult
from bot.config.run_config import RunConfig
from bot.numbers.arrays import BoolArray, IntArray
from bot.statistics.carry import CarryComparison, captured_share
from bot.statistics.metrics import Calendar, amount_units, from_units
from bot.statistics.run_metrics import Activity, Metrics, TradeTotals, summarize

NONE = -1
_SAFE_UNITS = 2**60


@dataclass(frozen=True, slots=True, eq=False)
class HoldColumns:
    """The hold baseline of an account, as columns; money in units of 1e-8.

    `paid_before[k]` is its funding booked before event k; the last entry is all of it.
    """

    trades: int
    fees: Decimal
    available: int
    available_funding: Decimal
    paid_before: IntArray

    @classmethod
    def of(cls, held: RunResult, calendar: Calendar) -> Self:
        """Return the columns of a hold run over the events of `calendar`."""
        paid = np.zeros(len(calendar.times_ms) + 1, dtype=np.int64)
        places = np.searchsorted(calendar.times_ms, [payment.t_ms for payment in held.payments])
        amounts = np.array(amount_units(payment.amount for payment in held.payments), dtype=np.int64)
        paid[places + 1] = amounts
        available = int(amounts.sum())
        fees = held.metrics.total_fees
        return cls(len(held.trades), fees, available, from_units(available), np.cumsum(paid))

    def comparison(
        self, before: int, between: int, after: int, captured: int, metrics: Metrics
    ) -> CarryComparison:
        """Return the comparison of a run that missed these amounts."""
        return CarryComparison(
            available_funding=self.available_funding,
            captured_share=captured_share(captured, self.available),
            missed_before_entry=from_units(before),
            missed_between=from_units(between),
            missed_after_exit=from_units(after),
            extra_round_trips=metrics.total_trades - self.trades,
            extra_fees=metrics.total_fees - self.fees,
        )


class TradeSequences:
    """Distinct sequences of trades of one account, and the index of each trial's sequence.

    `of_trial` is NONE for trials that make another: those that have less than `slot` in cash at an entry, and
    those whose equity is not always above zero. Call everything inside `exact()`.
    Raises: OverflowError where amounts would not fit 64 bits.
    """

    def __init__(self, book: HedgeBook, trial_trades: TrialTrades, calendar: Calendar, slot: int) -> None:
        rows, of_trial = _distinct(trial_trades)
        codes = np.frombuffer(b"".join(row for _, row in rows), dtype=np.int64)
        distinct, which = np.unique(codes, return_inverse=True)
        lengths = np.array([len(row) // codes.itemsize for _, row in rows], dtype=np.int64)
        self._calendar = calendar
        self._ended = bool(book.pair.window.contract_ends)
        self._trades = TradeColumns.of(book, distinct)
        self._check(book.initial, len(codes))
        extremes = TradeExtremes.of(self._trades, calendar.times_ms)
        accounts = self._accounts_of(which, lengths, book.initial)
        kept = (accounts.highest(-accounts.cash, -slot) <= -slot) & (
            accounts.highest(-accounts.cash - extremes.low[which], -book.initial) < 0
        )
        self._made = self._before_shortage(codes, rows, accounts, slot, kept)
        if not kept.all():
            accounts = self._accounts_of(which[np.repeat(kept, lengths)], lengths[kept], book.initial)
        self._accounts = accounts
        self._skipped = [skips for (skips, _), keep in zip(rows, kept.tolist(), strict=True) if keep]
        self._curves = EquityCurves(self._trades, extremes, accounts, book.initial, calendar)
        left_out = set(self._made)
        self._left_out = [which for which in of_trial if which in left_out]
        self.of_trial = np.where(kept, np.cumsum(kept) - 1, NONE)[of_trial].tolist()

    def remaining_cash(self, net_pnls: Callable[[IntArray], IntArray]) -> RemainingCash:
        """Return the cash of the trials left out, for sizing by cash; `net_pnls` prices further trades."""
        made, left = zip(*(self._made[which] for which in self._left_out), strict=True)
        return RemainingCash(made, np.array(left, dtype=np.int64), net_pnls)

    def _before_shortage(
        self,
        codes: IntArray,
        rows: Sequence[tuple[int, bytes]],
        accounts: AccountTrades,
        slot: int,
        kept: BoolArray,
    ) -> dict[int, tuple[IntArray, int]]:
        """Return the trades of each sequence not `kept` before it is short of a slot, and its cash then.

        Where entries were skipped, or nothing was short, that is nothing.
        """
        found = {}
        for place in np.flatnonzero(~kept).tolist():
            first, end = accounts.starts[place], accounts.starts[place + 1]
            short = np.flatnonzero(accounts.cash[first:end] < slot)
            at = first if rows[place][0] or not len(short) else first + short[0]
            found[place] = codes[first:at], int(accounts.cash[at])
        return found

    def _accounts_of(self, which: IntArray, lengths: IntArray, initial: int) -> AccountTrades:
        starts = np.append(0, np.cumsum(lengths))
        return AccountTrades.of(self._trades, which, starts, initial, len(self._calendar.times_ms))

    def _check(self, initial: int, count: int) -> None:
        # No account makes more than `count` trades, so no sum of amounts over its trades reaches 2**60; that
        # leaves room in an int64 for the differences and doublings of peaks and drawdowns.
        for amounts in (*self._trades.sums().values(), self._trades.curves.equity):
            if initial + int(np.abs(amounts).max(initial=0)) * (count + 1) >= _SAFE_UNITS:
                raise OverflowError

    def metrics(self, config: RunConfig) -> list[Metrics]:
        """Return the metrics of each sequence."""
        totals, held = self._totals()
        events = len(self._calendar.times_ms)
        activities = [Activity(events, *counts) for counts in zip(held, self._skipped, strict=True)]
        return summarize(self._curves.facts(), config.initial_capital, self._calendar, totals, activities)

    def _totals(self) -> tuple[list[TradeTotals], list[int]]:
        accounts, trades = self._accounts, self._trades
        sums = {
            name: segment_sums(values[accounts.trades], accounts.starts)
            for name, values in trades.sums().items()
        }
        best = accounts.highest(trades.net[accounts.trades], -_SAFE_UNITS)
        sums["best"] = np.where(sums["trades"] > 0, best, 0)
        if not self._ended:
            sums["after_end"] = np.full(len(best), None)
        columns: dict[str, list[Any]] = {name: values.tolist() for name, values in sums.items()}
        flows = zip(*(columns[name] for name in FLOWS), strict=True)
        columns["flows"] = [dict(zip(FLOWS, row, strict=True)) for row in flows]
        rows = zip(*(columns[field.name] for field in fields(TradeTotals)), strict=True)
        held = segment_sums((trades.ends - trades.entries)[accounts.trades], accounts.starts)
        return [TradeTotals(*values) for values in rows], held.tolist()

    def hold_columns(self, which: int, fees: Decimal) -> HoldColumns:
        """Return sequence `which`, that of a hold run with these `fees`, as the baseline of the others."""
        accounts, trades, curves = self._accounts, self._trades, self._trades.curves
        paid = np.zeros(len(self._calendar.times_ms) + 1, dtype=np.int64)
        made = accounts.trades[accounts.starts[which] : accounts.starts[which + 1]]
        for trade in made.tolist():
            entry, last, cell = (
                int(column[trade]) for column in (trades.entries, trades.last_collected, trades.cells)
            )
            paid[entry + 2 : last + 2] = np.diff(curves.flows[FUNDING.name][cell : cell + last - entry + 1])
        before = np.cumsum(paid)
        available = int(before[-1])
        return HoldColumns(len(made), fees, available, from_units(available), before)

    def run_records(self, book: HedgeBook) -> list[RunRecord]:
        """Return the run record of each sequence, on the hedges of `book`."""
        return run_records_of(book, self._trades, self._accounts)

    def ledgers(self, symbol: str) -> list[bytes]:
        """Return the ledger digest of each sequence."""
        rows, starts = self._trades.bookings(symbol, self._calendar.times_ms), self._accounts.starts.tolist()
        every = rows[self._accounts.trades]
        return [ledger_digest(every[first:end]) for first, end in pairwise(starts)]

    def carries(self, hold: HoldColumns, metrics: Sequence[Metrics]) -> list[CarryComparison]:
        """Return each sequence compared with its hold baseline; `metrics` are its own."""
        accounts, trades, paid = self._accounts, self._trades, hold.paid_before
        events = len(paid) - 1
        caught = paid[trades.last_collected + 1] - paid[trades.entries + 1]
        before = np.full(len(metrics), hold.available)
        after = np.zeros(len(metrics), dtype=np.int64)
        busy = np.diff(accounts.starts) > 0
        first, last = (
            accounts.trades[accounts.starts[:-1][busy]],
            accounts.trades[accounts.starts[1:][busy] - 1],
        )
        before[busy] = paid[np.minimum(trades.entries[first] + 1, events)]
        after[busy] = hold.available - paid[trades.last_seen[last] + 1]
        between = hold.available - before - after - segment_sums(caught[accounts.trades], accounts.starts)
        captured = segment_sums(trades.flows[FUNDING.name][accounts.trades], accounts.starts)
        missed = (column.tolist() for column in (before, between, after, captured))
        rows = zip(*missed, metrics, strict=True)
        return [hold.comparison(*row) for row in rows]


def _distinct(trial_trades: TrialTrades) -> tuple[list[tuple[int, bytes]], list[int]]:
    """Return the distinct pairs of skipped entries and trades, and the index of each trial's pair."""
    known: dict[tuple[int, bytes], int] = {}
    of_trial = [
        known.setdefault((skips, trial_trades.codes[first:end].tobytes()), len(known))
        for (first, end), skips in zip(
            pairwise(trial_trades.starts.tolist()), trial_trades.skipped.tolist(), strict=True
        )
    ]
    return list(known), of_trial
