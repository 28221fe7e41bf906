"""What stands beside a run: the hold baseline, the carry it captured, and why it did not trade."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from bot.analytics.carry import CarryComparison, compare_with_holding
from bot.backtest.engine import replay
from bot.backtest.result import RunResult
from bot.backtest.window import ReplayWindow
from bot.config import RunConfig
from bot.models import HOUR_MS, SettlementView
from bot.money import exact
from bot.parameters import AccountParameters
from bot.strategies.gates import Gate, GateReport, gate_reports
from bot.strategies.registry import strategy_plugin

HOLD = "hold"
_MAX_BASELINES = 64
_SHARED_PARAMETERS = tuple(name for name in AccountParameters.model_fields if name != "strategy_mode")


@dataclass(frozen=True, slots=True)
class Insight:
    """A run's rival and explanations; `blocked` is empty where there were trades."""

    baseline: RunResult
    carry: CarryComparison
    blocked: tuple[GateReport, ...]

    def document(self) -> dict[str, Any]:
        """Return `hold_baseline` and `blocked_entries` as JSON values."""
        return {
            "hold_baseline": {**self.carry.document(), "metrics": self.baseline.metrics.document()},
            "blocked_entries": [report.document() for report in self.blocked],
        }


class Baselines:
    """The hold runs of one window, each computed once for all trials that differ only in their strategy."""

    def __init__(self, window: ReplayWindow) -> None:
        self._window = window
        self._known: dict[tuple[Any, ...], RunResult] = {}

    def of(self, config: RunConfig) -> RunResult:
        """Return the run that holds with the account of `config`."""
        key = tuple(getattr(config, name) for name in _SHARED_PARAMETERS)
        found = self._known.get(key)
        if found is None:
            if len(self._known) >= _MAX_BASELINES:
                self._known.clear()
            found = self._known[key] = replay(config.varied({"strategy_mode": HOLD}), self._window)
        return found


def explain(result: RunResult, window: ReplayWindow, baselines: Baselines) -> Insight:
    """Return what stands beside `result`, a run over `window`."""
    baseline = baselines.of(result.config)
    with exact():
        carry = compare_with_holding(result.trades, result.payments, baseline.trades, baseline.payments)
        blocked = () if result.trades else tuple(gate_reports(_blocked(result.config, window)))
    return Insight(baseline, carry, blocked)


def _blocked(config: RunConfig, window: ReplayWindow) -> Iterator[tuple[SettlementView, Gate]]:
    strategy = strategy_plugin(config.strategy_mode).build(config)
    for record in window.past:
        strategy.observe(record)
    for event in window.events[:-1]:
        for view in event.settlements:
            strategy.observe(view.funding)
        for view in event.settlements:
            if not view.ticker.fresh:
                yield view, _stale(config, window, view)
            else:
                yield view, strategy.blocking_gate(view) or Gate("size")


def _stale(config: RunConfig, window: ReplayWindow, view: SettlementView) -> Gate:
    age_ms = window.price_age_ms(view.funding.symbol, view.funding.t_ms)
    if age_ms is None:
        return Gate("fresh_prices")
    needed, seen = config.max_price_age_hours, Decimal(age_ms) / HOUR_MS
    return Gate("fresh_prices", needed, seen, seen - needed)
