"""Entry blockers of a run of hedges, and its decisions at single moments.

Both go through the run once more, with the account that it had then.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import NamedTuple

from bot.backtest.decision_trace import DecisionSnapshot
from bot.backtest.entry_blockers import waiting_gate
from bot.backtest.window_findings import volume_note
from bot.config.run_config import RunConfig
from bot.config.strategy_registry import strategy_plugin
from bot.hedges.arithmetic import divide, exact_products
from bot.hedges.engine import hedge_trader
from bot.hedges.result import HedgeRun
from bot.hedges.settlements import Settlement
from bot.hedges.trader import HedgeTrader
from bot.hedges.window import HedgeWindow
from bot.models import DAY_MS, HOUR_MS
from bot.strategies.gates import Blocked, Gate, GateReport, gate_reports


def blocked_hedges(result: HedgeRun, window: HedgeWindow) -> list[GateReport]:
    """Return the entry blockers of the hedges that a run did not hold, the most frequent first."""
    with exact_products():
        reports = gate_reports(_blocked(result.config, window))
    return [_noted(report, result, window) for report in reports]


def hedge_snapshots(
    config: RunConfig, window: HedgeWindow, moments: Iterable[tuple[int, str]]
) -> dict[tuple[int, str], DecisionSnapshot]:
    """Return the snapshot of each of `moments` (ms UTC, name) at which a run decided with a carry.

    Its view is that of the first perp leg. The gate is that after the entries of the event, None for a hedge
    that was then open or waiting. At a moment at which an order was filled later than it was decided, the
    snapshot is that of the decision.
    """
    wanted: dict[int, set[str]] = {}
    for t_ms, name in moments:
        wanted.setdefault(t_ms, set()).add(name)
    found: dict[tuple[int, str], DecisionSnapshot] = {}
    with exact_products():
        for event in _events(config, window, max(wanted, default=-1)):
            for one in event.settled:
                for t_ms in (event.t_ms, *event.filled_later(one.name)):
                    if one.name in wanted.get(t_ms, ()) and one.carry is not None:
                        found.setdefault((t_ms, one.name), _snapshot(config, event, one))
    return found


class _Event(NamedTuple):
    """Event of a run with its trader after it, and the hedges that ended since the one before."""

    t_ms: int
    trader: HedgeTrader
    ended: frozenset[str]

    @property
    def settled(self) -> Sequence[Settlement]:
        """Settlements at its time."""
        return self.trader.settlements.at(self.t_ms)

    def filled_later(self, name: str) -> Iterator[int]:
        """Yield when orders for a hedge are to be filled that were decided at its time."""
        account = self.trader.account
        orders = [(entry.decided_ms, entry.due_ms) for entry in account.waiting if entry.market.name == name]
        closings = [hedge.closing for hedge in account.hedges if hedge.name == name]
        orders += [(closing.decided_ms, closing.due_ms) for closing in closings if closing is not None]
        for decided_ms, due_ms in orders:
            if decided_ms == self.t_ms and due_ms is not None:
                yield due_ms


def _events(config: RunConfig, window: HedgeWindow, until_ms: int) -> Iterator[_Event]:
    """Go through a run once more, up to a moment, and yield the events at which it could enter."""
    trader = hedge_trader(config, window, HedgeTrader)
    for t_ms in window.calendar.moments[:-1]:
        if t_ms > until_ms:
            return
        count = len(trader.account.trades)
        trader.on_event(t_ms)
        ended = frozenset(trade.symbol for trade in trader.account.trades[count:])
        yield _Event(t_ms, trader, ended)


def _snapshot(config: RunConfig, event: _Event, one: Settlement) -> DecisionSnapshot:
    trader = event.trader
    gate = None if one.name in trader.account.names else _gate(config, event, one)
    view = one.views[0]
    if one.age_ms is None or one.age_ms > config.max_price_age_ms:
        stale = replace(view, ticker=replace(view.ticker, fresh=False))
        return DecisionSnapshot(stale, gate, wants_exit=False)
    return DecisionSnapshot(view, gate, trader.decisions.wants_exit(one), trader.decisions.figures(one))


def _blocked(config: RunConfig, window: HedgeWindow) -> Iterator[Blocked]:
    """Yield what settled and was neither open nor waiting to be opened."""
    for event in _events(config, window, config.end):
        held = event.trader.account.names
        for one in event.settled:
            if one.name not in held:
                yield Blocked(one.name, event.t_ms, _gate(config, event, one))


def _gate(config: RunConfig, event: _Event, one: Settlement) -> Gate:
    """Return the first condition that keeps a hedge out after the entries of an event."""
    if one.age_ms is None or one.age_ms > config.max_price_age_ms:
        return _stale(config, one.age_ms)
    if one.carry is None:
        return Gate("carry")
    least = config.min_contract_age_days
    if one.t_ms - one.begun_ms < least * DAY_MS:
        days = divide(Decimal(one.t_ms - one.begun_ms), Decimal(DAY_MS))
        return Gate("min_contract_age_days", least, days, least - days)
    if one.end_announced:
        return Gate("end_announced")
    gate = event.trader.decisions.blocking_gate(one)
    if gate is not None:
        return gate
    closed = [trade.closed_at_ms for trade in event.trader.account.trades if trade.symbol == one.name]
    return waiting_gate(config.patience, closed, one.t_ms) or Gate(_lacking_room(event, one))


def _stale(config: RunConfig, age_ms: int | None) -> Gate:
    if age_ms is None:
        return Gate("fresh_prices")
    needed, age = config.max_price_age_hours, divide(Decimal(age_ms), Decimal(HOUR_MS))
    return Gate("fresh_prices", needed, age, age - needed)


def _lacking_room(event: _Event, one: Settlement) -> str:
    trader = event.trader
    if one.name in event.ended:
        return "just_closed"
    if trader.slots_left() <= 0:
        return "slots"
    return "market_in_use" if trader.is_taken(one.name) else "size"


def _noted(report: GateReport, result: HedgeRun, window: HedgeWindow) -> GateReport:
    """Name the time a volume gate judged, if that was another than its name says."""
    advice = strategy_plugin(result.config.strategy_mode).gates.get(report.gate)
    if advice is None or not advice.reads_volume:
        return report
    hedge = next(hedge for hedge in window.hedges if hedge.name == report.nearest_symbol)
    for leg in hedge.legs:
        name = leg.symbol if leg.exchange == window.exchange else f"{leg.symbol}@{leg.exchange}"
        note = volume_note(window.coverage[name]) if leg.kind != "spot" else None
        if note is not None:
            return replace(report, note=note)
    return report
