"""Margin that shorts would have needed, on recorded liquidations and by hand."""

from decimal import Decimal
from pathlib import Path

import pytest
from builders import market_data, run_config
from recorded import recorded_market

from bot.accounting.margin import FlatMargin, MarginedLeg
from bot.backtest import ReplayWindow, replay
from bot.backtest.margin_calls import margin_report
from bot.models import CloseReason
from bot.numbers.money import exact


def test_shortfall_is_what_a_short_lacks_at_a_price() -> None:
    model = FlatMargin(Decimal("0.005"), Decimal("0.8"))
    leg = MarginedLeg(Decimal(-1), Decimal(20), Decimal(2), Decimal(100))
    with exact():
        assert model.shortfall(leg, Decimal(100)) == Decimal(-19)
        assert model.shortfall(leg, Decimal(120)) == Decimal("21.2")
        assert model.liquidation_price(leg).quantize(Decimal("0.0001")) == Decimal("109.4527")


@pytest.mark.real_data
def test_recorded_liquidation_names_its_price_and_a_top_up_that_outlives_the_candle(real_data: Path) -> None:
    config = run_config(
        symbols=["XRP/USDT:USDT"],
        start="2020-11-01",
        end="2021-05-01",
        perp_leverage=10,
        min_volume_24h=0,
        min_coverage=0,
        min_funding_rate="0.0001",
        exit_funding_rate="0",
    )
    rows = recorded_market(
        real_data / "binance", {"XRP/USDT:USDT": "XRPUSDT"}, from_ms=config.start - 40 * 86_400_000
    )
    window = ReplayWindow.build(config, market_data(rows, config.end, "binance"))
    run = replay(config, window)
    report = margin_report(config, run.trades, window, window.instruments)
    taken = [trade for trade in run.trades if trade.reason is CloseReason.LIQUIDATION]
    assert [call.trade for call in report.liquidated] == taken != []
    for call in report.liquidated:
        assert call.liquidation_price <= call.reached
        assert call.missing >= 0
    assert report.tightest is not None
    with exact():
        assert report.top_ups == sum(call.missing for call in report.liquidated)
        leverage = report.highest_leverage
        assert leverage is not None
        assert leverage < 10
        # A short opened at that price with the margin it needed is just taken, and with a unit more is not.
        call, rules = report.tightest, window.instruments["XRP/USDT:USDT"]
        model = FlatMargin(rules.mmr, config.margin_exit_ratio)
        for more, is_taken in ((Decimal(0), True), (Decimal("0.00000001"), False)):
            leg = MarginedLeg(Decimal(-1), call.needed + more, call.trade.quantity, call.trade.perp_entry)
            assert (model.shortfall(leg, call.reached) >= 0) is is_taken
