"""Replays recorded history through the production trading classes."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import cast

import numpy as np

from bot.analytics.metrics import Units, money_units
from bot.backtest.executor import BacktestExecutor
from bot.backtest.metrics import Activity, CurveFacts, Metrics, TradeTotals, summarize
from bot.backtest.result import Curve, RunResult
from bot.backtest.window import ReplayWindow
from bot.config import RunConfig
from bot.data.series import MarketData
from bot.desk import open_desk
from bot.execution.fill_model import FillModel
from bot.market_data.ticker_service import TickerService
from bot.models import Trade
from bot.money import exact
from bot.pnl.fees import FeeCalculator
from bot.pnl.payments import PaymentBook
from bot.pnl.worths import WorthCurve, units_of
from bot.trader import Market

_POINTS = 20_000
"""Of the curves that are priced and measured at a time: numpy is asked once for all, and caches hold them."""


@dataclass(frozen=True, slots=True)
class Books:
    """What one run has booked, and what its account was worth."""

    trades: tuple[Trade, ...]
    totals: TradeTotals
    paid: PaymentBook
    worths: WorthCurve
    skipped_entries: int


class BacktestEngine:
    """Runs one set of parameters over one window, event by event."""

    def __init__(self, config: RunConfig, window: ReplayWindow) -> None:
        named = config.exchange == window.exchange
        self.config = config if named else config.model_copy(update={"exchange": window.exchange})
        self._window = window

    def run(self) -> RunResult:
        """Return the finished run."""
        with exact():
            books = self.play()
            curves = units_of([books.worths])
        return _results([self.config], [books], curves, self._window)[0]

    def play(self) -> Books:
        """Return the books after the last event. Call inside `bot.money.exact()`."""
        config, window = self.config, self._window
        tickers = TickerService()
        executor = BacktestExecutor(tickers, FillModel(config.slippage), FeeCalculator(config.fees))
        trader = open_desk(config, executor, Market(tickers, window.instruments, window))
        trader.warm_up(window.past)
        worths = WorthCurve()
        trader.follow(window.track, worths)
        trader.on_last_event(window.events[-1])
        worths.stand(trader.equity(), 1, held=False)
        trades = tuple(trader.tracker.trades)
        return Books(trades, TradeTotals.of(trades), trader.tracker.paid, worths, trader.skipped_entries)


def replay(config: RunConfig, window: ReplayWindow) -> RunResult:
    """Return the run of `config` over a window built for its symbols, dates and price age."""
    return BacktestEngine(config, window).run()


def replays(configs: Sequence[RunConfig], window: ReplayWindow) -> Iterator[RunResult]:
    """Yield `replay` of each of `configs`, each run by itself, some of them priced and measured together."""
    together = max(1, _POINTS // len(window.events))
    for first in range(0, len(configs), together):
        engines = [BacktestEngine(config, window) for config in configs[first : first + together]]
        with exact():
            books = [engine.play() for engine in engines]
            curves = units_of([own.worths for own in books])
        yield from _results([engine.config for engine in engines], books, curves, window)


def run_backtest(config: RunConfig, data: MarketData) -> RunResult:
    """Return the run of `config` over `data`; raises InsufficientDataError if it covers too little."""
    return replay(config, ReplayWindow.build(config, data))


def _results(
    configs: Sequence[RunConfig], books: Sequence[Books], curves: Sequence[Units], window: ReplayWindow
) -> list[RunResult]:
    """Return the finished runs, measured together where their accounts begin alike."""
    alike: dict[tuple[Decimal, np.dtype[np.generic]], list[int]] = {}
    for place, (config, curve) in enumerate(zip(configs, curves, strict=True)):
        alike.setdefault((config.initial_capital, curve.dtype), []).append(place)
    metrics: dict[int, Metrics] = {}
    for (capital, _), places in alike.items():
        stacked = cast("Units", np.stack([curves[place] for place in places]))
        found = _measured(capital, [books[place] for place in places], stacked, window)
        metrics.update(zip(places, found, strict=True))
    return [
        RunResult(
            config,
            window.fingerprint,
            window.coverage,
            metrics[place],
            own.trades,
            own.paid,
            Curve(window.calendar, curve),
        )
        for place, (config, own, curve) in enumerate(zip(configs, books, curves, strict=True))
    ]


def _measured(capital: Decimal, books: list[Books], curves: Units, window: ReplayWindow) -> list[Metrics]:
    calendar, events = window.calendar, len(window.events)
    facts = CurveFacts.of(curves, money_units(capital), calendar)
    activities = [Activity(events, own.worths.events_in_market, own.skipped_entries) for own in books]
    return summarize(facts, capital, calendar, [own.totals for own in books], activities)
