"""Replays recorded history of hedges, event by event."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple, TypeVar, cast

import numpy as np

from bot.backtest.result import Curve
from bot.config.run_config import RunConfig
from bot.hedges.arithmetic import exact_products
from bot.hedges.fast_forward.event_columns import EventColumns
from bot.hedges.fast_forward.stretches import FastForward
from bot.hedges.journal.recording import JournalingTrader
from bot.hedges.journal.records import Journal
from bot.hedges.markets import HedgeMarket
from bot.hedges.metrics import Observed, count_of
from bot.hedges.positions import HedgeTrade
from bot.hedges.result import HedgeRun
from bot.hedges.trader import HedgeTrader
from bot.hedges.wallets import Wallets
from bot.hedges.window import HedgeWindow
from bot.market.hedge_data import HedgeData
from bot.models import CloseReason
from bot.numbers.money import ZERO
from bot.statistics.hedge_metrics import HedgeMetrics
from bot.statistics.metrics import Units, amount_units, finite, money_units, packed
from bot.statistics.run_metrics import Activity, CurveFacts, Metrics, TradeTotals, summarize

T = TypeVar("T", bound=HedgeTrader)


def run_hedges(config: RunConfig, data: HedgeData) -> HedgeRun:
    """Return the run of `config` over `data`.

    Raises: InsufficientDataError where something that it asks for is not held, or no perp leg settles in its
    window.
    """
    return replay_hedges(config, HedgeWindow.build(config, data))


def replay_hedges(config: RunConfig, window: HedgeWindow) -> HedgeRun:
    """Return the run of `config` over a window built for its hedges and dates.

    Raises: InsufficientDataError where brackets or fees that it asks for are not held.
    """
    return _replayed(config, window, HedgeTrader, _fast_forward)[0]


def replay_with_journal(config: RunConfig, window: HedgeWindow) -> tuple[HedgeRun, Journal]:
    """Return the run that `replay_hedges` gives, and the journal of what it booked."""
    run, trader = _replayed(config, window, JournalingTrader, _event_by_event)
    return run, trader.journal


def _fast_forward(trader: HedgeTrader, window: HedgeWindow) -> list[Decimal]:
    """Return the equity after each event but the last, of which those are skipped that only settle."""
    config = trader.config
    columns = window.kept(
        "columns", config, lambda: EventColumns(window.settlements(config), window.calendar.moments)
    )
    return FastForward(trader, columns).equities()


def _event_by_event(trader: HedgeTrader, window: HedgeWindow) -> list[Decimal]:
    """Return the equity after each event but the last: a journal is written at every one."""
    return [*map(trader.on_event, window.calendar.moments[:-1])]


def _replayed(
    config: RunConfig,
    window: HedgeWindow,
    made: type[T],
    equities: Callable[[HedgeTrader, HedgeWindow], list[Decimal]],
) -> tuple[HedgeRun, T]:
    if config.exchange != window.exchange:
        config = config.model_copy(update={"exchange": window.exchange})
    with exact_products():
        trader = hedge_trader(config, window, made)
        equity = [*equities(trader, window), trader.on_last_event(window.calendar.moments[-1])]
        units = packed(amount_units(equity))
        missed = window.missed_settlements(trader.account.held_perps, config.end)
        books = Books(trader.account.trades, trader.observed, trader.account.wallets.transfer_fees, missed)
        curve = Curve(window.calendar, units)
        metrics, figures = metrics_of(config, books, curve)
    payments = tuple(trader.account.payments)
    trades = tuple(trader.account.trades)
    return HedgeRun(config, window, metrics, figures, trades, payments, curve), trader


def hedge_trader(config: RunConfig, window: HedgeWindow, made: type[T]) -> T:
    """Return the trader of a run before its first event. Call inside `exact_products()`.

    Raises: InsufficientDataError where brackets that it asks for are not held.
    """
    markets = window.markets(config)
    return made(config, markets, window.settlements(config), _wallets(config, markets), window.costs(config))


def hedge_replays(configs: Sequence[RunConfig], window: HedgeWindow) -> Iterator[HedgeRun]:
    """Yield `replay_hedges` of each of `configs`."""
    for config in configs:
        yield replay_hedges(config, window)


def _wallets(config: RunConfig, markets: Sequence[HedgeMarket]) -> Wallets:
    exchanges = dict.fromkeys(leg.exchange for market in markets for leg in market.legs)
    shares = None if config.capital_shares is None else dict(config.capital_shares)
    return Wallets(list(exchanges), config.initial_capital, shares)


class Books(NamedTuple):
    """Books of a run that metrics are made of; `missed` settlements were due to it and are not recorded."""

    trades: Sequence[HedgeTrade]
    observed: Observed
    transfer_fees: Decimal
    missed: int


def metrics_of(config: RunConfig, books: Books, curve: Curve) -> tuple[Metrics, HedgeMetrics]:
    """Return the metrics of a run. Call inside `exact_products()`."""
    observed, calendar = books.observed, curve.calendar
    stacked = cast("Units", np.stack([curve.units]))
    facts = CurveFacts.of(stacked, money_units(config.initial_capital), calendar)
    totals = TradeTotals.of(books.trades, missed=books.missed, after_end=None)
    activity = Activity(len(calendar.times_ms), observed.events_in_market, observed.skipped_entries)
    metrics = summarize(facts, config.initial_capital, calendar, [totals], [activity])[0]
    return metrics, _hedge_metrics(config, books, metrics)


def _hedge_metrics(config: RunConfig, books: Books, metrics: Metrics) -> HedgeMetrics:
    trades, observed = books.trades, books.observed
    average = observed.avg_capital_tied
    return HedgeMetrics(
        long_pnl=_total(trade.long_pnl for trade in trades),
        short_pnl=_total(trade.short_pnl for trade in trades),
        borrow_cost=_total(trade.borrow_cost for trade in trades),
        transfer_cost=_total(trade.transfer_cost for trade in trades) + books.transfer_fees,
        **observed.by_regime,
        avg_capital_tied=average,
        max_margin_used=observed.max_margin_used,
        capacity=observed.capacity,
        adl_closures=count_of(trades, CloseReason.ADL),
        top_ups=sum(trade.top_ups for trade in trades),
        reductions=sum(trade.reductions for trade in trades),
        capped_entries=observed.capped_entries,
        return_on_capital_tied=_ratio(metrics.net_pnl, average),
        capital_efficiency=_ratio(average, config.initial_capital),
        min_liquidation_distance=None if observed.least_distance is None else float(observed.least_distance),
    )


def _total(amounts: Iterable[Decimal]) -> Decimal:
    return sum(amounts, ZERO)


def _ratio(amount: Decimal | None, base: Decimal | None) -> float | None:
    return finite(float(Fraction(amount) / Fraction(base))) if base and amount is not None else None
