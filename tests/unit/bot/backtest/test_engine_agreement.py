"""The engine and an independent exact-fraction reading of the specification give the same documents."""

from pathlib import Path
from typing import Any

import pytest
from agreement import assert_engine_agrees
from hypothesis import given, settings
from recorded import recorded_market
from reference.markets import charged_runs, patient_runs, runs

from bot.models import DAY_MS
from bot.timestamps import parse_time_ms

AGGRESSIVE = {"min_funding_rate": "0.0001", "exit_funding_rate": "0.00005", "perp_leverage": 5}
HOLDING = {
    "min_funding_rate": "-0.01",
    "exit_funding_rate": "-0.01",
    "min_volume_24h": "0",
    "min_holding_periods": 100_000,
    "entry_threshold": "0",
    "exit_threshold": "0",
    "volume_decline_ratio": "0",
}
COMPOSITE = {
    "strategy_mode": "composite",
    "entry_threshold": "0.3",
    "exit_threshold": "0.2",
    "dynamic_sizing": True,
    "perp_leverage": 4,
}


@settings(max_examples=200, derandomize=True)
@given(runs())
def test_generated_markets_agree_to_the_last_digit(run: tuple[dict[str, Any], dict[str, Any]]) -> None:
    market, values = run
    assert_engine_agrees(market, values)


@settings(max_examples=200, derandomize=True)
@given(runs())
def test_generated_markets_that_end_agree_to_the_last_digit(
    run: tuple[dict[str, Any], dict[str, Any]],
) -> None:
    market, values = run
    assert_engine_agrees(market, {**values, **HOLDING, "end_dead_markets": True})


@settings(max_examples=300, derandomize=True)
@given(patient_runs())
def test_rules_of_patience_agree_to_the_last_digit(run: tuple[dict[str, Any], dict[str, Any]]) -> None:
    market, values = run
    assert_engine_agrees(market, values)


@settings(max_examples=60, derandomize=True)
@given(charged_runs())
def test_recorded_fees_agree_to_the_last_digit(
    run: tuple[dict[str, Any], dict[str, Any], list[dict[str, str]]],
) -> None:
    market, values, fee_rows = run
    assert_engine_agrees(market, values, fee_rows)


@pytest.mark.real_data
@pytest.mark.parametrize(
    ("exchange", "stems", "start", "end", "values"),
    [
        ("binance", ["BTCUSDT"], "2023-01-01", "2024-01-01", AGGRESSIVE),
        ("binance", ["ORCAUSDT"], "2025-01-02", "2026-02-01", {**AGGRESSIVE, "exit_funding_rate": "-0.001"}),
        ("binance", ["ORCAUSDT"], "2025-03-01", "2026-02-01", {**COMPOSITE, "entry_threshold": "0.15"}),
        (
            "binance",
            ["ETHUSDT", "XRPUSDT", "ADAUSDT"],
            "2020-10-01",
            "2021-06-01",
            {**AGGRESSIVE, "max_simultaneous_positions": 2, "sizing_base": "equity"},
        ),
        (
            "binance",
            ["SOLUSDT", "DOGEUSDT"],
            "2024-02-01",
            "2024-12-01",
            {**COMPOSITE, "max_simultaneous_positions": 2},
        ),
        (
            "hyperliquid",
            ["HYPEUSDC", "BTCUSDC"],
            "2025-03-01",
            "2025-06-01",
            {**COMPOSITE, "min_coverage": "0.5"},
        ),
        ("bybit", ["SOLUSDT"], "2025-04-12", "2025-08-09", {**AGGRESSIVE, "min_volume_24h": 0}),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, list) else None,
)
def test_recorded_markets_agree_to_the_last_digit(
    real_data: Path, exchange: str, stems: list[str], start: str, end: str, values: dict[str, Any]
) -> None:
    from_ms, until_ms = parse_time_ms(start) - 40 * DAY_MS, parse_time_ms(end) + 40 * DAY_MS
    symbols = {f"{stem[:-4]}/{stem[-4:]}:{stem[-4:]}": stem for stem in stems}
    market = recorded_market(real_data / exchange, symbols, from_ms=from_ms, until_ms=until_ms)
    defaults = {"min_volume_24h": 0, "min_holding_periods": 300}
    run = {**defaults, "symbols": list(symbols), "start": start, "end": end, **values}
    document = assert_engine_agrees(market, run)
    assert document["metrics"]["total_trades"] > 0


@pytest.mark.real_data
def test_recorded_eight_hour_candles_agree_to_the_last_digit(real_data: Path) -> None:
    market = recorded_market(real_data / "okx", {"BTC/USDT:USDT": "BTCUSDT"}, timeframe="8h")
    run = {
        **AGGRESSIVE,
        "symbols": ["BTC/USDT:USDT"],
        "start": "2023-02-01",
        "end": "2024-06-01",
        "max_price_age_hours": 8,
        "min_holding_periods": 300,
        "min_volume_24h": 0,
    }
    assert assert_engine_agrees(market, run)["metrics"]["total_trades"] > 0
