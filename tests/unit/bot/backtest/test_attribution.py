from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from toy_market import START, configured, pair, window

from bot.backtest import RunResult, replay
from bot.backtest.attribution import Attribution, attribute
from bot.backtest.periods.monthly import months
from bot.models import HOUR_MS, CloseReason
from bot.numbers.money import exact

PRICES = st.lists(st.decimals("90", "110", places=3), min_size=6, max_size=6)


def run(market: dict[str, Any], **overrides: Any) -> RunResult:
    config = configured(market, **{"initial_capital": 1000, **overrides})
    return replay(config, window(market, config))


def parts(result: RunResult) -> Attribution:
    with exact():
        return attribute(result.trades, result.config.costs)


def test_each_part_is_what_its_name_says() -> None:
    market = {"X": pair({1: "0.01", 2: "0.02", 3: "0"}, ["100", "101", "102"], perp=["100", "100", "104"])}
    found = parts(run(market, slippage_bps=100, spot_taker="0.001", max_position_size=400))
    quantity = 4
    assert found.funding == quantity * 100 * Decimal("0.02")
    assert found.fees == -quantity * Decimal("0.001") * (100 * Decimal("1.01") + 102 * Decimal("0.99"))
    assert found.basis == quantity * (2 - 4)
    assert found.slippage == -quantity * Decimal("0.01") * (100 + 102 + 100 + 104)
    assert found.liquidations == 0


def test_lost_margin_stands_beside_what_spot_gained() -> None:
    market = {"X": pair({1: "0.01", 2: "0.01", 3: "0.01"}, ["100", "160", "160"])}
    market["X"]["perp"] = [(*row[:2], str(Decimal(row[2]) + 100), *row[3:]) for row in market["X"]["perp"]]
    result = run(market, perp_leverage=2, slippage_bps=10, max_position_size=400, start=START + HOUR_MS)
    trade, *_ = result.trades
    assert trade.perp_exit is None
    found = parts(result)
    margin = 4 * 100 * Decimal("0.999") / 2
    assert found.liquidations == 4 * (160 - 100) - margin
    assert found.basis == 0
    with exact():
        assert found.net_pnl == result.metrics.net_pnl


def test_a_contract_that_ends_is_settled_without_slippage() -> None:
    market = {"X": pair(dict.fromkeys((1, 2, 60), "0.01"), ["100"] * 60, perp=["104", "104", "103"])}
    result = run(market, slippage_bps=100, max_position_size=400, end_dead_markets=True)
    [trade] = result.trades
    assert (trade.reason, trade.perp_exit) == (CloseReason.DELISTED, 103)
    found = parts(result)
    assert found.basis == 4 * (104 - 103)
    assert found.slippage == -4 * Decimal("0.01") * (100 + 100 + 104)
    with exact():
        assert found.net_pnl == result.metrics.net_pnl


@given(
    spot=PRICES,
    perp=PRICES,
    bps=st.sampled_from(["0", "5", "7.3", "250"]),
    leverage=st.sampled_from([1, 3, 9]),
)
def test_parts_sum_to_the_net_pnl_to_the_last_digit(
    spot: list[Decimal], perp: list[Decimal], bps: str, leverage: int
) -> None:
    rates = dict(enumerate(["0.01", "0.003", "-0.002", "0.02", "0.007", "0"], 1))
    market = {"X": pair(rates, list(map(str, spot)), perp=list(map(str, perp)))}
    costs = {"spot_taker": "0.001", "perp_taker": "0.00055", "min_holding_periods": 1}
    result = run(market, slippage_bps=bps, perp_leverage=leverage, exit_funding_rate="0.004", **costs)
    with exact():
        found = parts(result)
        assert found.net_pnl == result.metrics.net_pnl
        assert (found.funding, -found.fees) == (result.metrics.total_funding, result.metrics.total_fees)
        assert found.basis + found.slippage + found.liquidations == result.metrics.price_pnl


def test_months_sum_to_the_net_pnl_and_an_empty_one_between_changes_nothing() -> None:
    hours = dict.fromkeys((1, 2, 31 * 24 + 5, 91 * 24 + 1, 91 * 24 + 2), "0.001")
    market = {"X": pair(hours, ["100"] * (91 * 24 + 3))}
    result = run(market, strategy_mode="hold", end=START + 92 * 24 * HOUR_MS)
    with exact():
        found = months(result.equity, result.config.initial_capital, result.payments, result.trades)
        assert sum(month.change for month in found) == result.metrics.net_pnl
    half = Decimal("0.5")
    assert [(month.year, month.month, month.change, month.funding, month.trades) for month in found] == [
        (2024, 1, half, half, 0),
        (2024, 2, half, half, 0),
        (2024, 3, 0, 0, 0),
        (2024, 4, 1, 1, 1),
    ]
    assert [month.change_share for month in found] == [0.0005, float(half / Decimal("1000.5")), 0.0, 1 / 1001]
