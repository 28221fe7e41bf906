"""Trial page on recorded markets: exact parts, interval switches, and the divergence of trials."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from builders import market_data, run_config
from recorded import recorded_market

from api.dashboard.trial.charts import funding_document
from api.dashboard.trial.trades import settlements_of
from api.dashboard.trial.waterfall import parts_of, waterfall
from api.work.replays import Study
from bot.backtest import Baselines, ReplayWindow, replay
from bot.backtest.decision_trace import decision_snapshots
from bot.backtest.divergence import divergences
from bot.backtest.periods.monthly import months
from bot.numbers.money import exact
from bot.timestamps import parse_time_ms

pytestmark = pytest.mark.real_data
RUNS: dict[str, tuple[str, dict[str, str], dict[str, Any]]] = {
    "liquidated": (
        "binance",
        {"XRP/USDT:USDT": "XRPUSDT"},
        {"start": "2020-11-01", "end": "2021-05-01", "perp_leverage": 10, "slippage_bps": "7.5"},
    ),
    "switching": (
        "binance",
        {"ORCA/USDT:USDT": "ORCAUSDT"},
        {
            "start": "2025-01-01",
            "end": "2025-05-01",
            "min_funding_rate": "0.00001",
            "min_holding_periods": 300,
        },
    ),
    "two slots": (
        "bybit",
        {"ETH/USDT:USDT": "ETHUSDT", "BTC/USDT:USDT": "BTCUSDT"},
        {
            "start": "2025-04-15",
            "end": "2025-08-01",
            "max_simultaneous_positions": 2,
            "sizing_base": "equity",
            "min_holding_periods": 100,
        },
    ),
}


def study(real_data: Path, name: str, **changes: Any) -> Study:
    exchange, symbols, parameters = RUNS[name]
    values = {"min_volume_24h": 0, "min_coverage": 0, "exit_funding_rate": "0", **parameters, **changes}
    config = run_config(symbols=list(symbols), **{"min_funding_rate": "0.0001", **values})
    rows = recorded_market(real_data / exchange, symbols, from_ms=config.start - 40 * 86_400_000)
    window = ReplayWindow.build(config, market_data(rows, config.end, exchange))
    baselines = Baselines(window)
    return Study(replay(config, window), baselines.of(config), window, baselines)


@pytest.mark.parametrize("name", RUNS)
def test_parts_months_and_settlements_add_up_to_the_last_digit(real_data: Path, name: str) -> None:
    shown = study(real_data, name)
    run = shown.result
    assert run.trades
    with exact():
        found = parts_of(shown)
        parts = found.whole
        assert parts.net_pnl == run.metrics.net_pnl
        assert parts.basis + parts.slippage + parts.liquidations == run.metrics.price_pnl
        monthly = months(run.equity, run.config.initial_capital, run.payments, run.trades)
        assert sum(month.change for month in monthly) == run.metrics.net_pnl
        assert sum(month.funding for month in monthly) == run.metrics.total_funding
        for trade in run.trades:
            settled = settlements_of(trade, run.payments)
            assert len(settled) == trade.funding_payments
            assert sum(row.payment.amount for row in settled) == trade.funding
    assert bool(parts.liquidations) == bool(run.metrics.liquidations) == (name == "liquidated")
    assert waterfall(found).steps[-1].amount == run.metrics.net_pnl


def test_interval_switches_are_where_the_record_has_them(real_data: Path) -> None:
    document = funding_document(study(real_data, "switching"), "ORCA/USDT:USDT")
    assert document["first_hours"] == 4
    switches = [(one["hours"], one["t"]) for one in document["switches"]]
    days = ["2025-03-21", "2025-03-24", "2025-04-12", "2025-04-16"]
    assert [hours for hours, _ in switches] == [2, 4, 2, 4]
    for (_, t_ms), day in zip(switches, days, strict=True):
        assert parse_time_ms(day) <= t_ms < parse_time_ms(day) + 86_400_000


def test_trials_part_at_a_rate_between_their_thresholds(real_data: Path) -> None:
    eager = study(real_data, "two slots", min_funding_rate="0.00001", min_holding_periods=300)
    strict = study(real_data, "two slots", min_holding_periods=300)
    parted = divergences(eager.result, strict.result)[0]
    [seen] = decision_snapshots(
        strict.result.config, strict.window, [(parted.t_ms, parted.symbols[0])]
    ).values()
    assert parted.one[0].action == "open"
    assert Decimal("0.00001") <= seen.view.funding.rate_8h < Decimal("0.0001")
    assert seen.gate is not None
    assert seen.gate.name == "min_funding_rate"
