"""Entry blockers: the conditions that kept a run out of pairs, counted per gate with the nearest miss."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from decimal import Decimal

from bot.accounting.patience import Patience
from bot.accounting.sizing import is_full
from bot.backtest.decision_trace import decision_events, entry_gate
from bot.backtest.holdings import Holdings
from bot.backtest.result import RunResult
from bot.backtest.window_findings import volume_note
from bot.config.strategy_registry import strategy_plugin
from bot.market.window import ReplayWindow
from bot.models import HOUR_MS
from bot.numbers.money import exact
from bot.strategies.gates import Blocked, Gate, GateReport, gate_reports


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


def waiting_gate(rules: Patience, closed: Sequence[int], t_ms: int) -> Gate | None:
    """Return the rule of patience that keeps out a pair whose round trips ended at `closed`, None if none."""
    if not closed or rules.may_return(len(closed), closed[-1], t_ms):
        return None
    if rules.max_round_trips is not None and len(closed) >= rules.max_round_trips:
        return Gate("max_round_trips", Decimal(rules.max_round_trips), Decimal(len(closed)))
    waited = Decimal(t_ms - closed[-1]) / HOUR_MS
    return Gate("cooldown_hours", rules.cooldown_hours, waited, rules.cooldown_hours - waited)


def _blocked(result: RunResult, window: ReplayWindow) -> Iterator[Blocked]:
    config, book, before = result.config, Holdings(result.trades), set[str]()
    for strategy, event in decision_events(config, window, result.trades):
        held = book.held_after(event.t_ms).keys()
        full = is_full(len(held), config.max_simultaneous_positions)
        for view in event.settlements:
            symbol = view.funding.symbol
            if symbol not in held:
                unable = "just_closed" if symbol in before else "slots" if full else "size"
                gate = entry_gate(config, window, strategy, view)
                waits = gate or waiting_gate(config.patience, book.closed_by(symbol, event.t_ms), event.t_ms)
                yield Blocked(symbol, event.t_ms, waits or Gate(unable))
        before = set(held)
