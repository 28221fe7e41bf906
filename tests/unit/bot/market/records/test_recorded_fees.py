"""Fees by recorded schedules: tiers by name and by volume, and what is refused by name."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from builders import market_data
from contracts.fee_model import T_MS, FeeModelContract
from toy_market import START, configured, pair, window

from bot.accounting.fees import FeeModel
from bot.backtest import replay, run_backtest
from bot.backtest.probe import probe
from bot.config.parameters import AccountParameters
from bot.errors import InsufficientDataError
from bot.market.records.fee_rows import FeeRow, FeeTable
from bot.market.records.kinds import RecordKind
from bot.market.records.recorded import RecordedRows
from bot.market.records.recorded_fees import RecordedFees
from bot.market.series import MarketData
from bot.models import DAY_MS, HOUR_MS, Leg
from bot.numbers.money import exact

D = Decimal
NONE_OF_OWN = {(leg, maker): None for leg in Leg for maker in (False, True)}
MARKET = {"X": pair(dict.fromkeys(range(1, 9), "0.01") | {4: "-0.01"}, ["100"] * 9)}


def row(market: str, tier: str, least: str, maker: str, taker: str, from_ms: int = 0) -> FeeRow:
    return FeeRow(from_ms, market, tier, D(least), D(maker), D(taker))


ROWS = (
    row("linear", "VIP0", "0", "0.0002", "0.0005"),
    row("linear", "VIP1", "1000", "0.0001", "0.0004"),
    row("spot", "VIP0", "0", "-0.0001", "0.001"),
)


class TestRecordedFees(FeeModelContract):
    def model(self) -> FeeModel:
        return RecordedFees(FeeTable(ROWS), "auto", D(0), NONE_OF_OWN)


def perp_taker(fees: FeeModel, t_ms: int) -> Decimal:
    return fees.rate(Leg.PERP, maker=False, t_ms=t_ms)


def test_own_fills_count_for_thirty_days_from_the_moment_after_them_and_by_kind_of_market() -> None:
    fees = RecordedFees(FeeTable(ROWS), "auto", D("0.5"), NONE_OF_OWN)
    with exact():
        fees.note(Leg.SPOT, D(1000), D(100), T_MS)
        fees.note(Leg.PERP, D(10), D("99.95"), T_MS)
        found = [perp_taker(fees, T_MS + after) for after in (0, 1, 30 * DAY_MS, 30 * DAY_MS + 1)]
    assert found == [D("0.0005"), D("0.0004"), D("0.0004"), D("0.0005")]


def test_a_rate_of_a_leg_stands_above_the_schedule() -> None:
    own = {**NONE_OF_OWN, (Leg.PERP, False): D(0)}
    fees = RecordedFees(FeeTable(ROWS), "VIP0", D(0), own)
    assert perp_taker(fees, T_MS) == 0
    assert fees.rate(Leg.PERP, maker=True, t_ms=T_MS) == D("0.0002")


def data(config: AccountParameters, rows: tuple[FeeRow, ...] = ROWS) -> MarketData:
    recorded = RecordedRows({RecordKind.FEES: rows} if rows else {})
    return replace(market_data(MARKET, config.end), recorded=recorded)


def test_a_run_climbs_the_tiers_by_what_it_has_traded() -> None:
    config = configured(MARKET, fee_model="recorded", initial_capital=2000, min_holding_periods=1000)
    trades = run_backtest(config, data(config)).trades
    sizes = [trade.quantity for trade in trades]
    assert sizes == [D(9), D(9)]
    # A fill is 900: the second opening comes after 1,800 of perp, and has the tier from 1,000 on.
    assert [trade.fees for trade in trades] == [
        9 * 100 * (2 * D("0.001") + D("0.0005") + D("0.0005")),
        9 * 100 * (2 * D("0.001") + D("0.0004") + D("0.0004")),
    ]
    flat = configured(MARKET, initial_capital=2000, min_holding_periods=1000)
    assert replay(flat, window(MARKET, flat)).metrics.total_fees == 0


def test_nothing_looks_ahead_under_recorded_fees() -> None:
    config = configured(MARKET, fee_model="recorded", order_style="maker", min_holding_periods=1000)
    later = row("linear", "VIP0", "0", "0.0004", "0.0009", START + 5 * HOUR_MS)
    assert probe(config, data(config, (*ROWS, later)), cuts=10, seed=1).leaks == ()


@pytest.mark.parametrize(
    ("rows", "values", "told"),
    [
        ((), {}, "fee_model: no fee schedule of the exchange is held"),
        (ROWS, {"fee_tier": "VIP1"}, 'fee_tier: no spot fee row of tier "VIP1" is in force at 2024-01-01'),
        (ROWS[:2], {}, 'fee_tier: no spot fee row of tier "auto"'),
        (
            (*ROWS, row("spot", "VIP0", "5", "0", "0", START + 3 * HOUR_MS)),
            {},
            'fee_tier: no spot fee row of tier "auto" is in force at 2024-01-01T03:00:00Z',
        ),
    ],
)
def test_a_run_whose_schedule_is_not_held_is_refused_by_name(
    rows: tuple[FeeRow, ...], values: dict[str, Any], told: str
) -> None:
    config = configured(MARKET, fee_model="recorded", **values)
    with pytest.raises(InsufficientDataError, match=told):
        run_backtest(config, data(config, rows))
