"""Hold baseline of a run: the same account entering at once and holding, and the funding it earned."""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bot.backtest.engine import replay, replays
from bot.backtest.result import RunResult
from bot.config.account_rules import PatienceParameters
from bot.config.parameters import AccountParameters
from bot.config.run_config import RunConfig
from bot.market.window import ReplayWindow
from bot.numbers.arrays import FloatArray
from bot.numbers.money import exact
from bot.statistics.carry import CarryComparison, HoldFunding
from bot.statistics.daily_returns import DailyReturns, first_day_of, sharpe_over
from bot.statistics.trial_metrics import TrialSummary
from bot.strategies.hold import PLUGIN as HOLDING

_MAX_PAYMENTS = 200_000
_OWN = {name: field.default for name, field in PatienceParameters.model_fields.items()}
"""Rules of patience, as the baseline has them: it stays, and comes back, whatever a trial waits for."""
_SHARED_PARAMETERS = tuple(AccountParameters.model_fields.keys() - _OWN.keys() - {"strategy_mode"})


@dataclass(frozen=True, slots=True)
class _Baseline:
    result: RunResult
    holding: HoldFunding


def held_throughout(config: RunConfig) -> RunConfig:
    """Return the account of a run that enters at once and holds."""
    return config.varied({**_OWN, "strategy_mode": HOLDING.name})


class Baselines:
    """Hold baselines of one window, each computed once for all trials that differ only in their strategy.

    Bounded by the payments that they may hold, the least recently used forgotten first.
    """

    def __init__(self, window: ReplayWindow) -> None:
        self._window = window
        self._known: OrderedDict[tuple[Any, ...], _Baseline] = OrderedDict()
        self._most = max(1, _MAX_PAYMENTS // window.prices)

    def of(self, config: RunConfig) -> RunResult:
        """Return the hold baseline of the account of `config`."""
        return self._baseline(config).result

    def compare(self, result: RunResult) -> CarryComparison:
        """Return the carry a run of the window captured relative to its hold baseline."""
        baseline = self._baseline(result.config)
        hold = baseline.result
        with exact():
            return baseline.holding.beside(
                result.trades,
                net_pnl=result.metrics.net_pnl - hold.metrics.net_pnl,
                sharpe=sharpe_over(result.daily_returns, hold.daily_returns),
            )

    def summary(self, result: RunResult) -> TrialSummary:
        """Return a run of the window as a trial that is stored."""
        hold = self.of(result.config)
        return TrialSummary(result.metrics, hold.metrics, self.compare(result), result.ledger)

    def replayed(self, configs: Sequence[RunConfig]) -> tuple[list[TrialSummary], DailyReturns]:
        """Return plain replays of `configs` over the window as trials that are stored, and their days."""
        summaries = []
        runs = np.empty((len(configs), len(self._window.calendar.day_ends)))
        for place, result in enumerate(replays(configs, self._window)):
            summaries.append(self.summary(result))
            runs[place] = result.daily_returns
        return summaries, self.beside(configs, runs)

    def beside(self, configs: Sequence[RunConfig], runs: FloatArray) -> DailyReturns:
        """Return the daily returns of runs of the window (n x T) with those of their hold baselines."""
        calendar, places = self._window.calendar, dict[tuple[Any, ...], int]()
        holds = [np.empty((0, len(calendar.day_ends)))]
        for config in configs:
            if places.setdefault(account_of(config), len(places)) == len(holds) - 1:
                holds.append(self.of(config).daily_returns[np.newaxis])
        hold_of = np.array([places[account_of(config)] for config in configs], dtype=np.int64)
        return DailyReturns(first_day_of(calendar), runs, np.concatenate(holds), hold_of)

    def _baseline(self, config: RunConfig) -> _Baseline:
        key = account_of(config)
        found = self._known.get(key)
        if found is None:
            if len(self._known) >= self._most:
                self._known.popitem(last=False)
            held = replay(held_throughout(config), self._window)
            with exact():
                found = self._known[key] = _Baseline(held, HoldFunding(held.trades, held.payments))
        self._known.move_to_end(key)
        return found


def account_of(config: RunConfig) -> tuple[Any, ...]:
    """Return the parameters of the account of a run: all but its strategy and what it waits for."""
    return tuple(getattr(config, name) for name in _SHARED_PARAMETERS)
