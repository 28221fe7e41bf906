"""Replays recorded history through the production trading classes."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import cast

import numpy as np

from bot.backtest.executor import BacktestExecutor
from bot.backtest.result import Curve, RunResult
from bot.config.run_config import RunConfig
from bot.market.after_end import pnl_after_end
from bot.market.missed_settlements import missed_settlements
from bot.market.series import MarketData
from bot.market.tickers import TickerService
from bot.market.window import ReplayWindow
from bot.models import Trade
from bot.numbers.money import ZERO, exact
from bot.statistics.metrics import Units, money_units
from bot.statistics.run_metrics import Activity, CurveFacts, Metrics, TradeTotals, summarize
from bot.trading.equity_curve import EquityCurveBuilder, equity_units
from bot.trading.factory import build_trader
from bot.trading.payments import PaymentBook
from bot.trading.trader import CarryTrader, Market

_POINTS = 20_000
"""Points of the curves priced and measured in one numpy call: few calls, and caches hold them."""


@dataclass(frozen=True, slots=True)
class Books:
    """Books of one run: its trades, totals and payments, and its equity curve."""

    trades: tuple[Trade, ...]
    totals: TradeTotals
    paid: PaymentBook
    curve: EquityCurveBuilder
    skipped_entries: int


@dataclass(frozen=True, slots=True)
class Stage:
    """Parameters in force from event `first` of a window on."""

    config: RunConfig
    window: ReplayWindow
    first: int = 0

    def trader(self) -> CarryTrader:
        """Return a trader under these parameters that has seen every settlement before them."""
        config, window, tickers = self.config, self.window, TickerService()
        costs = window.costs(config)
        executor = BacktestExecutor(tickers, costs.fills, costs.fees)
        market = Market(tickers, window.instruments, window, window.ends_for(config))
        trader = build_trader(config, executor, market, costs)
        trader.warm_up(window.past)
        earlier = window.events[: self.first]
        trader.warm_up(view.funding for event in earlier for view in event.settlements)
        return trader


class BacktestEngine:
    """Runs one set of parameters over one window, event by event."""

    def __init__(self, config: RunConfig, window: ReplayWindow) -> None:
        named = config.exchange == window.exchange
        self.config = config if named else config.model_copy(update={"exchange": window.exchange})
        self.window = window

    def run(self) -> RunResult:
        """Return the finished run."""
        return _finished([self])[0]

    def play(self) -> Books:
        """Return the books after the last event. Call inside `exact()`."""
        return play([Stage(self.config, self.window)])


def play(stages: Sequence[Stage]) -> Books:
    """Return the books after the last event of stages over the same events, in order of their first ones.

    The account and its positions go on from stage to stage; before the first one it is cash. Call inside
    `exact()`.
    """
    curve, last = EquityCurveBuilder(), len(stages[0].window.events) - 1
    trader = stages[0].trader()
    if stages[0].first:
        curve.add_flat(trader.equity(), stages[0].first, held=False)
    stops = [*(stage.first for stage in stages[1:]), last]
    for stage, stop in zip(stages, stops, strict=True):
        if stage is not stages[0]:
            trader, before = stage.trader(), trader
            trader.succeed(before)
        trader.follow(stage.window.event_columns, curve, stage.first, stop)
    trader.on_last_event(stages[-1].window.events[last])
    curve.add_flat(trader.equity(), 1, held=False)
    trades = tuple(trader.tracker.trades)
    return Books(trades, _totals(stages, trades), trader.tracker.paid, curve, trader.skipped_entries)


def _totals(stages: Sequence[Stage], trades: Sequence[Trade]) -> TradeTotals:
    window, after_end = stages[0].window, None
    if window.contract_ends:
        after_end = ZERO
        for stage, own in zip(stages, _opened_under(stages, trades), strict=True):
            costs = stage.window.costs(stage.config)
            costs.fees.recall(trades)
            since = pnl_after_end(own, window.after_end, costs)
            after_end += sum(since.values(), ZERO)
    return TradeTotals.of(trades, missed=missed_settlements(trades, window.missing), after_end=after_end)


def _opened_under(stages: Sequence[Stage], trades: Sequence[Trade]) -> list[list[Trade]]:
    """Return the trades that were opened in each stage."""
    begins = [stage.window.events[stage.first].t_ms for stage in stages]
    found: list[list[Trade]] = [[] for _ in stages]
    for trade in trades:
        found[bisect_right(begins, trade.opened_at_ms) - 1].append(trade)
    return found


def replay(config: RunConfig, window: ReplayWindow) -> RunResult:
    """Return the run of `config` over a window built for its symbols, dates and price age."""
    return BacktestEngine(config, window).run()


def replays(configs: Sequence[RunConfig], window: ReplayWindow) -> Iterator[RunResult]:
    """Yield `replay` of each of `configs`, each run by itself, some of them priced and measured together."""
    together = max(1, _POINTS // len(window.events))
    for first in range(0, len(configs), together):
        yield from _finished([BacktestEngine(config, window) for config in configs[first : first + together]])


def run_backtest(config: RunConfig, data: MarketData) -> RunResult:
    """Return the run of `config` over `data`; raises InsufficientDataError if it covers too little."""
    return replay(config, ReplayWindow.build(config, data))


def _finished(engines: Sequence[BacktestEngine]) -> list[RunResult]:
    """Return the runs of engines of one window."""
    with exact():
        books = [engine.play() for engine in engines]
        curves = equity_units([own.curve for own in books])
    window = engines[0].window
    return [
        RunResult(
            engine.config,
            window,
            metrics,
            own.trades,
            own.paid,
            Curve(window.calendar, curve),
        )
        for engine, own, curve, metrics in zip(
            engines, books, curves, _metrics(engines, books, curves), strict=True
        )
    ]


def _metrics(
    engines: Sequence[BacktestEngine], books: Sequence[Books], curves: Sequence[Units]
) -> list[Metrics]:
    """Return the metrics of each run, those measured together whose accounts begin alike."""
    alike: dict[tuple[Decimal, np.dtype[np.generic]], list[int]] = {}
    for place, (engine, curve) in enumerate(zip(engines, curves, strict=True)):
        alike.setdefault((engine.config.initial_capital, curve.dtype), []).append(place)
    found: dict[int, Metrics] = {}
    for (capital, _), places in alike.items():
        stacked = cast("Units", np.stack([curves[place] for place in places]))
        some = measured(capital, [books[place] for place in places], stacked, engines[0].window)
        found.update(zip(places, some, strict=True))
    return [found[place] for place in range(len(engines))]


def measured(capital: Decimal, books: Sequence[Books], curves: Units, window: ReplayWindow) -> list[Metrics]:
    """Return the metrics of accounts over the events of a window that began with the same capital."""
    calendar, events = window.calendar, len(window.events)
    facts = CurveFacts.of(curves, money_units(capital), calendar)
    activities = [Activity(events, own.curve.events_in_market, own.skipped_entries) for own in books]
    return summarize(facts, capital, calendar, [own.totals for own in books], activities)
