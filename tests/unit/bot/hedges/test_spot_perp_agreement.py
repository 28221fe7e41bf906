"""Hedges of spot and a linear perp on one exchange give the documents of the engine made for them alone."""

from pathlib import Path
from typing import Any

import pytest
from builders import market_data, run_config
from hypothesis import given, settings
from recorded import recorded_market
from reference.markets import patient_runs, runs

from bot.backtest import ReplayWindow, run_backtest
from bot.backtest.attribution import attribute
from bot.backtest.margin_calls import MarginCall, margin_report
from bot.errors import InsufficientDataError
from bot.hedges.engine import replay_with_journal, run_hedges
from bot.hedges.journal.margin_report import hedge_margin_report
from bot.hedges.journal.records import attribution_by_leg
from bot.hedges.window import HedgeWindow
from bot.market.hedge_data import HedgeData
from bot.numbers.money import exact

Run = tuple[dict[str, Any], dict[str, Any]]
RELAXED = settings(max_examples=100, derandomize=True)
OF_UNRECORDED_ENDS = {"missed_settlements", "pnl_after_market_end"}
"""Figures of markets that stop without a recorded end, which runs of hedges do not look for."""


def told(call: MarginCall) -> tuple[Any, ...]:
    """Return what a margin call says, its trade by name and opening."""
    facts = call.leg, call.entry, call.notional, call.margin, call.reached, call.reached_ms
    price = round(call.liquidation_price, 20)
    opened = call.trade.symbol, call.trade.opened_at_ms
    return *opened, *facts, price, call.missing, call.liquidated_ms, call.lost


def assert_engines_agree(market: dict[str, Any], values: dict[str, Any]) -> int:
    """Compare trades, equity, metrics and parts of the net of both, and return the number of trades."""
    config = run_config(**{**values, "exchange": "alpha", "end_dead_markets": False})
    data = market_data({symbol: market[symbol] for symbol in config.symbols}, config.end, "alpha")
    pairs = {("alpha", one.symbol): one for one in data.symbols}
    hedges = HedgeData("alpha", config.end, pairs, {}, data.fingerprint)
    try:
        known = run_backtest(config, data)
    except InsufficientDataError:
        with pytest.raises(InsufficientDataError):
            run_hedges(config, hedges)
        return 0
    expected = known.document()
    run, journal = replay_with_journal(config, HedgeWindow.build(config, hedges))
    document = run.document()
    assert document["trades"] == expected["trades"]
    assert document["equity"] == expected["equity"]
    for name, value in expected["metrics"].items():
        if not (expected["market_ends"] and name in OF_UNRECORDED_ENDS):
            assert document["metrics"][name] == value, name
    with exact():
        assert attribution_by_leg(journal).whole == attribute(known.trades, known.config.costs)
    shown = ReplayWindow.build(config, data)
    margins = margin_report(known.config, known.trades, shown, shown.instruments)
    own = hedge_margin_report(journal, keeps_margin=True)
    assert sorted(map(told, own.liquidated)) == sorted(map(told, margins.liquidated))
    assert (own.top_up, own.top_ups, own.lost) == (margins.top_up, margins.top_ups, margins.lost)
    assert document["run_key"] == expected["run_key"]
    return len(document["trades"])


@RELAXED
@given(runs())
def test_generated_markets_agree_to_the_last_digit(run: Run) -> None:
    assert_engines_agree(*run)


@RELAXED
@given(patient_runs())
def test_rules_of_patience_agree_to_the_last_digit(run: Run) -> None:
    assert_engines_agree(*run)


@pytest.mark.real_data
@pytest.mark.parametrize("mode", ["simple", "composite"])
def test_a_recorded_year_of_two_pairs_agrees_to_the_last_digit(real_data: Path, mode: str) -> None:
    stems = {"BTC/USDT:USDT": "BTCUSDT", "ETH/USDT:USDT": "ETHUSDT"}
    values = {
        "symbols": list(stems),
        "start": "2021-01-01",
        "end": "2022-01-01",
        "strategy_mode": mode,
        "min_funding_rate": "0.0001",
        "exit_funding_rate": "0",
        "entry_threshold": "0.3",
        "exit_threshold": "0.1",
        "perp_leverage": 3,
        "max_simultaneous_positions": 2,
        "sizing_base": "equity",
    }
    assert assert_engines_agree(recorded_market(real_data / "binance", stems), values) > 2
