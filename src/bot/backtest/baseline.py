"""Hold baseline of a run: the same account entering at once and holding, and the funding it earned."""

from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Protocol

import numpy as np

from bot.backtest.engine import replays
from bot.backtest.result import Curve
from bot.config.account_rules import PatienceParameters
from bot.config.parameters import AccountParameters
from bot.config.run_config import RunConfig
from bot.market.coverage import Coverage
from bot.models import BookedTrade, FundingPayment
from bot.numbers.arrays import FloatArray
from bot.numbers.money import exact
from bot.statistics.carry import CarryComparison, HoldFunding
from bot.statistics.daily_returns import DailyReturns, first_day_of, sharpe_over
from bot.statistics.hedge_metrics import HedgeMetrics
from bot.statistics.metrics import Calendar
from bot.statistics.run_metrics import Metrics
from bot.statistics.trial_metrics import TrialSummary
from bot.strategies.hold import PLUGIN as HOLDING

_MAX_PAYMENTS = 200_000
_OWN = {name: field.default for name, field in PatienceParameters.model_fields.items()}
"""Rules of patience, as the baseline has them: it stays, and comes back, whatever a trial waits for."""
_SHARED_PARAMETERS = tuple(AccountParameters.model_fields.keys() - _OWN.keys() - {"strategy_mode"})


class FinishedRun(Protocol):
    """A run that is over, whichever engine replayed it."""

    @property
    def config(self) -> RunConfig:
        """Its parameters."""

    @property
    def metrics(self) -> Metrics:
        """Its metrics."""

    @property
    def stored_hedge_metrics(self) -> HedgeMetrics | None:
        """Metrics of its hedges as far as its trial stores them."""

    @property
    def trades(self) -> Sequence[BookedTrade]:
        """Its trades, in the order in which they ended."""

    @property
    def payments(self) -> Sequence[FundingPayment]:
        """Every settlement of an open perp leg, oldest first."""

    def read_payments(self) -> Iterator[FundingPayment]:
        """Yield these without keeping them."""

    @property
    def daily_returns(self) -> FloatArray:
        """Its daily returns, one a UTC day of its window."""

    @property
    def run_key(self) -> str:
        """Its identity."""

    @property
    def ledger(self) -> bytes:
        """Digest of what its account booked."""

    @property
    def coverage(self) -> Mapping[str, Coverage]:
        """Coverage of its window, by market."""

    @property
    def curve(self) -> Curve:
        """Its equity curve."""

    @property
    def calendar(self) -> Calendar:
        """The events of its window."""

    @property
    def equity(self) -> tuple[tuple[int, Decimal], ...]:
        """Event times, ms UTC, and the equity after each, quote currency."""


class BaselineWindow(Protocol):
    """A window, as far as hold baselines ask for it."""

    @property
    def calendar(self) -> Calendar:
        """Its events."""

    @property
    def prices(self) -> int:
        """Number of prices it holds."""


@dataclass(frozen=True, slots=True)
class _Baseline:
    result: FinishedRun
    holding: HoldFunding


def held_throughout(config: RunConfig) -> RunConfig:
    """Return the account of a run that enters at once and holds."""
    return config.varied({**_OWN, "strategy_mode": HOLDING.name})


class Baselines:
    """Hold baselines of one window, each computed once for all trials that differ only in their strategy.

    Bounded by the payments that they may hold, the least recently used forgotten first.
    """

    def __init__(
        self,
        window: BaselineWindow,
        run_all: Callable[[Sequence[RunConfig], Any], Iterator[FinishedRun]] = replays,
    ) -> None:
        """Replay runs over `window` by `run_all`."""
        self._window = window
        self._run_all = run_all
        self._known: OrderedDict[tuple[Any, ...], _Baseline] = OrderedDict()
        self._most = max(1, _MAX_PAYMENTS // window.prices)

    def of(self, config: RunConfig) -> FinishedRun:
        """Return the hold baseline of the account of `config`."""
        return self._baseline(config).result

    def compare(self, result: FinishedRun) -> CarryComparison:
        """Return the carry a run of the window captured relative to its hold baseline."""
        baseline = self._baseline(result.config)
        hold = baseline.result
        with exact():
            return baseline.holding.beside(
                result.trades,
                net_pnl=result.metrics.net_pnl - hold.metrics.net_pnl,
                sharpe=sharpe_over(result.daily_returns, hold.daily_returns),
            )

    def summary(self, result: FinishedRun) -> TrialSummary:
        """Return a run of the window as a trial that is stored."""
        hold = self.of(result.config)
        carry, hedges = self.compare(result), result.stored_hedge_metrics
        return TrialSummary(result.metrics, hold.metrics, carry, result.ledger, hedges)

    def replayed(self, configs: Sequence[RunConfig]) -> tuple[list[TrialSummary], DailyReturns]:
        """Return plain replays of `configs` over the window as trials that are stored, and their days."""
        summaries = []
        runs = np.empty((len(configs), len(self._window.calendar.day_ends)))
        for place, result in enumerate(self._run_all(configs, self._window)):
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
        return DailyReturns.of(first_day_of(calendar), runs, np.concatenate(holds), hold_of)

    def _baseline(self, config: RunConfig) -> _Baseline:
        key = account_of(config)
        found = self._known.get(key)
        if found is None:
            if len(self._known) >= self._most:
                self._known.popitem(last=False)
            held = next(self._run_all([held_throughout(config)], self._window))
            with exact():
                found = self._known[key] = _Baseline(held, HoldFunding(held.trades, held.read_payments()))
        self._known.move_to_end(key)
        return found


def account_of(config: RunConfig) -> tuple[Any, ...]:
    """Return the parameters of the account of a run: all but its strategy and what it waits for."""
    return tuple(getattr(config, name) for name in _SHARED_PARAMETERS)
