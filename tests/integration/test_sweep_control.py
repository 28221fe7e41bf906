"""Pausing, retrying, growing, taking over and pinning, on both databases."""

import threading
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa
from sweeping import (
    BASE,
    assert_every_trial_once,
    chunks_of,
    forget_columns,
    recomputed_rows,
    state_of,
    stored_rows,
    submit,
    sweep_spec,
)

from bot.clock import SystemClock
from bot.kernel.loading import usable
from bot.market.rows import Rows, SeriesKey, SeriesKind
from bot.market_store.database import write_transaction
from bot.market_store.store import HistoricalDataStore
from bot.models import HOUR_MS, Instrument
from bot.timestamps import parse_time_ms
from sweeps.analysis.progress import get_spec, get_sweep
from sweeps.errors import SweepStateError
from sweeps.lifecycle.extend_clone import cloned_spec, extend_sweep, extended_spec
from sweeps.lifecycle.repository import cancel_sweep, pause_sweep, resume_sweep, retry_failed
from sweeps.queue.curve_shares import CurveShare
from sweeps.queue.leases import Claim, LeaseOutcome, claim_chunk, save_trials
from sweeps.queue.rates import measured_rates, record_rate
from sweeps.queue.reconcile import ChunkRef
from sweeps.spec.metrics import LATER
from sweeps.spec.spec import SweepSpec
from sweeps.storage.results import Results, failed_row
from sweeps.storage.sweep_summary import stored_ranking
from sweeps.storage.tables import sweep
from sweeps.work.dispatch import Dispatcher
from sweeps.work.replay import WindowCache
from sweeps.work.runner import ChunkRunner

SMALL: dict[str, Any] = {"grid": {"perp_leverage": [1, 2, 3, 4]}}
ORIGIN = ("reused_sweep", "reused_number")


class ListQueue:
    """Keeps what is published."""

    def __init__(self) -> None:
        self.sent: list[ChunkRef] = []

    def publish(self, ref: ChunkRef) -> None:
        self.sent.append(ref)


def runner(engine: sa.Engine) -> ChunkRunner:
    """Return the runner of a worker process that has just started."""
    return ChunkRunner(engine, WindowCache(HistoricalDataStore(engine)), SystemClock(), host="here")


def work(engine: sa.Engine, sweep_id: int, worker: ChunkRunner | None = None) -> None:
    """Run every chunk that is to be had and let the dispatcher end the sweep."""
    worker = worker or runner(engine)
    for found in chunks_of(engine, sweep_id):
        worker.run(sweep_id, found.id, "w")
    Dispatcher(engine, ListQueue(), "d").step()


def claimed(engine: sa.Engine, sweep_id: int, chunk_id: int = 0) -> Claim:
    with write_transaction(engine) as connection:
        taken = claim_chunk(connection, sweep_id, chunk_id, "me")
    assert taken is not None
    return taken


def fail(engine: sa.Engine, claim: Claim, numbers: Sequence[int], *, last: bool) -> LeaseOutcome:
    rows = [failed_row(claim.sweep_id, number, "test", "made to fail") for number in numbers]
    share = CurveShare(claim.sweep_id, claim.chunk_id, stored_ranking(claim.spec_text), given_up=last)
    with write_transaction(engine) as connection:
        results = Results.of(claim.sweep_id, failed=rows)
        return save_trials(connection, claim, results, last=last, share=share)


def act(engine: sa.Engine, command: Any, *arguments: Any, **named: Any) -> Any:
    with write_transaction(engine) as connection:
        return command(connection, *arguments, **named)


def extend(engine: sa.Engine, sweep_id: int, **added: Sequence[object]) -> SweepSpec:
    with engine.connect() as connection:
        before = get_spec(connection, sweep_id)
    extended = extended_spec(before, add_values=added)
    act(engine, extend_sweep, sweep_id, before, extended)
    return extended


def plain(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return rows without what says whose and whence they are."""
    return [{name: value for name, value in row.items() if name not in {*ORIGIN, "sweep_id"}} for row in rows]


def change_history(engine: sa.Engine, symbol: str = "BTC/USDT:USDT") -> None:
    """Import another maintenance margin rate, as fetching an exchange's rules would."""
    HistoricalDataStore(engine).put_instrument("synthetic", symbol, Instrument(mmr=Decimal("0.0123")))


def import_later_candles(engine: sa.Engine) -> None:
    """Import the hours after those the generated market has."""
    key = SeriesKey("synthetic", "BTC/USDT:USDT", SeriesKind.PERP, HOUR_MS)
    times = [parse_time_ms("2024-04-02") + hour * HOUR_MS for hour in range(48)]
    rows = Rows.of(times, [(Decimal(50_000),) * 4 + (Decimal(1),)] * len(times), SeriesKind.PERP)
    assert HistoricalDataStore(engine).merge(key, rows, synthetic=True).new == len(times)


def test_paused_sweep_gives_out_nothing_and_stops_whoever_works_on_it(engine: sa.Engine) -> None:
    sweep_id = submit(engine, sweep_spec(**SMALL), size=2)
    claim = claimed(engine, sweep_id)
    act(engine, pause_sweep, sweep_id)
    assert fail(engine, claim, [0], last=False) is LeaseOutcome.STOPPED
    assert act(engine, claim_chunk, sweep_id, 1, "other") is None
    queue = ListQueue()
    Dispatcher(engine, queue, "d").step()
    assert queue.sent == []
    assert state_of(engine, sweep_id) == "paused"
    act(engine, resume_sweep, sweep_id)
    work(engine, sweep_id)
    assert_every_trial_once(engine, sweep_id, sweep_spec(**SMALL))


def test_sweep_that_finished_while_it_was_paused_completes_when_resumed(engine: sa.Engine) -> None:
    sweep_id = submit(engine, sweep_spec(**SMALL))
    claim = claimed(engine, sweep_id)
    act(engine, pause_sweep, sweep_id)
    assert fail(engine, claim, [], last=True) is LeaseOutcome.DONE
    act(engine, resume_sweep, sweep_id)
    Dispatcher(engine, ListQueue(), "d").step()
    assert state_of(engine, sweep_id) == "completed"


@pytest.mark.parametrize("paused", [False, True])
def test_retry_runs_failed_trials_only(engine: sa.Engine, paused: bool) -> None:
    sweep_id = submit(engine, sweep_spec(**SMALL), size=2)
    runner(engine).run(sweep_id, 1, "w")
    fail(engine, claimed(engine, sweep_id), [1], last=True)
    kept = stored_rows(engine, sweep_id)[1:]
    if paused:
        act(engine, pause_sweep, sweep_id)
    assert act(engine, retry_failed, sweep_id) == 1
    assert stored_rows(engine, sweep_id) == kept
    assert [found.state for found in chunks_of(engine, sweep_id)] == ["pending", "done"]
    assert state_of(engine, sweep_id) == ("paused" if paused else "running")
    if paused:
        act(engine, resume_sweep, sweep_id)
    work(engine, sweep_id)
    assert_every_trial_once(engine, sweep_id, sweep_spec(**SMALL))


def test_retry_of_an_ended_sweep_runs_it_again_and_of_a_cancelled_one_is_refused(engine: sa.Engine) -> None:
    sweep_id = submit(engine, sweep_spec(**SMALL))
    fail(engine, claimed(engine, sweep_id), [0, 1, 2, 3], last=True)
    Dispatcher(engine, ListQueue(), "d").step()
    assert state_of(engine, sweep_id) == "failed"
    assert act(engine, retry_failed, sweep_id) == 4
    assert state_of(engine, sweep_id) == "queued"
    act(engine, cancel_sweep, sweep_id)
    with pytest.raises(SweepStateError, match="resume it"):
        act(engine, retry_failed, sweep_id)


def test_identical_runs_of_another_sweep_are_taken_over_with_their_origin(engine: sa.Engine) -> None:
    first = submit(engine, sweep_spec(**SMALL))
    work(engine, first)
    overlapping = sweep_spec(grid={"perp_leverage": [3, 4, 5], "slippage_bps": [5, 6]}, reuse=True)
    second = submit(engine, overlapping)
    work(engine, second)
    rows = stored_rows(engine, second)
    assert [tuple(row[name] for name in ORIGIN) for row in rows] == [
        (first, 2),
        (None, None),
        (first, 3),
        (None, None),
        (None, None),
        (None, None),
    ]
    assert plain(rows) == plain(recomputed_rows(engine, second, overlapping))
    with engine.connect() as connection:
        view = get_sweep(connection, second)
    assert (view.trials_done, view.trials_reused) == (6, 2)
    third = submit(engine, sweep_spec(grid={"perp_leverage": [4]}, reuse=True))
    work(engine, third)
    assert [tuple(row[name] for name in ORIGIN) for row in stored_rows(engine, third)] == [(first, 3)]


def test_nothing_is_taken_over_from_other_data_or_against_the_wish_of_the_sweep(engine: sa.Engine) -> None:
    first = submit(engine, sweep_spec(**SMALL))
    work(engine, first)
    unwilling = submit(engine, sweep_spec(**SMALL))
    work(engine, unwilling)
    change_history(engine)
    changed = submit(engine, sweep_spec(**SMALL, reuse=True))
    work(engine, changed)
    for sweep_id in (unwilling, changed):
        assert {row["reused_sweep"] for row in stored_rows(engine, sweep_id)} == {None}
    keys = [{row["run_key"] for row in stored_rows(engine, found)} for found in (first, changed)]
    assert not keys[0] & keys[1]


def test_data_imported_mid_sweep_end_it_with_rows_of_one_history_only(engine: sa.Engine) -> None:
    spec = sweep_spec(**SMALL)
    expected = recomputed_rows(engine, 1, spec)
    sweep_id = submit(engine, spec, size=1)
    veteran = runner(engine)
    veteran.run(sweep_id, 0, "veteran")
    change_history(engine)
    veteran.run(sweep_id, 1, "veteran")
    assert runner(engine).run(sweep_id, 2, "newcomer") is LeaseOutcome.STOPPED
    assert state_of(engine, sweep_id) == "cancelled"
    assert plain(stored_rows(engine, sweep_id)) == plain(expected[:2])
    with engine.connect() as connection:
        assert "market data" in str(get_sweep(connection, sweep_id).reason)
    with pytest.raises(SweepStateError, match="clone it"):
        act(engine, resume_sweep, sweep_id)
    assert [found.state for found in chunks_of(engine, sweep_id)] == ["done", "done", "pending", "pending"]


def test_clone_after_an_import_replays_only_the_symbols_whose_data_changed(engine: sa.Engine) -> None:
    base = {name: value for name, value in BASE.items() if name != "symbols"}
    grid = {"symbols": ["BTC/USDT:USDT", "ETH/USDT:USDT"], "perp_leverage": [1, 2]}
    spec = sweep_spec(base=base, grid=grid)
    first = submit(engine, spec)
    work(engine, first)
    change_history(engine, "ETH/USDT:USDT")
    copy = submit(engine, cloned_spec(spec, {"reuse": True}))
    work(engine, copy)
    origins = [row["reused_sweep"] for row in stored_rows(engine, copy)]
    assert origins == [first, first, None, None]


def test_data_later_than_the_sweep_reads_change_nothing(engine: sa.Engine) -> None:
    sweep_id = submit(engine, sweep_spec(**SMALL), size=2)
    runner(engine).run(sweep_id, 0, "w")
    import_later_candles(engine)
    work(engine, sweep_id)
    assert state_of(engine, sweep_id) == "completed"


def test_sweep_grows_while_a_worker_holds_a_chunk_of_it(engine: sa.Engine) -> None:
    sweep_id = submit(engine, sweep_spec(**SMALL), size=2)
    claim = claimed(engine, sweep_id, 1)
    extended = extend(engine, sweep_id, perp_leverage=[5, 6], slippage_bps=[9])
    assert fail(engine, claim, [2, 3], last=True) is LeaseOutcome.DONE
    assert act(engine, retry_failed, sweep_id) == 2
    work(engine, sweep_id)
    assert extended.trial_count == 12
    assert_every_trial_once(engine, sweep_id, extended)
    assert state_of(engine, sweep_id) == "completed"


def test_completed_sweep_grows_more_than_once_and_replays_only_what_is_new(engine: sa.Engine) -> None:
    sweep_id = submit(engine, sweep_spec(**SMALL, constraints=["perp_leverage <= 8"]))
    work(engine, sweep_id)
    extended = sweep_spec(**SMALL)
    for added in ({"perp_leverage": [8, 9]}, {"end": ["2024-03-31"]}, {"exit_funding_rate": ["0"]}):
        before = stored_rows(engine, sweep_id)
        extended = extend(engine, sweep_id, **added)
        assert state_of(engine, sweep_id) == "queued"
        work(engine, sweep_id)
        assert stored_rows(engine, sweep_id)[: len(before)] == before
    assert extended.trial_count == 20
    assert_every_trial_once(engine, sweep_id, extended)


def test_sweep_does_not_grow_on_changed_data_nor_twice_from_the_same_state(engine: sa.Engine) -> None:
    sweep_id = submit(engine, sweep_spec(**SMALL))
    with engine.connect() as connection:
        before = get_spec(connection, sweep_id)
    outcomes: list[str] = []

    def add(value: int) -> None:
        extended = extended_spec(before, add_values={"perp_leverage": [value]})
        try:
            act(engine, extend_sweep, sweep_id, before, extended)
            outcomes.append("extended")
        except SweepStateError as error:
            outcomes.append(error.message)

    threads = [threading.Thread(target=add, args=(value,)) for value in (5, 6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == [
        "extended",
        f"sweep {sweep_id} was changed meanwhile; look at it and try again",
    ]
    work(engine, sweep_id)
    change_history(engine)
    with pytest.raises(SweepStateError, match="market data"):
        extend(engine, sweep_id, perp_leverage=[7])
    act(engine, cancel_sweep, submit(engine, sweep_spec(**SMALL)))


def test_message_turns_alternate_between_a_huge_sweep_and_a_small_one(engine: sa.Engine) -> None:
    huge = submit(engine, sweep_spec(), size=1)
    queue = ListQueue()
    dispatcher = Dispatcher(engine, queue, "d")
    dispatcher.step()
    small = submit(engine, sweep_spec(**SMALL), size=1)
    worker = runner(engine)
    while state_of(engine, small) != "completed":
        ref = queue.sent.pop(0)
        worker.run(ref.sweep_id, ref.chunk_id, "w")
        dispatcher.step()
    assert len(stored_rows(engine, huge)) < 20


def test_workers_measure_their_speed_and_recent_measurements_weigh_more(engine: sa.Engine) -> None:
    spec = sweep_spec(**SMALL)
    with engine.connect() as connection:
        assert not measured_rates(connection).measured(spec)
    work(
        engine, submit(engine, sweep_spec(), size=60)
    )  # the first chunk reads the window, the second is measured
    with engine.connect() as connection:
        assert measured_rates(connection).measured(spec)
    for busy_ms in (700_000, 1_000):
        act(engine, record_rate, "here", spec, 1_000, busy_ms, by_kernel=usable() is not None)
    with engine.connect() as connection:
        seconds = measured_rates(connection).trial_seconds(spec)
    assert 0.2 < seconds < 0.36


def test_reading_a_window_for_a_few_trials_says_nothing_of_their_speed(engine: sa.Engine) -> None:
    """Else the next sweep, however large, would be cut into thousands of chunks."""
    work(engine, submit(engine, sweep_spec(**SMALL)))
    with engine.connect() as connection:
        assert not measured_rates(connection).measured(sweep_spec())
    huge = submit(engine, sweep_spec(grid={"slippage_bps": {"start": "0", "stop": "9", "num": 10_000}}))
    assert len(chunks_of(engine, huge)) < 10


def test_sweep_of_another_engine_is_left_alone_by_reuse(engine: sa.Engine) -> None:
    first = submit(engine, sweep_spec(**SMALL))
    work(engine, first)
    with write_transaction(engine) as connection:
        connection.execute(sweep.update().where(sweep.c.id == first).values(engine_version="0.0.1"))
    second = submit(engine, sweep_spec(**SMALL, reuse=True))
    work(engine, second)
    assert {row["reused_sweep"] for row in stored_rows(engine, second)} == {None}


def test_work_too_quick_to_be_measured_is_no_rate(engine: sa.Engine) -> None:
    spec = sweep_spec()
    act(engine, record_rate, "here", spec, 1_000, 0, by_kernel=usable() is not None)
    with engine.connect() as connection:
        assert not measured_rates(connection).measured(spec)
    assert submit(engine, spec) > 0


def test_results_that_lack_a_metric_of_today_are_not_taken_over(engine: sa.Engine) -> None:
    first = submit(engine, sweep_spec(**SMALL))
    work(engine, first)
    forget_columns(engine, first, LATER)
    second = submit(engine, sweep_spec(**SMALL, reuse=True))
    work(engine, second)
    rows = stored_rows(engine, second)
    assert {row["reused_sweep"] for row in rows} == {None}
    assert all(row["missed_settlements"] is not None for row in rows)
