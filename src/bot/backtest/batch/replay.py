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
from bot.backtest.batch.accounts import Account, Accounts, account_key
from bot.backtest.batch.decisions import Decisions, PairDecisions
from bot.backtest.batch.hedges import PriceColumns
from bot.backtest.batch.run_records import RunRecord
from bot.backtest.engine import replays
from bot.backtest.result import RunResult
from bot.config.run_config import RunConfig
from bot.config.strategy_registry import strategy_plugin
from bot.market.window import ReplayWindow
from bot.numbers.money import exact
from bot.statistics.trial_metrics import TrialSummary
from bot.strategies.decision_columns import DecisionColumns

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
        self._decisions: PairDecisions | None = None
        self._accounts: Accounts | None = None
        if len(window.instruments) == 1:
            [symbol] = window.instruments
            series = window.series(symbol)
            self._decisions = PairDecisions(DecisionColumns.of(window, {symbol: series}))
            self._accounts = Accounts(PriceColumns(window, series), self._decisions)

    def summaries(self, configs: Sequence[RunConfig]) -> list[TrialSummary]:
        """Return the summary of each run, equal in every bit to that of a plain replay."""
        return self._all(configs, self._together(configs, self._summed), self._plain)

    def covers(self, config: RunConfig) -> bool:
        """Return whether the trial may share anything with others."""
        with exact():
            return self._decided(config) is not None

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
        for place, config in enumerate(configs):
            decisions = self._decided(config)
            if decisions is None:
                continue
            account = account_key(config)
            if group is None or account != last:
                group, last = groups.setdefault(account, _AccountTrials(config, [], [])), account
            group.places.append(place)
            group.decisions.append(decisions)
        return list(groups.values())

    def _decided(self, config: RunConfig) -> Decisions | None:
        """Return the decisions of a run, None where it shares nothing with others."""
        if self._decisions is None or config.sizing_base != "initial" or self._window.ends_for(config):
            return None
        return self._decisions.of(strategy_plugin(config.strategy_mode), config)
