"""The probe passes honest readers and catches planted leaks."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from builders import market_data, run_config
from recorded import recorded_market
from toy_market import START, configured, pair

from bot.backtest import ReplayWindow
from bot.backtest.probe import ProbeReport, probe
from bot.config.run_config import RunConfig
from bot.market.series import CandleSeries, MarketData, SymbolData
from bot.models import DAY_MS, HOUR_MS, MarketEvent, SettlementView

RATES = {hour: "0.0007" if hour % 5 else "-0.0004" for hour in range(1, 80)}
MARKET = {"X": pair(RATES, [str(100 + (hour * 7) % 23) for hour in range(80)])}


ENDS_MS = START + 40 * HOUR_MS
DYING = {
    "X": {
        **MARKET["X"],
        "perp": [(*row[:5], "1" if row[0] < ENDS_MS else "0") for row in MARKET["X"]["perp"]],
    }
}


def probed(build: Any = ReplayWindow.build, market: Any = MARKET, **overrides: Any) -> ProbeReport:
    config = configured(market, **overrides)
    return probe(config, market_data(market, config.end), cuts=20, seed=3, build=build)


def reading_one_row_ahead(config: RunConfig, data: MarketData) -> ReplayWindow:
    honest = ReplayWindow.build(config, data)
    later = [*honest.events[1:], honest.events[-1]]
    leaking = tuple(_with_rates_of(now, soon) for now, soon in zip(honest.events, later, strict=True))
    return replace(honest, events=leaking)


def _with_rates_of(now: MarketEvent, soon: MarketEvent) -> MarketEvent:
    views = tuple(map(_peeking, now.settlements, soon.settlements))
    return replace(now, settlements=views, decidable=tuple(view for view in views if view.ticker.fresh))


def _peeking(now: SettlementView, soon: SettlementView) -> SettlementView:
    return replace(now, funding=replace(now.funding, rate_8h=soon.funding.rate_8h))


def serving_unclosed_candles(config: RunConfig, data: MarketData) -> ReplayWindow:
    return ReplayWindow.build(config, replace(data, symbols=tuple(map(_by_open_time, data.symbols))))


def _by_open_time(item: SymbolData) -> SymbolData:
    return replace(item, spot=_early(item.spot), perp=_early(item.perp))


def _early(candles: CandleSeries) -> CandleSeries:
    return replace(candles, open_ms=candles.open_ms - candles.timeframe_ms)


def avoiding_what_will_end(config: RunConfig, data: MarketData) -> ReplayWindow:
    window = ReplayWindow.build(config, data)
    return replace(
        window, events=tuple(_without_ending(event, window.market_ends) for event in window.events)
    )


def _without_ending(event: MarketEvent, ends: Mapping[str, int]) -> MarketEvent:
    never = event.t_ms + 2 * DAY_MS
    kept = [view for view in event.decidable if ends.get(view.funding.symbol, never) > event.t_ms + DAY_MS]
    return replace(event, decidable=tuple(kept))


@pytest.mark.parametrize("strategy", ["simple", "composite", "hold"])
def test_honest_strategies_pass(strategy: str) -> None:
    report = probed(strategy_mode=strategy, entry_threshold="0.1", exit_threshold="0.05")
    assert report.leaks == ()
    assert len(report.cuts_ms) == 20


def test_a_strategy_that_reads_one_row_ahead_is_caught() -> None:
    report = probed(reading_one_row_ahead)
    assert report.leaks
    assert all(leak.at_ms <= leak.cut_ms for leak in report.leaks)


def test_a_reader_that_serves_unclosed_candles_is_caught() -> None:
    report = probed(serving_unclosed_candles, strategy_mode="hold")
    assert len(report.leaks) == 20
    assert report.document()["passed"] is False


@pytest.mark.parametrize("style", ["taker", "maker", "maker_entry"])
@pytest.mark.parametrize("strategy", ["simple", "composite"])
def test_patience_and_maker_orders_look_at_nothing_later(strategy: str, style: str) -> None:
    report = probed(
        strategy_mode=strategy,
        entry_threshold="0.2",
        volume_decline_ratio="0",
        exit_confirmations=2,
        min_hold_hours=5,
        cooldown_hours=4,
        exit_loss_horizon_hours=100,
        basis_exit="0.001",
        exit_liquidation_distance="0.9",
        order_style=style,
        maker_slippage_bps=-2,
    )
    assert report.leaks == ()


def test_an_end_that_only_later_data_tell_is_given_from_its_moment_on_and_named() -> None:
    report = probed(market=DYING, strategy_mode="hold", end_dead_markets=True)
    assert report.leaks == ()
    assert report.document()["given_ends"] == {"X": ENDS_MS}
    assert report.cuts_ms[0] < ENDS_MS < report.cuts_ms[-1]


def test_a_run_that_does_not_ask_for_ends_is_given_none() -> None:
    report = probed(market=DYING, strategy_mode="hold")
    assert (report.leaks, dict(report.given_ends)) == ((), {})


def test_a_reader_that_foresees_an_end_is_caught() -> None:
    report = probed(avoiding_what_will_end, market=DYING, end_dead_markets=True)
    assert report.leaks[0].cut_ms < ENDS_MS


@pytest.mark.real_data
@pytest.mark.parametrize("strategy", ["simple", "composite"])
def test_recorded_markets_show_no_look_ahead(real_data: Path, strategy: str) -> None:
    symbols = {"ETH/USDT:USDT": "ETHUSDT", "ORCA/USDT:USDT": "ORCAUSDT"}
    market = recorded_market(real_data / "binance", symbols, from_ms=1_733_000_000_000)
    config = run_config(
        symbols=list(symbols),
        start="2025-01-10",
        end="2026-02-01",
        strategy_mode=strategy,
        min_funding_rate="0.00005",
        min_holding_periods=300,
        entry_threshold="0.2",
        exit_threshold="0.1",
        max_simultaneous_positions=2,
        perp_leverage=4,
    )
    assert probe(config, market_data(market, config.end), cuts=6).leaks == ()
