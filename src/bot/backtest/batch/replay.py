"""Many trials over one window at once, bit for bit what the plain replay gives.

Trials that differ only in thresholds share almost everything: a decision is taken once for each distinct
parameter, each hedge is opened and followed once, each round trip is closed once, and each distinct sequence
of round trips is summed up once. Accounts that shrink below a slot size each entry by their own cash, and
share less. Where nothing is shared the plain replay runs.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from operator import attrgetter
from typing import Any

import numpy as np

from bot.analytics.carry import CarryComparison
from bot.backtest.batch.columns import DecisionColumns
from bot.backtest.batch.decisions import DECISIONS, Decisions
from bot.backtest.batch.hedges import HedgeBook, PairColumns, Whole
from bot.backtest.batch.sequences import NONE, HoldColumns, Sequences
from bot.backtest.batch.trips import nets
from bot.backtest.batch.walk import Journeys, NextEvents, walk
from bot.backtest.engine import replay
from bot.backtest.insight import Baselines, explain
from bot.backtest.metrics import Metrics
from bot.backtest.window import ReplayWindow
from bot.config import RunConfig
from bot.money import exact
from bot.parameters import AccountParameters

_account = attrgetter(*(name for name in AccountParameters.model_fields if name != "strategy_mode"))
_MAX_BOOKS = 32


@dataclass(frozen=True, slots=True)
class _Group:
    """Trials of one account: their places among all trials, and their decisions."""

    config: RunConfig
    places: list[int]
    decisions: list[Decisions]


@dataclass(frozen=True, slots=True)
class TrialSummary:
    """What is stored of a trial: its metrics, those of its hold baseline, and the carry it captured.

    `ledger` is the digest of what it booked.
    """

    metrics: Metrics
    hold: Metrics
    carry: CarryComparison
    ledger: bytes


class BatchReplayer:
    """Replays trials of one window; keeps what they share from one call to the next."""

    def __init__(self, window: ReplayWindow, baselines: Baselines) -> None:
        self._window = window
        self._baselines = baselines
        self._books: dict[tuple[Any, ...], HedgeBook] = {}
        self._columns: DecisionColumns | None = None
        self._pair: PairColumns | None = None
        if len(window.instruments) == 1:
            [symbol] = window.instruments
            series = window.series(symbol)
            self._pair = PairColumns(window, series)
            views = [event.settlements[0] for event in window.events]
            self._columns = DecisionColumns(window.past, views, series)

    def summaries(self, configs: Sequence[RunConfig]) -> list[TrialSummary]:
        """Return the summary of each run, equal in every bit to that of a plain replay."""
        found: dict[int, TrialSummary] = {}
        with exact():
            for group in self._groups(configs):
                found.update(self._shared(group))
        return [
            found[place] if place in found else self._plain(config) for place, config in enumerate(configs)
        ]

    def _plain(self, config: RunConfig) -> TrialSummary:
        result = replay(config, self._window)
        insight = explain(result, self._window, self._baselines)
        return TrialSummary(result.metrics, insight.baseline.metrics, insight.carry, result.ledger)

    def _groups(self, configs: Sequence[RunConfig]) -> list[_Group]:
        groups: dict[tuple[Any, ...], _Group] = {}
        group, last = None, None
        if self._columns is None:
            return []
        for place, config in enumerate(configs):
            decide = DECISIONS.get(config.strategy_mode)
            if decide is None or not _is_shareable(config):
                continue
            account = _account(config)
            if group is None or account != last:
                group, last = groups.setdefault(account, _Group(config, [], [])), account
            group.places.append(place)
            group.decisions.append(decide(config, self._columns))
        return list(groups.values())

    def _shared(self, group: _Group) -> dict[int, TrialSummary]:
        """Return the summaries of a group's trials by place, without those that cannot be had together."""
        book, calendar = self._book(group.config), self._window.calendar
        entries = NextEvents.of([decisions.entries for decisions in group.decisions])
        exits = NextEvents.of([decisions.exits for decisions in group.decisions])
        every = np.arange(len(group.places))
        try:
            hold = HoldColumns.of(self._baselines.of(group.config), calendar)
            found, short = self._summed(group, hold, walk(entries, exits, book, every), every, book.slot)
            if len(short):
                with book.short_of_cash():
                    journeys = walk(entries, exits, book, short, partial(nets, book))
                    found |= self._summed(group, hold, journeys, short, 0)[0]
        except OverflowError:
            return {}
        return found

    def _summed(
        self, group: _Group, hold: HoldColumns, journeys: Journeys, trials: Whole, slot: int
    ) -> tuple[dict[int, TrialSummary], Whole]:
        """Return the summaries of those `trials` of a group that make these journeys, and who does not."""
        sequences = Sequences(self._book(group.config), journeys, self._window.calendar, slot)
        own = sequences.metrics(group.config)
        carries = sequences.carries(hold, own)
        held = self._baselines.of(group.config).metrics
        ledgers = sequences.ledgers(self._book(group.config).pair.symbol)
        parts = zip(own, carries, ledgers, strict=True)
        summed = [TrialSummary(metrics, held, carry, ledger) for metrics, carry, ledger in parts]
        pairs = list(zip(trials.tolist(), sequences.of_trial, strict=True))
        found = {group.places[trial]: summed[which] for trial, which in pairs if which != NONE}
        return found, np.array([trial for trial, which in pairs if which == NONE], dtype=np.int64)

    def _book(self, config: RunConfig) -> HedgeBook:
        key = _account(config)
        if key not in self._books:
            if len(self._books) >= _MAX_BOOKS:
                self._books.clear()
            assert self._pair is not None  # noqa: S101
            self._books[key] = HedgeBook(config, self._pair)
        return self._books[key]


def _is_shareable(config: RunConfig) -> bool:
    scaled = config.dynamic_sizing and config.strategy_mode == "composite"
    return config.sizing_base == "initial" and not scaled
