"""Accounts of a batch: hedges shared by the trials of one account, and the summaries of those trials."""

from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from operator import attrgetter
from typing import Any

import numpy as np

from bot.backtest.batch.decisions import Decisions, PairDecisions
from bot.backtest.batch.hedges import HedgeBook, PriceColumns
from bot.backtest.batch.run_records import RunRecord
from bot.backtest.batch.trade_search import NextEvents, find_trades, union_mask
from bot.backtest.batch.trade_sequences import NONE, HoldColumns, TradeSequences
from bot.backtest.batch.trades import net_pnls
from bot.backtest.result import RunResult
from bot.config.parameters import AccountParameters
from bot.config.run_config import RunConfig
from bot.numbers.arrays import IntArray
from bot.statistics.run_metrics import Metrics
from bot.statistics.trial_metrics import TrialSummary

account_key = attrgetter(*(name for name in AccountParameters.model_fields if name != "strategy_mode"))
_MANY = 16
"""Number of trials from which on hedges are opened together before any trial reaches them."""
_MAX_CELLS = 16_000_000
_CELLS_AN_EVENT = 20
"""Bound for an account all of whose hedges are open: at most twice nine numbers each, and two columns."""


@dataclass(frozen=True, slots=True)
class AccountGroup:
    """Trials of one account that share trades: their indices, and the trade sequences of those it covers."""

    trials: IntArray
    sequences: TradeSequences

    def members(self) -> Iterator[tuple[int, int]]:
        """Return each covered trial with the index of its sequence."""
        return ((trial, which) for trial, which in self._pairs() if which != NONE)

    def left_out(self) -> IntArray:
        """Return the trials that are not covered."""
        return np.array([trial for trial, which in self._pairs() if which == NONE], dtype=np.int64)

    def _pairs(self) -> Iterator[tuple[int, int]]:
        return zip(self.trials.tolist(), self.sequences.of_trial, strict=True)


class Account:
    """The trials of one account over the only pair of a window. Call inside `exact()`."""

    def __init__(self, config: RunConfig, pair: PriceColumns, hold: Decisions) -> None:
        self._config = config
        self._book = HedgeBook(config, pair)
        self._hold = hold
        self._held: tuple[HoldColumns, Metrics] | None = None

    def summaries(
        self, trials: Sequence[Decisions], plain_hold: Callable[[], RunResult]
    ) -> dict[int, TrialSummary]:
        """Return the summaries of `trials` by index, without those that share too little to be had together.

        `plain_hold` gives the run that holds where it is one of those. Raises OverflowError where amounts
        would not fit 64 bits.
        """
        count = len(trials)
        groups = self.groups(trials if self._held else [*trials, self._hold])
        own = [group.sequences.metrics(self._config) for group in groups]
        if self._held is None:
            self._held = self._last(count, groups, own) or self._columns_of(plain_hold())
        hold, held = self._held
        found: dict[int, TrialSummary] = {}
        for group, metrics in zip(groups, own, strict=True):
            carries = group.sequences.carries(hold, metrics)
            columns = zip(metrics, carries, group.sequences.ledgers(self._book.pair.symbol), strict=True)
            summed = [TrialSummary(one, held, carry, ledger) for one, carry, ledger in columns]
            found.update((trial, summed[which]) for trial, which in group.members() if trial < count)
        return found

    def run_records(self, trials: Sequence[Decisions]) -> dict[int, RunRecord]:
        """Return the run records of `trials` by index, without those left out of `summaries`.

        Raises OverflowError as `summaries` does.
        """
        found: dict[int, RunRecord] = {}
        for group in self.groups(trials):
            run_records = group.sequences.run_records(self._book)
            found.update((trial, run_records[which]) for trial, which in group.members())
        return found

    def groups(self, trials: Sequence[Decisions]) -> list[AccountGroup]:
        """Return the sequences of `trials`: of those that always fill their slots, and of those that do not.

        Raises OverflowError as `summaries` does.
        """
        book, calendar = self._book, self._book.pair.window.calendar
        if len(trials) >= _MANY:
            book.open_at(union_mask([one.entries for one in trials if one is not self._hold]))
        entries = NextEvents.of([one.entries for one in trials])
        exits = NextEvents.of([one.exits for one in trials])
        every = np.arange(len(trials))
        whole = AccountGroup(
            every, TradeSequences(book, find_trades(entries, exits, book, every), calendar, book.slot)
        )
        short = whole.left_out()
        if not len(short):
            return [whole]
        with book.short_of_cash():
            trial_trades = find_trades(
                entries, exits, book, short, whole.sequences.remaining_cash(partial(net_pnls, book))
            )
            return [whole, AccountGroup(short, TradeSequences(book, trial_trades, calendar, 0))]

    def _last(
        self, place: int, groups: list[AccountGroup], metrics: list[list[Metrics]]
    ) -> tuple[HoldColumns, Metrics] | None:
        """Return the run at `place` as columns, if it is covered, and its metrics."""
        for group, own in zip(groups, metrics, strict=True):
            for trial, which in group.members():
                if trial == place:
                    return group.sequences.hold_columns(which, own[which].total_fees), own[which]
        return None

    def _columns_of(self, held: RunResult) -> tuple[HoldColumns, Metrics]:
        return HoldColumns.of(held, self._book.pair.window.calendar), held.metrics


class Accounts:
    """The accounts of one window, the least recently used forgotten first; bounded by what they hold."""

    def __init__(self, pair: PriceColumns, decisions: PairDecisions) -> None:
        self._pair = pair
        self._hold = decisions.holding()
        self._known: OrderedDict[tuple[Any, ...], Account] = OrderedDict()
        self._most = max(1, _MAX_CELLS // (_CELLS_AN_EVENT * len(pair.events)))

    def of(self, config: RunConfig) -> Account:
        """Return the account of a run."""
        key, known = account_key(config), self._known
        if key not in known:
            if len(known) >= self._most:
                known.popitem(last=False)
            known[key] = Account(config, self._pair, self._hold)
        known.move_to_end(key)
        return known[key]
