"""Replay of many trials over one window at once, equal in every bit to the plain replay.

Trials that differ only in thresholds share almost everything: a decision is taken once for each distinct
parameter, each hedge is opened and followed once, each trade is closed once, and each distinct sequence
of trades is summed up once. Accounts that shrink below a slot size each entry by their own cash, and
share less. Where nothing is shared the plain replay runs, and where a contract's end closes hedges.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from bot.backtest.baseline import Baselines
from bot.backtest.batch.accounts import Account, Accounts, TrialSummary, account_key
from bot.backtest.batch.decision_columns import DecisionColumns
from bot.backtest.batch.decisions import DECISIONS, Decisions
from bot.backtest.batch.hedges import PriceColumns
from bot.backtest.batch.run_records import RunRecord
from bot.backtest.engine import replays
from bot.backtest.result import RunResult
from bot.config.run_config import RunConfig
from bot.market.window import ReplayWindow
from bot.numbers.money import exact

Found = TypeVar("Found")


@dataclass(frozen=True, slots=True)
class _AccountTrials:
    """Trials of one account: their places among all trials, and their decisions."""

    config: RunConfig
    places: list[int]
    decisions: list[Decisions]


class BatchReplayer:
    """Replays trials of one window; keeps what they share from one call to the next."""

    def __init__(self, window: ReplayWindow, baselines: Baselines) -> None:
        self._window = window
        self._baselines = baselines
        self._columns: DecisionColumns | None = None
        self._accounts: Accounts | None = None
        if len(window.instruments) == 1:
            [symbol] = window.instruments
            series = window.series(symbol)
            views = [event.settlements[0] for event in window.events]
            self._columns = DecisionColumns(window.past, views, series)
            self._accounts = Accounts(PriceColumns(window, series), self._columns)

    def summaries(self, configs: Sequence[RunConfig]) -> list[TrialSummary]:
        """Return the summary of each run, equal in every bit to that of a plain replay."""
        return self._all(configs, self._together(configs, self._summed), self._plain)

    def covers(self, config: RunConfig) -> bool:
        """Return whether the trial may share anything with others."""
        shareable = config.strategy_mode in DECISIONS and self._is_shareable(config)
        return self._columns is not None and shareable

    def run_records(self, configs: Sequence[RunConfig]) -> list[RunRecord]:
        """Return equity curve and trades of each run, equal to those of a plain replay."""
        found = self._together(configs, lambda account, group: account.run_records(group.decisions))
        return self._all(configs, found, RunRecord.of)

    def _all(
        self, configs: Sequence[RunConfig], found: Mapping[int, Found], look: Callable[[RunResult], Found]
    ) -> list[Found]:
        """Return the values found, and `look` of a plain replay for each config without one."""
        rest = [config for place, config in enumerate(configs) if place not in found]
        plain = map(look, replays(rest, self._window))
        return [found[place] if place in found else next(plain) for place in range(len(configs))]

    def _summed(self, account: Account, group: _AccountTrials) -> Mapping[int, TrialSummary]:
        return account.summaries(group.decisions, lambda: self._baselines.of(group.config))

    def _plain(self, result: RunResult) -> TrialSummary:
        hold, carry = self._baselines.of(result.config), self._baselines.compare(result)
        return TrialSummary(result.metrics, hold.metrics, carry, result.ledger)

    def _together(
        self, configs: Sequence[RunConfig], look: Callable[[Account, _AccountTrials], Mapping[int, Found]]
    ) -> dict[int, Found]:
        """Return the values that `look` finds for the trials of each account, by index among `configs`."""
        found: dict[int, Found] = {}
        if self._accounts is None:
            return found
        with exact():
            for group in self._groups(configs):
                try:
                    seen = look(self._accounts.of(group.config), group)
                except OverflowError:
                    continue
                found.update((group.places[trial], what) for trial, what in seen.items())
        return found

    def _groups(self, configs: Sequence[RunConfig]) -> list[_AccountTrials]:
        groups: dict[tuple[Any, ...], _AccountTrials] = {}
        group, last = None, None
        if self._columns is None:
            return []
        for place, config in enumerate(configs):
            decide = DECISIONS.get(config.strategy_mode)
            if decide is None or not self._is_shareable(config):
                continue
            account = account_key(config)
            if group is None or account != last:
                group, last = groups.setdefault(account, _AccountTrials(config, [], [])), account
            group.places.append(place)
            group.decisions.append(decide(config, self._columns))
        return list(groups.values())

    def _is_shareable(self, config: RunConfig) -> bool:
        scaled = config.dynamic_sizing and config.strategy_mode == "composite"
        return config.sizing_base == "initial" and not scaled and not self._window.ends_for(config)
