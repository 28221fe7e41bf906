"""Contenders are measured by turns, and the foreign backtesters see the same carry as the loops."""

import sys
from pathlib import Path

import pytest
from benchmarks import loops, references
from benchmarks.kernels import Contender, compete, measured
from benchmarks.kernels import references as asking
from benchmarks.market import composite_sweep, configs, series_of, simple_sweep, trials_of, window_of
from benchmarks.unpinned import wandering_rates

from bot.backtest import replay
from bot.market_store.store import HistoricalDataStore


def contender(name: str, trials: int, *seconds: float) -> Contender:
    answers = iter(seconds)
    return Contender(name, trials, lambda: next(answers))


def test_rates_are_medians_and_ratios_are_taken_pass_by_pass() -> None:
    field = [contender("fast", 100, 1, 2, 4), contender("vectorbt", 10, 1, 2, 1)]
    fast, slow = compete(field, passes=3)
    assert (fast["per_second"], fast["lowest"], fast["highest"]) == (50, 25, 100)
    assert (slow["per_second"], slow["ratios"]) == (10, {"vectorbt": 1})
    assert fast["ratios"] == {"vectorbt": 10}


def test_an_asset_moves_by_what_the_hedge_earns(bench_store: HistoricalDataStore) -> None:
    runs = configs(simple_sweep(300, 5, 4))
    series, trials = series_of(window_of(bench_store, runs[0])), trials_of(runs)
    asset = references.Asset(series, trials)
    assert asset.prices.min() > 0
    exact = [float(outcome.net) for outcome in loops.whole_numbers(series, trials)]
    assert [held(asset, *trial) for trial in trials] == pytest.approx(exact, abs=1e-7)


def held(asset: references.Asset, entry: int, leave: int) -> float:
    """Return the net result of buying and selling the asset, as any backtester would."""
    net, quantity, last = 0.0, 0.0, len(asset.prices) - 1
    for at, (rate, price, cost) in enumerate(zip(asset.rates, asset.prices, asset.costs, strict=True)):
        if quantity and (rate < leave or at == last):
            net += quantity * price * (1 - cost)
            quantity = 0.0
        elif not quantity and rate >= entry and at < last:
            quantity = asset.quantities[at]
            net -= quantity * price * (1 + cost)
    return net


def test_a_backtester_that_is_not_installed_is_left_out(tmp_path: Path) -> None:
    series = loops.Series([1, 1], [100, 100], [100, 100], [100, 100])
    with asking(sys.executable, tmp_path, series, [(10, 5)]) as asked:
        assert asked.run("no-such-backtester") is None
    assert "no-such-backtester" in asked.absent


def test_references_that_fail_are_reported_with_their_last_words(tmp_path: Path) -> None:
    uneven = loops.Series([1, 1], [100], [100], [100])
    with (
        pytest.raises(RuntimeError, match="(?s)the references failed: .*ValueError"),
        asking(sys.executable, tmp_path, uneven, []),
    ):
        raise AssertionError("they cannot begin")


def test_both_sweeps_have_a_thousand_trials_that_trade_and_differ(bench_store: HistoricalDataStore) -> None:
    for spec in (simple_sweep(300), composite_sweep(300)):
        assert spec.trial_count == 1_000
        window = window_of(bench_store, spec.config(0))
        results = [replay(spec.config(number), window).metrics for number in range(0, 1_000, 97)]
        assert min(result.total_trades for result in results) > 0
        assert len({result.net_pnl for result in results}) > 5


def test_rates_wander_and_rest_nowhere() -> None:
    rates = wandering_rates(1_000, seed=1).tolist()
    assert rates == wandering_rates(1_000, seed=1).tolist()
    assert rates != wandering_rates(1_000, seed=2).tolist()
    assert max(rates.count(rate) for rate in set(rates)) < 5


@pytest.mark.slow
def test_every_way_is_measured_at_every_length(
    bench_store: HistoricalDataStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("benchmarks.kernels.SETTLEMENTS", (30, 60))
    monkeypatch.setattr("benchmarks.grids.PAIRS", (1,))
    found = measured(bench_store, tmp_path, sys.executable, passes=1)
    names = [rate["name"] for rate in found["settlements"]["60"]["rates"]]
    assert {
        "plain replay, result document",
        "sweep path, composite",
        "sweep path, 1 pairs",
        "float loop",
    } <= set(names)
    assert found["settlements"].keys() == {"30", "60"}
    assert all(rate["per_second"] > 0 for rate in found["settlements"]["30"]["rates"])
