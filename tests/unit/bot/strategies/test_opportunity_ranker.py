from decimal import Decimal

import numpy as np
import pytest
from builders import NoVolumes

from bot.accounting.fees import FeeSchedule, FlatFees
from bot.accounting.order_style import OrderStyle
from bot.models import FundingRate, Instrument, SettlementView, Ticker
from bot.numbers.columns import DecimalColumn
from bot.numbers.money import exact
from bot.numbers.thresholds import ThresholdColumn
from bot.strategies.opportunity_ranker import OpportunityRanker

FEES = FlatFees(FeeSchedule(Decimal("0.001"), Decimal("0.0005")))


def view(
    rate: str, interval_hours: int = 8, symbol: str = "X", volume: str = "1000000", spot_active: bool = True
) -> SettlementView:
    exact = Decimal(rate)
    funding = FundingRate(symbol, 0, exact, interval_hours, None, exact * 8 / interval_hours)
    ticker = Ticker(symbol, 0, Decimal(1), Decimal(1), None, fresh=True, volume_24h=Decimal(volume))
    return SettlementView(funding, ticker, Instrument(spot_active=spot_active), NoVolumes())


def ranker(min_rate: str = "0.0003", min_volume: str = "1000000", periods: int = 30) -> OpportunityRanker:
    return OpportunityRanker(Decimal(min_rate), Decimal(min_volume), periods, FEES, OrderStyle())


@pytest.mark.parametrize(
    ("candidate", "passes"),
    [
        (view("0.0003"), True),
        (view("0.0002999999"), False),
        (view("0.00015", interval_hours=4), True),
        (view("0.0003", volume="999999.99"), False),
        (view("0.0003", spot_active=False), False),
    ],
)
def test_rate_volume_and_an_active_spot_market_are_asked_for(candidate: SettlementView, passes: bool) -> None:
    assert ranker().passes(candidate) is passes


def test_fees_must_be_earned_within_the_holding_periods_exactly() -> None:
    assert not ranker("0", periods=30).passes(view("0.0001"))
    assert ranker("0", periods=30).passes(view("0.00010000001"))
    assert ranker("0", periods=31).passes(view("0.0001"))


@pytest.mark.parametrize("periods", [1, 30, 31, 10**7])
def test_rates_that_earn_the_fees_are_told_at_once_as_each_by_itself(periods: int) -> None:
    texts = ("0.0001", "0.00010000001", "0.00009999999", "0.003", "0.0030000000000000000001", "0", "-0.75")
    rates, own = [Decimal(text) for text in texts], ranker(periods=periods)
    with exact():
        expected = [own.earns(rate, own.flat_trip) for rate in rates]
        for some in (rates, rates[:4]):  # beyond 64 bits, and within
            found = own.earning(ThresholdColumn(DecimalColumn.from_decimals(some))).holds().tolist()
            assert found == expected[: len(some)]


def test_the_best_annualized_yield_comes_first_and_ties_go_by_symbol() -> None:
    views = [
        view("0.0004", symbol="C"),
        view("0.0004", symbol="A"),
        view("0.0003", 4, symbol="B"),
        view("0.0001", symbol="D"),
    ]
    assert [ranked.funding.symbol for ranked in ranker().rank(views)] == ["B", "A", "C"]


@pytest.mark.parametrize("periods", [1, 30, 10**7])
def test_yields_of_many_settlements_at_once_are_those_of_each(periods: int) -> None:
    rates, hours = ["0.0004", "-0.00015", "0", "0.0123456789", "-0.75"], [8, 4, 1, 24, 7]
    own = ranker(periods=periods)
    with exact():
        expected = [own.yield_per_hour(view(*one)) for one in zip(rates, hours, strict=True)]
        found = own.yields_per_hour(DecimalColumn.from_decimals(list(map(Decimal, rates))), np.array(hours))
        whole = DecimalColumn.from_decimals(expected)
    assert found.decimals() == expected
    assert (found.exponent, found.mantissas.tolist()) == (whole.exponent, whole.mantissas.tolist())
    assert found.mantissas.dtype == whole.mantissas.dtype
