"""The probe passes honest readers and catches planted leaks."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from builders import market_data, run_config
from recorded import recorded_market
from toy_market import configured, pair

from bot.backtest import ReplayWindow
from bot.backtest.probe import ProbeReport, probe
from bot.config import RunConfig
from bot.data.series import CandleSeries, MarketData, SymbolData
from bot.models import MarketEvent, SettlementView

RATES = {hour: "0.0007" if hour % 5 else "-0.0004" for hour in range(1, 80)}
MARKET = {"X": pair(RATES, [str(100 + (hour * 7) % 23) for hour in range(80)])}


def probed(build: Any = ReplayWindow.build, **overrides: Any) -> ProbeReport:
    config = configured(MARKET, **overrides)
    return probe(config, market_data(MARKET, config.end), cuts=20, seed=3, build=build)


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
