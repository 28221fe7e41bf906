"""The loops that the engine is measured against do the same work."""

from decimal import Decimal

import pytest
from benchmarks.loops import Outcome, Series, Trial, floats, plain_decimal, tight_decimal, whole_numbers
from benchmarks.market import configs, series_of, simple_sweep, spread, trials_of, window_of

from bot.backtest import RunResult, replay
from bot.market_store.store import HistoricalDataStore

SETTLEMENTS = 700
BOOKED = Decimal("0.000000005")
"""Distance of one amount of the engine from the exact one: half a unit of the 8th place."""


@pytest.fixture(scope="module")
def pair(bench_store: HistoricalDataStore) -> tuple[Series, list[Trial], list[RunResult]]:
    runs = configs(simple_sweep(SETTLEMENTS))
    runs = [runs[number] for number in spread(len(runs), 40)]
    window = window_of(bench_store, runs[0])
    return series_of(window), trials_of(runs), [replay(run, window) for run in runs]


def test_whole_numbers_and_decimals_agree_in_every_digit(pair):
    series, trials, _ = pair
    exact = whole_numbers(series, trials)
    assert sum(outcome.trades for outcome in exact) > 100
    assert len(set(exact)) > 25
    assert [one[:6] for one in tight_decimal(series, trials)] == [one[:6] for one in exact]
    assert [one[:6] for one in plain_decimal(series, trials)] == [one[:6] for one in exact]


def test_statistics_agree_in_every_arithmetic(pair):
    series, trials, _ = pair
    exact = {place: outcome.sharpe for place, outcome in enumerate(whole_numbers(series, trials))}
    for loop in (tight_decimal, plain_decimal, floats):
        found = {place: outcome.sharpe for place, outcome in enumerate(loop(series, trials))}
        assert found == pytest.approx(exact, rel=1e-9)


def test_floats_count_the_same_trades_and_come_near_in_money(pair):
    series, trials, _ = pair
    near, exact = floats(series, trials), whole_numbers(series, trials)
    assert [one[4:6] for one in near] == [one[4:6] for one in exact]
    for name in ("net", "fees", "funding", "drawdown"):
        amounts = [float(getattr(outcome, name)) for outcome in exact]
        assert [getattr(outcome, name) for outcome in near] == pytest.approx(amounts, abs=1e-7)


def test_the_engine_agrees_but_for_booking_where_no_margin_call_intervenes(pair):
    series, trials, results = pair
    compared = 0
    for outcome, result in zip(whole_numbers(series, trials), results, strict=True):
        metrics = result.metrics
        if metrics.margin_exits or metrics.liquidations:
            continue
        compared += 1
        assert (metrics.total_trades, metrics.winning_trades) == (outcome.trades, outcome.wins)
        bookings = 8 * outcome.trades + metrics.funding_payments
        for name, amount in _amounts(outcome).items():
            assert abs(getattr(metrics, name) - amount) <= bookings * BOOKED, name
    assert compared > 30


def test_a_trial_that_never_enters_has_no_ratio(pair):
    series, _, _ = pair
    [outcome] = whole_numbers(series, [(10**8, 0)])
    assert outcome == Outcome(0, 0, 0, 0, 0, 0, None)


def _amounts(outcome: Outcome) -> dict[str, Decimal]:
    return {"net_pnl": outcome.net, "total_fees": outcome.fees, "total_funding": outcome.funding}
