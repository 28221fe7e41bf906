"""The probe passes runs of hedges of every structure, and catches readers that look ahead."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from builders import market_data, run_config
from hedge_files import hedge_data
from recorded import recorded_market
from reference.hedges.drawn import STRUCTURES, made

from bot.backtest.probe import ProbeReport
from bot.config.run_config import RunConfig
from bot.hedges.engine import run_hedges
from bot.hedges.probe import probe_hedges
from bot.hedges.window import HedgeWindow
from bot.market.hedge_data import HedgeData
from bot.market.records.kinds import RecordKind
from bot.market.records.recorded import RecordedRows
from bot.market.series import CandleSeries, SymbolData
from bot.models import DAY_MS, HOUR_MS

START = 1_704_067_200_000
HOURS = 96
ENDS_MS = START + 70 * HOUR_MS
FUNDING = "timestamp_ms,funding_rate,interval_hours,mark_price\n" + "".join(
    f"{START + hour * HOUR_MS},{'0.001' if hour % 9 else '-0.0009'},1,\n" for hour in range(HOURS + 1)
)
CANDLES = "timestamp_ms,open,high,low,close,volume\n" + "".join(
    f"{START + hour * HOUR_MS},100,100,100,{100 + (hour * 7) % 23},900000\n" for hour in range(-3, HOURS)
)
FILES = {
    "alpha/AAAUSDT-funding.csv": FUNDING,
    "alpha/AAAUSDT-perp-1h.csv": CANDLES,
    "alpha/AAAUSDT-spot-1h.csv": CANDLES,
}
Edit = Callable[[SymbolData], SymbolData]


def life(**values: Any) -> dict[str, str]:
    """Return the file of a perp that ends before the last event."""
    epoch = {"market": "perp", "from_ms": START - DAY_MS, "to_ms": ENDS_MS, **values}
    return {"alpha/AAAUSDT-life.json": json.dumps([epoch])}


def probed(edit: Edit = lambda held: held, files: dict[str, str] = FILES, **values: Any) -> ProbeReport:
    """Return the findings of the probe of a run over files, read through `edit`."""
    given = {
        "exchange": "alpha",
        "symbols": ["AAA/USDT>AAA/USDT:USDT"],
        "min_funding_rate": "0.0001",
        "min_holding_periods": 300,
        "start": START,
        "end": START + HOURS * HOUR_MS,
    }
    config = run_config(**{**given, **values})

    def build(config: RunConfig, data: HedgeData) -> HedgeWindow:
        return HedgeWindow.build(
            config, replace(data, pairs={key: edit(held) for key, held in data.pairs.items()})
        )

    data = hedge_data(files, {"exchange": "alpha", "end": config.end})
    assert run_hedges(config, data).trades
    return probe_hedges(config, data, cuts=20, seed=3, build=build)


def closing_when_they_open(held: SymbolData) -> SymbolData:
    """Return a pair whose candles are seen a candle too early."""
    return replace(held, spot=_early(held.spot), perp=_early(held.perp))


def _early(candles: CandleSeries) -> CandleSeries:
    return replace(candles, open_ms=candles.open_ms - candles.timeframe_ms)


def announcing_ends_a_day_ahead(held: SymbolData) -> SymbolData:
    """Return a pair of which every end is known a day before."""
    rows = dict(held.recorded.rows)
    rows[RecordKind.LIFE] = tuple(
        epoch if epoch.to_ms is None else epoch._replace(announced_ms=epoch.to_ms - DAY_MS)
        for epoch in rows.get(RecordKind.LIFE, ())
    )
    return replace(held, recorded=RecordedRows(rows))


@pytest.mark.parametrize("structure", STRUCTURES)
def test_drawn_runs_of_every_structure_look_at_nothing_later(structure: str) -> None:
    trades = ended = 0
    for seed in range(12):
        files, values = made(seed, structure)
        config, data = RunConfig.parse(values), hedge_data(files, values)
        trades += len(run_hedges(config, data).trades)
        ended += any('"to_ms": 1' in text or '"to_ms":1' in text for text in files.values())
        report = probe_hedges(config, data, cuts=5, seed=seed)
        assert report.leaks == (), (structure, seed)
        assert report.cuts_ms
    assert trades > 12
    assert ended > 2


def test_reader_of_hedges_that_serves_unclosed_candles_is_caught() -> None:
    report = probed(closing_when_they_open)
    assert len(report.leaks) > 10
    assert all(leak.at_ms <= leak.cut_ms for leak in report.leaks)


@pytest.mark.parametrize("announced", [None, ENDS_MS - 20 * HOUR_MS])
def test_end_of_a_contract_is_known_from_its_announcement_or_its_moment_on(announced: int | None) -> None:
    files = {**FILES, **life(announced_ms=announced, settle_price="99")}
    assert probed(files=files, exit_on_announcement=True).leaks == ()


def test_reader_that_knows_of_an_end_before_its_announcement_is_caught() -> None:
    report = probed(announcing_ends_a_day_ahead, {**FILES, **life()}, exit_on_announcement=True)
    assert report.leaks
    assert report.leaks[0].cut_ms < ENDS_MS


def test_reader_that_foresees_the_end_of_a_contract_without_a_recorded_life_is_caught() -> None:
    assert probed(announcing_ends_a_day_ahead, exit_on_announcement=True).leaks


@pytest.mark.real_data
@pytest.mark.parametrize("mode", ["simple", "composite"])
def test_recorded_hedges_on_two_exchanges_show_no_look_ahead(real_data: Path, mode: str) -> None:
    config = run_config(
        exchange="hyperliquid",
        symbols=["BTC/USDC:USDC@hyperliquid<>BTC/USDT:USDT@binance"],
        structure="perp_perp",
        start="2025-03-01",
        end="2025-05-01",
        strategy_mode=mode,
        min_funding_rate="0.00005",
        exit_funding_rate="0",
        min_holding_periods=300,
        entry_threshold="0.2",
        exit_threshold="0.1",
        perp_leverage=4,
        min_coverage=0,
    )
    pairs = {}
    for exchange, symbol in (("hyperliquid", "BTC/USDC:USDC"), ("binance", "BTC/USDT:USDT")):
        stem = symbol.partition(":")[0].replace("/", "")
        rows = recorded_market(real_data / exchange, {symbol: stem}, from_ms=1_735_000_000_000)
        for one in rows.values():
            one["funding"] = [(t_ms - t_ms % HOUR_MS, *rest) for t_ms, *rest in one["funding"]]
        [held] = market_data(rows, config.end, exchange).symbols
        pairs[exchange, symbol] = held
    data = HedgeData("hyperliquid", config.end, pairs)
    assert run_hedges(config, data).trades
    assert probe_hedges(config, data, cuts=5).leaks == ()
