"""A market told live and the same market replayed give the same books, however often the process dies."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from papertrading import MemoryStore, assert_paper_agrees
from recorded import recorded_market
from reference.markets import runs

from bot.market_store.paper.pair_sessions import PaperStore
from bot.timestamps import parse_time_ms

SIMPLE = {"min_funding_rate": "0.0001", "exit_funding_rate": "0.00005", "perp_leverage": 5}
COMPOSITE = {
    "strategy_mode": "composite",
    "entry_threshold": "0.3",
    "exit_threshold": "0.2",
    "dynamic_sizing": True,
    "perp_leverage": 4,
    "max_simultaneous_positions": 2,
}


@settings(max_examples=60, derandomize=True)
@given(runs())
def test_generated_markets_give_the_books_of_a_replay(run: tuple[dict[str, Any], dict[str, Any]]) -> None:
    assert_paper_agrees(*run, MemoryStore())


@settings(max_examples=25, derandomize=True)
@given(runs(), st.integers(2, 9), st.booleans())
def test_generated_markets_give_them_to_processes_that_die(
    run: tuple[dict[str, Any], dict[str, Any]], crash_every: int, before: bool
) -> None:
    assert_paper_agrees(*run, MemoryStore(), crash_every=crash_every, before=before)


@pytest.mark.real_data
@pytest.mark.parametrize(
    ("exchange", "stems", "start", "end", "values"),
    [
        ("binance", ["ETHUSDT", "XRPUSDT", "ADAUSDT"], "2021-01-01", "2021-04-01", COMPOSITE),
        ("binance", ["ORCAUSDT"], "2025-03-01", "2025-06-01", {**COMPOSITE, "entry_threshold": "0.15"}),
        ("binance", ["SOLUSDT", "DOGEUSDT"], "2024-02-01", "2024-05-01", SIMPLE),
        ("hyperliquid", ["HYPEUSDC", "BTCUSDC"], "2025-03-01", "2025-04-01", COMPOSITE),
    ],
    ids=["composite-3", "composite-1", "simple-2", "hourly-2"],
)
def test_recorded_markets_give_them_to_processes_that_die(
    real_data: Path,
    paper_store: PaperStore,
    exchange: str,
    stems: list[str],
    start: str,
    end: str,
    values: Any,
) -> None:
    symbols = {f"{stem[:-4]}/{stem[-4:]}:{stem[-4:]}": stem for stem in stems}
    from_ms = parse_time_ms(start) - 40 * 86_400_000
    market = recorded_market(real_data / exchange, symbols, from_ms=from_ms)
    defaults = {"min_volume_24h": 0, "min_holding_periods": 300, "min_coverage": "0.5"}
    run = {**defaults, **values, "symbols": list(symbols), "start": start, "end": end}
    result = assert_paper_agrees(market, run, paper_store, crash_every=41)
    assert result.metrics.total_trades > 0
