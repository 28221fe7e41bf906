"""What stands beside a run: the hold baseline, the carry it captured, and why it did not trade."""

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from bot.backtest.decision_trace import deciding, entry_gate
from bot.backtest.engine import replay
from bot.backtest.holdings import Book
from bot.backtest.result import RunResult
from bot.backtest.window_findings import volume_note
from bot.config.parameters import AccountParameters
from bot.config.run_config import RunConfig
from bot.market.window import ReplayWindow
from bot.models import SettlementView
from bot.numbers.money import exact
from bot.statistics.carry import CarryComparison, Holding
from bot.strategies.gates import Gate, GateReport, gate_reports

HOLD = "hold"
_VOLUME_GATES = frozenset({"min_volume_24h", "volume_decline_ratio"})
_MAX_PAYMENTS = 200_000
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


@dataclass(frozen=True, slots=True)
class _Baseline:
    result: RunResult
    holding: Holding


class Baselines:
    """The hold runs of one window, each computed once for all trials that differ only in their strategy.

    Bounded by the payments that they may hold, the least recently used forgotten first.
    """

    def __init__(self, window: ReplayWindow) -> None:
        self._window = window
        self._known: OrderedDict[tuple[Any, ...], _Baseline] = OrderedDict()
        self._most = max(1, _MAX_PAYMENTS // (len(window.events) * len(window.instruments)))

    def of(self, config: RunConfig) -> RunResult:
        """Return the run that holds with the account of `config`."""
        return self._baseline(config).result

    def compare(self, result: RunResult) -> CarryComparison:
        """Return what a run of the window made of the carry that holding with its account shows."""
        with exact():
            return self._baseline(result.config).holding.beside(result.trades)

    def _baseline(self, config: RunConfig) -> _Baseline:
        key = tuple(getattr(config, name) for name in _SHARED_PARAMETERS)
        found = self._known.get(key)
        if found is None:
            if len(self._known) >= self._most:
                self._known.popitem(last=False)
            held = replay(config.varied({"strategy_mode": HOLD}), self._window)
            with exact():
                found = self._known[key] = _Baseline(held, Holding(held.trades, held.payments))
        self._known.move_to_end(key)
        return found


def explain(result: RunResult, window: ReplayWindow, baselines: Baselines) -> Insight:
    """Return what stands beside `result`, a run over `window`."""
    blocked = () if result.trades else tuple(blocked_entries(result, window))
    return Insight(baselines.of(result.config), baselines.compare(result), blocked)


def blocked_entries(result: RunResult, window: ReplayWindow) -> list[GateReport]:
    """Return what kept the run out of pairs that it did not hold, the most frequent condition first."""
    with exact():
        reports = gate_reports(_blocked(result, window))
    return [_noted(report, window) for report in reports]


def _noted(report: GateReport, window: ReplayWindow) -> GateReport:
    """Return a report that names the time a volume gate judged, where that was another than its name says."""
    if report.gate not in _VOLUME_GATES:
        return report
    return replace(report, note=volume_note(window.coverage[report.nearest_symbol]))


def _blocked(result: RunResult, window: ReplayWindow) -> Iterator[tuple[SettlementView, Gate]]:
    config, book, before = result.config, Book(result.trades), set[str]()
    for strategy, event in deciding(config, window):
        held = book.held_after(event.t_ms).keys()
        full = len(held) >= config.max_simultaneous_positions
        for view in event.settlements:
            symbol = view.funding.symbol
            if symbol not in held:
                unable = "just_closed" if symbol in before else "slots" if full else "size"
                yield view, entry_gate(config, window, strategy, view) or Gate(unable)
        before = set(held)
