"""Dry runs: what a sweep will take is measured on its own windows, and says so."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from example_plugin import installed_example
from sweeping import BASE, sweep_spec, worked

from bot.config.run_config import RunConfig
from bot.config.strategy_registry import strategy_plugin
from bot.kernel import decision_tables
from bot.market_store.store import HistoricalDataStore
from bot.timestamps import iso
from sweeps.estimates import costing, planning
from sweeps.estimates.costing import REPORT_REPLAYS, Cost, CostMeter, held_tickers
from sweeps.estimates.planning import plan_sweep
from sweeps.estimates.space import SWEEP_BYTES
from sweeps.storage.tables import selection_sums, trial_block, trial_curve
from sweeps.work import kernel_replay
from sweeps.work.replay import HeldWindow, WindowCache

FOUR = {"grid": {"perp_leverage": [1, 2, 3, 4]}}


def plan(engine: sa.Engine, **changes: Any) -> Any:
    with engine.connect() as connection:
        return plan_sweep(connection, sweep_spec(**changes), CostMeter(HistoricalDataStore(engine)))


def test_dry_run_measures_the_window_where_nothing_was_replayed_before_and_says_so(engine: sa.Engine) -> None:
    found = plan(engine, **FOUR)
    assert found.measured
    assert found.basis.startswith("measured on its window (")
    assert 0 < found.trial_s < 10
    assert found.document()["estimate"]["basis"] == found.basis


def test_rates_of_plug_ins_and_without_a_meter_are_no_measurement_of_the_window(engine: sa.Engine) -> None:
    with engine.connect() as connection:
        found = plan_sweep(connection, sweep_spec(**FOUR))
    assert not found.measured
    assert found.basis == "a guess, nothing was measured here yet"


@pytest.mark.parametrize(
    ("start", "end", "days"), [("2024-01-10", "2024-03-30", 80), ("2024-02-01", "2024-02-11", 10)]
)
def test_prices_that_a_run_sees_are_counted_by_what_is_held(
    engine: sa.Engine, start: str, end: str, days: int
) -> None:
    config = sweep_spec(base=BASE | {"start": start, "end": end}, **FOUR).config(0)
    with engine.connect() as connection:
        tickers, _ = held_tickers(connection, config)
    assert abs(tickers - days * 3) <= 6


def test_long_windows_of_hedges_are_measured_in_parts_spread_over_them_those_of_pairs_at_their_beginning(
    engine: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(costing, "_MEASURED_TICKERS", 24)
    read: list[tuple[str, str]] = []
    held = WindowCache.held

    def noted(self: WindowCache, config: RunConfig) -> HeldWindow:
        read.append((iso(config.start)[:10], iso(config.end)[:10]))
        return held(self, config)

    monkeypatch.setattr(WindowCache, "held", noted)
    base = BASE | {"start": "2024-01-10", "end": "2024-02-19"}
    assert plan(engine, base=base, **FOUR).basis.startswith("measured on the first 20% of its window (")
    assert read == [("2024-01-10", "2024-01-18")]
    read.clear()
    found = plan(engine, base=base | {"structure": "reverse", "borrow_rate_hourly": 0}, **FOUR)
    assert found.basis.startswith("measured on 10% of its window in 4 parts (")
    assert read == [
        ("2024-01-14", "2024-01-15"),
        ("2024-01-24", "2024-01-25"),
        ("2024-02-03", "2024-02-04"),
        ("2024-02-13", "2024-02-14"),
    ]


def test_sweep_is_measured_once_however_often_it_is_checked(
    engine: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    meter = CostMeter(HistoricalDataStore(engine))
    first = meter.cost(sweep_spec(**FOUR))
    monkeypatch.setattr(HistoricalDataStore, "load", None)
    assert meter.cost(sweep_spec(name="another name", **FOUR)) is first


def _broken(*_: object) -> None:
    raise RuntimeError("a fault of the plug-in")


@pytest.mark.parametrize(
    ("changed", "measured"),
    [({}, True), ({"decide_columns": None}, False), ({"decide_columns": _broken}, False)],
    ids=["decides columns", "decides event by event", "raises"],
)
@pytest.mark.usefixtures("kernel")
def test_plug_in_is_measured_if_it_decides_columns_and_raises_nothing(
    engine: sa.Engine,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    changed: dict[str, Any],
    measured: bool,
) -> None:
    with installed_example(tmp_path, monkeypatch):
        plugin = replace(strategy_plugin("smoothed-rate"), **changed)
        for module in (costing, decision_tables):
            monkeypatch.setattr(module, "strategy_plugin", lambda _name: plugin)
        spec = sweep_spec(base=BASE | {"strategy_mode": "smoothed-rate"}, **FOUR)
        found = CostMeter(HistoricalDataStore(engine)).cost(spec)
    assert (found is not None) is measured


def test_trials_of_hedges_and_of_the_kernel_are_measured_apart(engine: sa.Engine) -> None:
    market = {"structure": "perp_perp", "symbols": ["ETH/USDC:USDC<>ETH/USDT:USDT"]}
    hedges = plan(engine, base={**BASE, **market}, **FOUR)
    assert hedges.basis == "measured on its window (960 events x symbols)"
    mixed = plan(engine, grid={"perp_leverage": [1, 2], "impact_bps": [0, 10, 20]})
    assert mixed.measured


def test_time_of_a_sweep_holds_windows_and_plain_replays_of_curves_samples_and_report() -> None:
    cost = Cost(seconds=3.0, process_s=2.0, basis="measured", distinct=20.0, kept=4.0, plain_s=0.5)
    unjudged = sweep_spec(**FOUR, validation=False)
    assert cost.besides(sweep_spec(**FOUR), 1, 1) == 2 + 0.5 * (4 + 1 + REPORT_REPLAYS)
    assert cost.besides(unjudged, 1, 1) == 2 + 0.5 * (4 + 1)
    assert cost.besides(unjudged, 3, 2) == 2 * 2 + 0.5 * (4 + 3)
    assert replace(cost, sampled=False).besides(unjudged, 3, 2) == 2 * 2 + 0.5 * 4


def test_time_of_a_trial_holds_what_is_saved_of_it_and_of_each_result_that_differs() -> None:
    cost = Cost(seconds=3.0, process_s=2.0, basis="measured", distinct=2.0, kept=2.0, plain_s=0.5)
    saved = 4 * costing.TRIAL_SECONDS + 2 * costing.RESULT_SECONDS
    assert cost.trial_s(sweep_spec(**FOUR)) == pytest.approx((3.0 + saved) / 4)


def test_smallest_sweep_takes_the_time_of_its_way_through_the_queue(
    engine: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(CostMeter, "cost", lambda *_: Cost(0.0, 0.0, "measured", 0.0, 0.0, 0.0))
    found = plan(engine, **FOUR)
    assert found.core_s == pytest.approx(4 * costing.TRIAL_SECONDS)
    assert found.elapsed_s == planning.START_SECONDS + found.core_s


def test_sweep_of_one_chunk_keeps_one_process_busy_however_many_there_are(
    engine: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(CostMeter, "cost", lambda *_: Cost(0.0, 3.0, "measured", 0.0, 0.0, 0.0))
    monkeypatch.setattr(planning, "live_slots", lambda _: 4)
    monkeypatch.setattr(planning, "chunk_sizes", lambda trials, *_: [trials])
    alone = plan(engine, **FOUR)
    assert alone.core_s == pytest.approx(3 + 4 * costing.TRIAL_SECONDS)
    assert alone.elapsed_s == planning.START_SECONDS + alone.core_s
    monkeypatch.setattr(planning, "chunk_sizes", lambda *_: [2, 2])
    shared = plan(engine, **FOUR)
    assert shared.core_s == pytest.approx(2 * 3 + 4 * costing.TRIAL_SECONDS)
    assert shared.elapsed_s == planning.START_SECONDS + shared.core_s / 2


THRESHOLDS = {
    "min_funding_rate": {"start": "0.00001", "stop": "0.0003", "num": 40},
    "exit_funding_rate": {"start": "0", "stop": "0.00009", "num": 25},
}


@pytest.mark.parametrize(
    ("changes", "kept"),
    [
        ({"grid": {"exit_funding_rate": ["0", "0.000000001", "0.000000002"]}}, 1),
        ({"grid": {"slippage_bps": [0, 1, 2, 3]}}, 4),
        ({"grid": {"slippage_bps": [0, 1, 2, 3]}, "curves": {"top": 2}}, 2),
        ({"grid": {"slippage_bps": [0, 1, 2, 3]}, "curves": "all"}, 4),
        ({"grid": {"slippage_bps": [0, 1, 2, 3]}, "curves": "none"}, 0),
    ],
    ids=["trade alike", "differ", "two of them", "all", "none"],
)
@pytest.mark.usefixtures("kernel")
def test_kept_runs_are_counted_that_differ(engine: sa.Engine, changes: dict[str, Any], kept: int) -> None:
    cost = cost_of(engine, **changes)
    assert (cost.kept, cost.sampled) == (kept, True)


@pytest.mark.parametrize(("curves", "kept"), [("all", 0), ({"top": 2}, 2), ("none", 0)])
def test_runs_of_trials_that_are_replayed_plainly_are_their_curves_where_all_are_kept(
    engine: sa.Engine, monkeypatch: pytest.MonkeyPatch, curves: Any, kept: int
) -> None:
    monkeypatch.setattr(kernel_replay, "usable", lambda: None)
    cost = cost_of(engine, grid={"slippage_bps": [0, 1, 2, 3]}, curves=curves)
    assert (cost.kept, cost.sampled) == (kept, False)


def cost_of(engine: sa.Engine, **changes: Any) -> Cost:
    spec = sweep_spec(base=BASE | {"min_funding_rate": "0.00002"}, **changes)
    cost = CostMeter(HistoricalDataStore(engine)).cost(spec)
    assert cost is not None
    return cost


@pytest.mark.parametrize(
    ("kept", "share", "throughout"),
    [(4.0, 1, 4.0), (1.0, 0.1, 1.0), (50.0, 0.1, 50.0), (25.0, 0.5, 37.5), (10.0, 0.25, 29.52)],
    ids=["its whole window", "all alike", "none alike", "on half of it", "on a quarter"],
)
def test_best_trials_that_trade_alike_on_a_part_of_their_window_may_part_on_the_rest(
    kept: float, share: float, throughout: float
) -> None:
    spec = sweep_spec(curves={"top": 50})
    assert costing._kept_throughout(kept, spec, share) == pytest.approx(throughout)


@pytest.mark.parametrize(
    "changes",
    [
        {"grid": THRESHOLDS},
        {
            "grid": THRESHOLDS | {"slippage_bps": [0, 1, 2, 3, 4, 5], "perp_leverage": [1, 2, 3, 4, 5]},
            "sampler": {"kind": "random", "n": 500, "seed": 1},
        },
        {"grid": THRESHOLDS | {"min_funding_rate": [0, "0.00001", "0.00002", "0.0001"]}, "curves": "all"},
    ],
    ids=["trials that trade alike", "random trials of their own", "kept runs"],
)
def test_space_of_a_sweep_is_told_within_a_factor_of_two_of_what_it_takes(
    engine: sa.Engine, changes: dict[str, Any]
) -> None:
    changes = {"curves": "none"} | changes
    told = plan(engine, **changes).document()["estimate"]["bytes"] - SWEEP_BYTES
    worked(engine, sweep_spec(**changes))
    packed = (trial_block.c.data, selection_sums.c.data, trial_curve.c.equity, trial_curve.c.trades)
    with engine.connect() as connection:
        taken = sum(
            connection.scalar(sa.select(sa.func.sum(sa.func.length(column)))) or 0 for column in packed
        )
    assert taken / 2 <= told <= taken * 2, (told, taken)
