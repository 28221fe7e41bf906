"""Many trials over one window at once, bit for bit what the plain replay gives.

Trials that differ only in thresholds share almost everything: a decision is taken once for each distinct
parameter, each hedge is opened and followed once, each round trip is closed once, and each distinct sequence
of round trips is summed up once. Where that does not hold the plain replay runs.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

from bot.analytics.carry import CarryComparison
from bot.backtest.batch.columns import DecisionColumns
from bot.backtest.batch.decisions import DECISIONS, Decisions
from bot.backtest.batch.hedges import HedgeBook, PairColumns
from bot.backtest.batch.sequences import HoldColumns, Sequences
from bot.backtest.batch.walk import NextEvents, walk
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
    """What is stored of a trial: its metrics, those of its hold baseline, and the carry it captured."""

    metrics: Metrics
    hold: Metrics
    carry: CarryComparison


class BatchReplayer:
    """Replays trials of one window; keeps what they share from one call to the next."""

    def __init__(self, window: ReplayWindow, baselines: Baselines) -> None:
        self._window = window
        self._baselines = baselines
        self._books: dict[tuple[Any, ...], HedgeBook] = {}
        self._columns: DecisionColumns | None = None
        self._pair: PairColumns | None = None
        if len(window.instruments) == 1:
            self._pair = PairColumns(window)
            views = [event.settlements[0] for event in window.events]
            self._columns = DecisionColumns(window.past, views)

    def summaries(self, configs: Sequence[RunConfig]) -> list[TrialSummary]:
        """Return the summary of each run, equal in every bit to that of a plain replay."""
        found: dict[int, TrialSummary] = {}
        with exact():
            for group in self._groups(configs):
                found.update(zip(group.places, self._shared(group), strict=False))
        return [
            found[place] if place in found else self._plain(config) for place, config in enumerate(configs)
        ]

    def _plain(self, config: RunConfig) -> TrialSummary:
        result = replay(config, self._window)
        insight = explain(result, self._window, self._baselines)
        return TrialSummary(result.metrics, insight.baseline.metrics, insight.carry)

    def _groups(self, configs: Sequence[RunConfig]) -> list[_Group]:
        groups: dict[tuple[Any, ...], _Group] = {}
        if self._columns is None:
            return []
        for place, config in enumerate(configs):
            decide = DECISIONS.get(config.strategy_mode)
            if decide is None or not _is_shareable(config):
                continue
            group = groups.setdefault(_account(config), _Group(config, [], []))
            group.places.append(place)
            group.decisions.append(decide(config, self._columns))
        return list(groups.values())

    def _shared(self, group: _Group) -> list[TrialSummary]:
        """Return the summaries of a group's trials, none where amounts would not fit 64 bits."""
        book, calendar = self._book(group.config), self._window.calendar
        entries = NextEvents.of([(d.entry_key, d.entries) for d in group.decisions])
        exits = NextEvents.of([(d.exit_key, d.exits) for d in group.decisions])
        held = self._baselines.of(group.config)
        try:
            sequences = Sequences.of(walk(entries, exits, book))
            hold = HoldColumns.of(held, calendar)
        except OverflowError:
            return []
        if not sequences.fits(book):
            return []
        metrics = sequences.summarize(book, group.config, calendar)
        carries = sequences.carries(book, hold, metrics)
        summed = [TrialSummary(own, held.metrics, carry) for own, carry in zip(metrics, carries, strict=True)]
        return [summed[which] for which in sequences.of_trial]

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
