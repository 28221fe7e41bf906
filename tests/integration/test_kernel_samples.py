"""Sweeps take the replay kernel where there is one, and samples of its work are replayed plainly."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

import pytest
import sqlalchemy as sa
from sweeping import stored_rows, submit, sweep_spec

from bot.clock import SimulatedClock
from bot.config.parameter_columns import ParameterColumns
from bot.hedges.runs import AnyRun
from bot.kernel.replayer import KernelReplayer, Replays
from bot.kernel.unfit import Reason
from bot.market_store.store import HistoricalDataStore
from sweeps.queue.leases import LeaseOutcome
from sweeps.spec.spec import SweepSpec
from sweeps.storage.tables import sweep
from sweeps.work import kernel_replay, kernel_samples, replay
from sweeps.work.kernel_samples import SAMPLE_EVERY, first_sample
from sweeps.work.replay import WindowCache
from sweeps.work.runner import ChunkRunner
from sweeps.work.telemetry import Telemetry, telemetry

pytestmark = pytest.mark.usefixtures("kernel")

SPEC = sweep_spec(
    grid={"perp_leverage": [1, 2, 3], "min_funding_rate": ["0.00005", "0.0001", "0.0002"]}, curves="none"
)
TRIALS = 9


def run(engine: sa.Engine, spec: SweepSpec = SPEC) -> tuple[int, LeaseOutcome | None]:
    sweep_id = submit(engine, spec)
    windows = WindowCache(HistoricalDataStore(engine))
    return sweep_id, ChunkRunner(engine, windows, SimulatedClock(1_000_000)).run(sweep_id, 0, "me")


def best_of(engine: sa.Engine, sweep_id: int) -> int:
    metric = SPEC.objective.metric
    number: int = max(stored_rows(engine, sweep_id), key=lambda row: row[metric])["number"]
    return number


@pytest.fixture
def sampled(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return the list of trials that samples are replayed of, which grows with them."""
    found: list[int] = []

    def runs_of(spec: SweepSpec, numbers: list[int], windows: WindowCache) -> Iterator[tuple[int, AnyRun]]:
        found.extend(numbers)
        return replay.runs_of(spec, numbers, windows)

    monkeypatch.setattr(kernel_samples, "runs_of", runs_of)
    return found


def counted(engine: sa.Engine) -> Telemetry:
    with engine.connect() as connection:
        return telemetry(connection)


def test_a_sweep_is_replayed_by_the_kernel_and_counted(engine: sa.Engine) -> None:
    _, outcome = run(engine)
    found = counted(engine)
    assert outcome is LeaseOutcome.DONE
    assert (found.trials_by_kernel, set(found.trials_left.values()), found.kernel_differences) == (
        TRIALS,
        {0},
        0,
    )


def test_without_the_kernel_a_sweep_has_the_same_rows_and_says_why(
    engine: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    fast, _ = run(engine)
    monkeypatch.setattr(kernel_replay, "usable", lambda: None)
    plain, outcome = run(engine)
    assert outcome is LeaseOutcome.DONE
    rows = [
        [
            {name: value for name, value in row.items() if name != "sweep_id"}
            for row in stored_rows(engine, one)
        ]
        for one in (fast, plain)
    ]
    assert rows[0] == rows[1]
    assert counted(engine).trials_left[Reason.NO_LIBRARY] == TRIALS


@pytest.mark.parametrize("harm", ["total_fees", "sharpe", "ledger", "days", "run_key"])
def test_a_kernel_that_is_wrong_ends_the_sweep_names_the_trial_and_stores_nothing(
    engine: sa.Engine, monkeypatch: pytest.MonkeyPatch, harm: str
) -> None:
    best = best_of(engine, run(engine)[0])
    right, right_keys = KernelReplayer.replay, replay.fastest_run_keys()

    def wrong(self: KernelReplayer, parameters: ParameterColumns) -> Replays:
        done = right(self, parameters)
        if harm == "ledger":
            done.columns.ledgers[:, 0] ^= 1
            return done
        if harm == "days":
            done.days.rows[:, -1] += 1
            return done
        if harm == "run_key":
            return done
        metrics = {**done.columns.metrics, harm: done.columns.metrics[harm] + 1}
        return replace(done, columns=replace(done.columns, metrics=metrics), refused=Counter())

    monkeypatch.setattr(KernelReplayer, "replay", wrong)
    if harm == "run_key":
        monkeypatch.setattr(replay, "fastest_run_keys", lambda: lambda *asked: right_keys(*asked) ^ 1)
    sweep_id, outcome = run(engine)
    assert outcome is LeaseOutcome.STOPPED
    assert stored_rows(engine, sweep_id) == []
    with engine.connect() as connection:
        reason = connection.execute(sa.select(sweep.c.reason).where(sweep.c.id == sweep_id)).scalar_one()
    assert reason.startswith(f"the replay kernel is wrong: trial {best} gives another ")
    assert harm in reason
    assert counted(engine).kernel_differences == 1


def test_one_trial_in_20_000_is_sampled_whichever_sweep_it_is_of() -> None:
    places = [first_sample(sweep_id) for sweep_id in range(1, SAMPLE_EVERY + 1)]
    assert SAMPLE_EVERY == 20_000
    assert sorted(places) == list(range(SAMPLE_EVERY))


def test_samples_are_every_so_many_trials_from_the_first_of_the_sweep_and_the_best(
    engine: sa.Engine, monkeypatch: pytest.MonkeyPatch, sampled: list[int]
) -> None:
    monkeypatch.setattr(kernel_samples, "SAMPLE_EVERY", 4)
    for _ in range(3):
        sampled.clear()
        sweep_id, _ = run(engine)
        assert sampled == sorted({*range(sweep_id % 4, TRIALS, 4), best_of(engine, sweep_id)})


def test_a_small_sweep_that_holds_no_trial_of_the_20_000_has_its_best_sampled(
    engine: sa.Engine, sampled: list[int]
) -> None:
    sweep_id, _ = run(engine)
    assert first_sample(sweep_id) >= TRIALS
    assert sampled == [best_of(engine, sweep_id)]


def test_later_chunks_sample_what_is_better_than_the_best_of_those_before_else_their_first_trial(
    engine: sa.Engine, sampled: list[int]
) -> None:
    rates = ["0.0002", "0.00005", "0.0001"]
    spec = sweep_spec(grid={"perp_leverage": [2, 3, 1], "min_funding_rate": rates})
    sweep_id = submit(engine, spec, size=3)
    runner = ChunkRunner(engine, WindowCache(HistoricalDataStore(engine)), SimulatedClock(1_000_000))
    for index in range(3):
        assert runner.run(sweep_id, index, "me") is LeaseOutcome.DONE
    values = [row[spec.objective.metric] for row in stored_rows(engine, sweep_id)]
    assert values[1] == max(values[:3])
    assert values[4] == max(values)
    assert sampled == [1, 4, 6]


def test_the_first_trial_of_a_chunk_is_sampled_where_none_is_the_best(
    engine: sa.Engine, sampled: list[int]
) -> None:
    grid = {"min_funding_rate": ["0.9"], "perp_leverage": [1, 2, 3]}
    flat = sweep_spec(grid=grid, objective={"metric": "sharpe"}, curves="none")
    sweep_id, _ = run(engine, flat)
    assert [row["sharpe"] for row in stored_rows(engine, sweep_id)] == [None, None, None]
    assert sampled == [0]
