"""Entry blockers of a run of hedges: the conditions that kept it out, and the nearest miss of each."""

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

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
    """Return the entry blockers of a run without trades, the most frequent first."""
    with exact_products():
        reports = gate_reports(_blocked(result.config, window))
    return [_noted(report, result, window) for report in reports]


def _blocked(config: RunConfig, window: HedgeWindow) -> Iterator[Blocked]:
    """Go through a run once more, and yield what settled and does not wait to be opened."""
    trader = hedge_trader(config, window, HedgeTrader)
    for t_ms in window.calendar.moments[:-1]:
        trader.on_event(t_ms)
        held = trader.account.names
        for one in trader.settlements.at(t_ms):
            if one.name not in held:
                yield Blocked(one.name, t_ms, _gate(config, trader, one))


def _gate(config: RunConfig, trader: HedgeTrader, one: Settlement) -> Gate:
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
    return trader.decisions.blocking_gate(one) or Gate(_lacking_room(trader, one))


def _stale(config: RunConfig, age_ms: int | None) -> Gate:
    if age_ms is None:
        return Gate("fresh_prices")
    needed, age = config.max_price_age_hours, divide(Decimal(age_ms), Decimal(HOUR_MS))
    return Gate("fresh_prices", needed, age, age - needed)


def _lacking_room(trader: HedgeTrader, one: Settlement) -> str:
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
