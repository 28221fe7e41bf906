"""Filters by a range from high to low, which would hold nothing."""

import json

import pytest
from sweeping import BASE, sweep_spec

from bot.errors import InvalidInputError
from sweeps.analysis.selection import Selection

SYMBOLS = ["BTC/USDT:USDT", "ETH/USDT:USDT"]
SPACE = sweep_spec(
    base={name: value for name, value in BASE.items() if name != "symbols"},
    grid={
        "symbols": SYMBOLS,
        "perp_leverage": [5, 1],
        "strategy_mode": ["simple", "composite"],
        "entry_threshold": {"values": ["0.5", "0.6"], "when": {"strategy_mode": "composite"}},
    },
).space
REFUSED = {
    ("perp_leverage", "5..1"): "1..5",
    ("perp_leverage", "3..2.5"): "2.5..3",
    ("symbols", "ETH/USDT:USDT..BTC/USDT:USDT"): "BTC/USDT:USDT..ETH/USDT:USDT",
    ("entry_threshold", "0.5..null"): "null..0.5",
    ("net_pnl", "5..1"): "1..5",
    ("sharpe", "0..-1e-9"): "-1e-9..0",
    ("total_trades", "2..1.5"): "1.5..2",
}


@pytest.mark.parametrize(("name", "text"), REFUSED)
def test_it_is_refused_with_the_range_that_was_meant(name: str, text: str) -> None:
    with pytest.raises(InvalidInputError) as refused:
        Selection.parse(SPACE, {name: text})
    [error] = refused.value.errors
    assert error.field == name
    asked, meant = (json.dumps(one) for one in (text, REFUSED[name, text]))
    assert error.message == f"{asked} goes from high to low and holds nothing; write {meant}"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("perp_leverage", "1..5"),
        ("perp_leverage", "5..5"),
        ("perp_leverage", "2..3"),
        ("symbols", "BTC/USDT:USDT..BTC/USDT:USDT"),
        ("entry_threshold", "null..0.5"),
        ("entry_threshold", "null..null"),
        ("net_pnl", "-1..-1"),
        ("total_trades", "1.2..1.8"),
    ],
)
def test_other_ranges_are_taken_also_where_no_value_lies_between(name: str, text: str) -> None:
    chosen = Selection.parse(SPACE, {name: text})
    assert {*chosen.axes, *chosen.metrics} == {name}
