"""Entry blockers: the conditions that kept a run out of pairs, counted per gate with the nearest miss."""

from collections.abc import Iterator
from dataclasses import replace

from bot.accounting.sizing import is_full
from bot.backtest.decision_trace import decision_events, entry_gate
from bot.backtest.holdings import Holdings
from bot.backtest.result import RunResult
from bot.backtest.window_findings import volume_note
from bot.config.strategy_registry import strategy_plugin
from bot.market.window import ReplayWindow
from bot.models import SettlementView
from bot.numbers.money import exact
from bot.strategies.gates import Gate, GateReport, gate_reports


def blocked_entries(result: RunResult, window: ReplayWindow) -> list[GateReport]:
    """Return the entry blockers of the pairs that a run did not hold, the most frequent first."""
    with exact():
        reports = gate_reports(_blocked(result, window))
    return [_noted(report, result, window) for report in reports]


def _noted(report: GateReport, result: RunResult, window: ReplayWindow) -> GateReport:
    """Name the time a volume gate judged, if that was another than its name says."""
    advice = strategy_plugin(result.config.strategy_mode).gates.get(report.gate)
    if advice is None or not advice.reads_volume:
        return report
    return replace(report, note=volume_note(window.coverage[report.nearest_symbol]))


def _blocked(result: RunResult, window: ReplayWindow) -> Iterator[tuple[SettlementView, Gate]]:
    config, book, before = result.config, Holdings(result.trades), set[str]()
    for strategy, event in decision_events(config, window):
        held = book.held_after(event.t_ms).keys()
        full = is_full(len(held), config.max_simultaneous_positions)
        for view in event.settlements:
            symbol = view.funding.symbol
            if symbol not in held:
                unable = "just_closed" if symbol in before else "slots" if full else "size"
                yield view, entry_gate(config, window, strategy, view) or Gate(unable)
        before = set(held)
