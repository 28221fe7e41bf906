"""Replays recorded history through the production trading classes."""

from decimal import Decimal

from bot.backtest.executor import BacktestExecutor
from bot.backtest.result import Journal, RunResult, summarize
from bot.backtest.window import ReplayWindow
from bot.config import RunConfig
from bot.data.series import MarketData
from bot.desk import open_desk
from bot.execution.fill_model import FillModel
from bot.market_data.ticker_service import TickerService
from bot.money import exact
from bot.pnl.fees import FeeCalculator
from bot.trader import Market


class BacktestEngine:
    """Runs one set of parameters over one window, event by event."""

    def __init__(self, config: RunConfig, window: ReplayWindow) -> None:
        self._config = config.model_copy(update={"exchange": window.exchange})
        self._window = window

    def run(self) -> RunResult:
        """Return the finished run."""
        with exact():
            journal = self._replay()
            metrics = summarize(journal, self._config.initial_capital)
        return RunResult(
            self._config,
            self._window.fingerprint,
            self._window.coverage,
            metrics,
            journal.trades,
            journal.payments,
            journal.equity,
        )

    def _replay(self) -> Journal:
        config, window = self._config, self._window
        tickers = TickerService()
        executor = BacktestExecutor(tickers, FillModel(config.slippage), FeeCalculator(config.fees))
        trader = open_desk(config, executor, Market(tickers, window.instruments, window))
        trader.warm_up(window.past)
        held, in_market = trader.positions.held, 0
        equity: list[tuple[int, Decimal]] = []
        for event in window.events[:-1]:
            trader.on_event(event)
            equity.append((event.t_ms, trader.equity()))
            if held:
                in_market += 1
        trader.on_last_event(window.events[-1])
        equity.append((window.events[-1].t_ms, trader.equity()))
        tracker = trader.tracker
        return Journal(
            tuple(tracker.trades), tuple(tracker.payments), tuple(equity), in_market, trader.skipped_entries
        )


def replay(config: RunConfig, window: ReplayWindow) -> RunResult:
    """Return the run of `config` over a window built for its symbols, dates and price age."""
    return BacktestEngine(config, window).run()


def run_backtest(config: RunConfig, data: MarketData) -> RunResult:
    """Return the run of `config` over `data`; raises InsufficientDataError if it covers too little."""
    return replay(config, ReplayWindow.build(config, data))
