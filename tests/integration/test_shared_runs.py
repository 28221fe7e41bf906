"""Runs that several trials share: found by ledger and account, and replayed once for the curves of all."""

import gc
import weakref
from collections.abc import Callable, Mapping
from typing import Any

import pytest
import sqlalchemy as sa
from sweeping import BASE, stored_rows, submit, sweep_spec

from bot.clock import SimulatedClock
from bot.config.run_config import RunConfig
from bot.market_store.store import HistoricalDataStore
from bot.models import DAY_MS
from sweeps.queue.leases import LeaseOutcome
from sweeps.spec.spec import SweepSpec
from sweeps.storage.curves import encode_curve, encode_trades
from sweeps.storage.tables import trial_curve
from sweeps.work import best_curves, kernel_samples
from sweeps.work.replay import WindowCache, replay_trial, runs_of
from sweeps.work.runner import ChunkRunner
from sweeps.work.shared_runs import named_runs

pytestmark = pytest.mark.usefixtures("kernel")

AXES: dict[str, Any] = {
    "min_funding_rate": ["0.00001", "0.00002", "0.00005", "0.9"],
    "exit_funding_rate": ["0", "0.000001"],
    "initial_capital": [10_000, 20_000],
}


@pytest.fixture
def windows(engine: sa.Engine) -> WindowCache:
    return WindowCache(HistoricalDataStore(engine))


def ledgers_of(spec: SweepSpec, windows: WindowCache) -> dict[int, bytes]:
    return {number: replay_trial(spec, number, windows).ledger for number in range(spec.trial_count)}


def record(spec: SweepSpec, number: int, windows: WindowCache) -> tuple[RunConfig, bytes, bytes]:
    run = replay_trial(spec, number, windows)
    varied = {"min_funding_rate": 0, "exit_funding_rate": 0}
    return run.config.model_copy(update=varied), encode_curve(run.curve), encode_trades(run.trades)


def curves_of(engine: sa.Engine, sweep_id: int) -> list[tuple[int, bytes, bytes]]:
    columns = trial_curve.c.number, trial_curve.c.equity, trial_curve.c.trades
    with engine.connect() as connection:
        rows = connection.execute(sa.select(*columns).where(trial_curve.c.sweep_id == sweep_id))
        return sorted((number, equity, trades) for number, equity, trades in rows)


def shared_runs(
    spec: SweepSpec, numbers: list[int], ledgers: Mapping[int, bytes], windows: WindowCache
) -> list[list[int]]:
    """Return trials by run, the runs by their first trials."""
    return sorted(named_runs(spec, numbers, ledgers, windows).values())


def test_trials_share_a_run_exactly_where_account_curve_and_trades_are_equal(windows: WindowCache) -> None:
    spec = sweep_spec(grid=AXES)
    numbers = list(range(spec.trial_count))
    expected: list[tuple[object, list[int]]] = []
    for number in numbers:
        own = record(spec, number, windows)
        same = next((group for known, group in expected if known == own), None)
        if same is None:
            expected.append((own, [number]))
        else:
            same.append(number)
    groups = shared_runs(spec, numbers, ledgers_of(spec, windows), windows)
    assert groups == [group for _, group in expected]
    assert len(groups) < len(numbers)


def test_trials_that_enter_with_shares_of_a_slot_share_no_run(windows: WindowCache) -> None:
    base = {**BASE, "strategy_mode": "composite", "dynamic_sizing": True}
    spec = sweep_spec(base=base, grid={"entry_threshold": ["0.98", "0.99"]})
    assert shared_runs(spec, [0, 1], dict.fromkeys((0, 1), b"x" * 16), windows) == [[0], [1]]
    whole = sweep_spec(base={**base, "dynamic_sizing": False}, grid={"entry_threshold": ["0.98", "0.99"]})
    assert shared_runs(whole, [0, 1], dict.fromkeys((0, 1), b"x" * 16), windows) == [[0, 1]]


def test_a_run_is_replayed_once_for_sample_and_curves_and_for_a_sweep_after_that_shares_it(
    engine: sa.Engine, windows: WindowCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    sampled: list[int] = []
    together: list[int] = []
    replayed = best_curves.runs_of

    def noted(numbers: list[int]) -> Callable[..., Any]:
        def runs_of(spec: SweepSpec, asked: list[int], windows: WindowCache) -> Any:
            numbers.extend(asked)
            return replayed(spec, asked, windows)

        return runs_of

    monkeypatch.setattr(kernel_samples, "runs_of", noted(sampled))
    monkeypatch.setattr(best_curves, "runs_of", noted(together))
    worker = ChunkRunner(engine, windows, SimulatedClock(1_000_000))
    known: list[object] = []
    for thresholds in (AXES["min_funding_rate"], ["0.000011", "0.00002", "0.00007", "0.8"]):
        spec = sweep_spec(grid=AXES | {"min_funding_rate": thresholds}, curves="all", reuse=False)
        ledgers = ledgers_of(spec, windows)
        groups = shared_runs(spec, list(range(spec.trial_count)), ledgers, windows)
        records = {first: record(spec, first, windows) for first, *_ in groups}
        new = [group for group in groups if records[group[0]] not in known]
        assert len(new) == len(groups) or known, "the first sweep shares with nobody"
        sampled.clear()
        together.clear()
        sweep_id = submit(engine, spec)
        assert worker.run(sweep_id, 0, "me") is LeaseOutcome.DONE
        assert len(stored_rows(engine, sweep_id)) == spec.trial_count
        assert together == [group[0] for group in new if not set(group) & set(sampled)]
        assert len(sampled) == 1  # the best
        firsts = {number: first for first, *others in groups for number in (first, *others)}
        assert curves_of(engine, sweep_id) == [
            (number, *records[firsts[number]][1:]) for number in range(spec.trial_count)
        ]
        known += records.values()
    assert len(new) < len(groups)


def test_the_run_kept_last_is_given_to_its_own_parameters_over_its_own_window_alone(
    engine: sa.Engine, windows: WindowCache
) -> None:
    spec = sweep_spec(grid=AXES)
    run, other = (replay_trial(spec, number, windows) for number in (0, 1))
    windows.keep_run(run)
    assert windows.run(spec.config(0)) is run
    assert windows.run(spec.config(1)).document() == other.document()
    together = dict(runs_of(spec, [0, 1], windows))
    assert together[0] is run
    assert together[1].document() == other.document()
    elsewhere = WindowCache(HistoricalDataStore(engine))
    elsewhere.keep_run(run)
    assert elsewhere.run(spec.config(0)) is not run
    windows.forget()
    again = windows.run(spec.config(0))
    assert again is not run
    assert again.document() == run.document()


def test_a_kept_run_goes_with_its_window(engine: sa.Engine) -> None:
    narrow = WindowCache(HistoricalDataStore(engine), max_tickers=1)
    spec = sweep_spec(grid=AXES)
    narrow.keep_run(replay_trial(spec, 0, narrow))
    kept = weakref.ref(narrow.window(spec.config(0)))
    narrow.window(spec.config(0).varied({"end": spec.config(0).end - DAY_MS}))
    gc.collect()
    assert kept() is None
