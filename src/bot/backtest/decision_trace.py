"""Decisions of a strategy at moments of a run: its figures, its conditions, and the outcome."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from bot.config.run_config import RunConfig
from bot.config.strategy_registry import strategy_plugin
from bot.market.window import ReplayWindow
from bot.models import HOUR_MS, MarketEvent, SettlementView, Trade
from bot.numbers.money import exact
from bot.strategies.gates import Gate
from bot.strategies.strategy import Strategy


@dataclass(frozen=True, slots=True)
class DecisionSnapshot:
    """Decision of a strategy at one settlement, with the settlement view it was based on.

    `gate` is the first entry blocker, None if none blocked; `wants_exit` whether an open hedge was to be
    closed; `figures` are the strategy's own, by name. Stale prices decide nothing.
    """

    view: SettlementView
    gate: Gate | None
    wants_exit: bool
    figures: Mapping[str, Decimal | bool] = field(default_factory=dict)


def decision_events(
    config: RunConfig, window: ReplayWindow, trades: Iterable[Trade] = ()
) -> Iterator[tuple[Strategy, MarketEvent]]:
    """Yield each event at which a run that made `trades` may enter, with its strategy as it stood.

    Call inside `exact()`.
    """
    strategy: Strategy = strategy_plugin(config.strategy_mode).build(config)
    costs = window.costs(config)
    costs.fees.recall(trades)
    strategy.at_costs(costs)
    for record in window.past:
        strategy.observe(record)
    for event in window.events[:-1]:
        for view in event.settlements:
            strategy.observe(view.funding)
        yield strategy, event


def entry_gate(
    config: RunConfig, window: ReplayWindow, strategy: Strategy, view: SettlementView
) -> Gate | None:
    """Return the first condition that keeps a settling pair out, None if none does.

    After the end of its contract that is `delisted`.

    The gate of a strategy that wants nothing and does not say why is called `strategy`.
    """
    end = window.ends_for(config).get(view.funding.symbol)
    if end is not None and end.at_ms <= view.funding.t_ms:
        return Gate("delisted")
    if not view.ticker.fresh:
        return _stale(config, window, view)
    gate = strategy.blocking_gate(view)
    return Gate("strategy") if gate is None and not strategy.entries((view,)) else gate


def decision_snapshots(
    config: RunConfig, window: ReplayWindow, moments: Iterable[tuple[int, str]]
) -> dict[tuple[int, str], DecisionSnapshot]:
    """Return the snapshot of each of `moments` (ms UTC, symbol) at which the strategy of `config` decided."""
    wanted: dict[int, set[str]] = {}
    for t_ms, symbol in moments:
        wanted.setdefault(t_ms, set()).add(symbol)
    found: dict[tuple[int, str], DecisionSnapshot] = {}
    last_ms = max(wanted, default=-1)
    with exact():
        for strategy, event in decision_events(config, window):
            if event.t_ms > last_ms:
                break
            for view in event.settlements:
                if view.funding.symbol in wanted.get(event.t_ms, ()):
                    found[event.t_ms, view.funding.symbol] = _snapshot(config, window, strategy, view)
    return found


def _snapshot(
    config: RunConfig, window: ReplayWindow, strategy: Strategy, view: SettlementView
) -> DecisionSnapshot:
    gate = entry_gate(config, window, strategy, view)
    if not view.ticker.fresh:
        return DecisionSnapshot(view, gate, wants_exit=False)
    return DecisionSnapshot(view, gate, strategy.wants_exit(view), strategy.figures(view))


def _stale(config: RunConfig, window: ReplayWindow, view: SettlementView) -> Gate:
    age_ms = window.price_age_ms(view.funding.symbol, view.funding.t_ms)
    if age_ms is None:
        return Gate("fresh_prices")
    needed, seen = config.max_price_age_hours, Decimal(age_ms) / HOUR_MS
    return Gate("fresh_prices", needed, seen, seen - needed)
