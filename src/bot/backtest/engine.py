"""Replays recorded history through the production trading classes."""

from bot.analytics.metrics import money_units
from bot.backtest.executor import BacktestExecutor
from bot.backtest.metrics import Activity, CurveFacts, TradeTotals, summarize
from bot.backtest.result import Curve, RunResult
from bot.backtest.window import ReplayWindow
from bot.config import RunConfig
from bot.data.series import MarketData
from bot.desk import open_desk
from bot.execution.fill_model import FillModel
from bot.market_data.ticker_service import TickerService
from bot.money import exact
from bot.pnl.fees import FeeCalculator
from bot.pnl.worths import WorthCurve
from bot.trader import CarryTrader, Market


class BacktestEngine:
    """Runs one set of parameters over one window, event by event."""

    def __init__(self, config: RunConfig, window: ReplayWindow) -> None:
        named = config.exchange == window.exchange
        self._config = config if named else config.model_copy(update={"exchange": window.exchange})
        self._window = window

    def run(self) -> RunResult:
        """Return the finished run."""
        config, window = self._config, self._window
        initial, calendar = config.initial_capital, window.calendar
        with exact():
            trader, worths = self._replay()
            units, trades = worths.units(), tuple(trader.tracker.trades)
            totals = TradeTotals.of(trades)
        facts = CurveFacts.of(units[None, :], money_units(initial), calendar)
        activity = Activity(len(units), worths.events_in_market, trader.skipped_entries)
        [metrics] = summarize(facts, initial, calendar, [totals], [activity])
        curve = Curve(calendar, units)
        return RunResult(
            config, window.fingerprint, window.coverage, metrics, trades, trader.tracker.paid, curve
        )

    def _replay(self) -> tuple[CarryTrader, WorthCurve]:
        """Return the trader after the last event, and its worth after each."""
        config, window = self._config, self._window
        tickers = TickerService()
        executor = BacktestExecutor(tickers, FillModel(config.slippage), FeeCalculator(config.fees))
        trader = open_desk(config, executor, Market(tickers, window.instruments, window))
        trader.warm_up(window.past)
        worths = WorthCurve()
        trader.follow(window.track, worths)
        trader.on_last_event(window.events[-1])
        worths.stand(trader.equity(), 1, held=False)
        return trader, worths


def replay(config: RunConfig, window: ReplayWindow) -> RunResult:
    """Return the run of `config` over a window built for its symbols, dates and price age."""
    return BacktestEngine(config, window).run()


def run_backtest(config: RunConfig, data: MarketData) -> RunResult:
    """Return the run of `config` over `data`; raises InsufficientDataError if it covers too little."""
    return replay(config, ReplayWindow.build(config, data))
