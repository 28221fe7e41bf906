"""Many trials over one window at once, bit for bit what the plain replay gives.

Trials that differ only in thresholds share almost everything: a decision is taken once for each distinct
parameter, each hedge is opened and followed once, each round trip is closed once, and each distinct sequence
of round trips is summed up once. Where that does not hold the plain replay runs.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

from bot.backtest.batch.columns import DecisionColumns
from bot.backtest.batch.decisions import DECISIONS, Decisions
from bot.backtest.batch.hedges import HedgeBook, PairColumns
from bot.backtest.batch.sequences import Sequences
from bot.backtest.batch.walk import NextEvents, walk
from bot.backtest.engine import replay
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


class BatchReplayer:
    """Replays trials of one window; keeps what they share from one call to the next."""

    def __init__(self, window: ReplayWindow) -> None:
        self._window = window
        self._books: dict[tuple[Any, ...], HedgeBook] = {}
        self._columns: DecisionColumns | None = None
        self._pair: PairColumns | None = None
        if len(window.instruments) == 1:
            self._pair = PairColumns(window)
            views = [event.settlements[0] for event in window.events]
            self._columns = DecisionColumns(window.past, views)

    def metrics(self, configs: Sequence[RunConfig]) -> list[Metrics]:
        """Return the metrics of each run, equal in every bit to those of `replay`."""
        found: list[Metrics | None] = [None] * len(configs)
        with exact():
            for group in self._groups(configs):
                for place, metrics in zip(group.places, self._shared(group), strict=True):
                    found[place] = metrics
        return [
            replay(config, self._window).metrics if metrics is None else metrics
            for config, metrics in zip(configs, found, strict=True)
        ]

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

    def _shared(self, group: _Group) -> list[Metrics | None]:
        """Return the metrics of a group's trials, None where amounts would not fit 64 bits."""
        book = self._book(group.config)
        entries = NextEvents.of([(d.entry_key, d.entries) for d in group.decisions])
        exits = NextEvents.of([(d.exit_key, d.exits) for d in group.decisions])
        try:
            sequences = Sequences.of(walk(entries, exits, book))
        except OverflowError:
            return [None] * len(group.places)
        if not sequences.fits(book):
            return [None] * len(group.places)
        summed = sequences.summarize(book, group.config, self._window.calendar)
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
