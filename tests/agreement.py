"""Holds the engine's result document against the independent reference, to the last digit."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest
from builders import MarketRows, market_data, run_config
from reference.naive import run as reference_run

from bot.backtest import run_backtest
from bot.market.records.fee_rows import parse_fee_row
from bot.market.records.kinds import RecordKind
from bot.market.records.recorded import RecordedRows


def assert_engine_agrees(
    market: MarketRows, values: Mapping[str, Any], fee_rows: Sequence[Mapping[str, str]] = ()
) -> dict[str, Any]:
    """Run `values` over `market` both ways, compare everything, and return the engine's document."""
    config = run_config(**values)
    rows = {symbol: market[symbol] for symbol in config.symbols}
    recorded = RecordedRows({RecordKind.FEES: tuple(map(parse_fee_row, fee_rows))} if fee_rows else {})
    data = replace(market_data(rows, config.end), recorded=recorded)
    document = run_backtest(config, data).document()
    expected = reference_run(market, {**values, "start": config.start, "end": config.end}, fee_rows)
    assert_documents_agree(document, expected)
    return document


def assert_documents_agree(document: Mapping[str, Any], expected: Mapping[str, Any]) -> None:
    """Compare trades, equity and metrics: money to the last digit, statistics to 1e-9."""
    assert document["trades"] == expected["trades"]
    assert document["equity"] == [list(point) for point in expected["equity"]]
    assert document["metrics"].keys() >= expected["metrics"].keys()
    for name, value in expected["metrics"].items():
        if isinstance(value, float):
            assert document["metrics"][name] == pytest.approx(value, rel=1e-9, abs=0), name
        else:
            assert document["metrics"][name] == value, name
