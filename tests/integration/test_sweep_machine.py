"""Any order of commands, work, crashes and retries leaves each sweep as its rows say, each trial once."""

import shutil
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)
from sweeping import chunks_of, recomputed_rows, state_of, stored_rows, submit, sweep_spec

from bot.clock import SystemClock
from bot.market_store.database import open_engine, write_transaction
from bot.market_store.store import HistoricalDataStore
from sweeps.analysis.progress import get_spec, get_sweep
from sweeps.errors import SweepStateError
from sweeps.lifecycle.deleting import delete_sweep
from sweeps.lifecycle.extend_clone import extend_sweep, extended_spec
from sweeps.lifecycle.repository import cancel_sweep, pause_sweep, resume_sweep, retry_failed
from sweeps.queue import reconcile
from sweeps.queue.leases import Claim, LeaseOutcome, claim_chunk, save_trials
from sweeps.queue.reconcile import ChunkRef
from sweeps.storage.results import Results, failed_row
from sweeps.storage.tables import chunk
from sweeps.work.dispatch import Dispatcher
from sweeps.work.replay import WindowCache
from sweeps.work.runner import ChunkRunner

COMMANDS = (cancel_sweep, pause_sweep, resume_sweep, retry_failed)


class _NoQueue:
    def publish(self, ref: ChunkRef) -> None:
        """Lose the message: work is found in the database here."""


class SweepMachine(RuleBasedStateMachine):
    """Sweeps of four to a few more trials, in chunks of two."""

    template: Path
    sweeps = Bundle("sweeps")

    def __init__(self) -> None:
        super().__init__()
        self._folder = tempfile.TemporaryDirectory()
        path = Path(self._folder.name) / "carrygrid.db"
        shutil.copy(self.template, path)
        self._engine = open_engine(f"sqlite:///{path}")
        self._windows = WindowCache(HistoricalDataStore(self._engine))
        self._dispatcher = Dispatcher(self._engine, _NoQueue(), "d")
        self._known: set[int] = set()
        self._next_leverage = 100

    @rule(target=sweeps, reuse=st.booleans())
    def create(self, reuse: bool) -> int:
        spec = sweep_spec(grid={"perp_leverage": [1, 2, 3, 4]}, curves="none", reuse=reuse)
        sweep_id = submit(self._engine, spec, size=2)
        self._known.add(sweep_id)
        return sweep_id

    @rule(sweep_id=sweeps, command=st.sampled_from(COMMANDS))
    def command(self, sweep_id: int, command: Any) -> None:
        before = state_of(self._engine, sweep_id)
        try:
            self._act(command, sweep_id)
        except SweepStateError:
            assert state_of(self._engine, sweep_id) == before

    @rule(sweep_id=sweeps)
    def extend(self, sweep_id: int) -> None:
        self._next_leverage += 1
        with self._engine.connect() as connection:
            before = get_spec(connection, sweep_id)
        extended = extended_spec(before, add_values={"perp_leverage": [self._next_leverage]})
        try:
            self._act(extend_sweep, sweep_id, before, extended)
        except SweepStateError:
            assert state_of(self._engine, sweep_id) == "cancelled"

    @rule(target=sweeps, sweep_id=consumes(sweeps))
    def delete(self, sweep_id: int) -> Any:
        self._act(delete_sweep, sweep_id)
        self._known.discard(sweep_id)
        assert stored_rows(self._engine, sweep_id) == []
        return multiple()

    @rule(sweep_id=sweeps, chunk_id=st.integers(0, 3))
    def work(self, sweep_id: int, chunk_id: int) -> None:
        runner = ChunkRunner(self._engine, self._windows, SystemClock())
        runner.run(sweep_id, chunk_id, "w")

    @rule(
        sweep_id=sweeps,
        chunk_id=st.integers(0, 3),
        fails=st.booleans(),
        late=st.booleans(),
        taken=st.booleans(),
    )
    def crash(self, sweep_id: int, chunk_id: int, fails: bool, late: bool, taken: bool) -> None:
        """Claim a chunk and die, before or after storing a failure, or come back after the lease ran out.

        Late results count, unless somebody else has taken the chunk meanwhile.
        """
        claim = self._act(claim_chunk, sweep_id, chunk_id, "w")
        if claim is None:
            return
        rows = [failed_row(sweep_id, number, "test", "made to fail") for number in claim.missing]
        if fails:
            self._act(save_trials, claim, Results.of(sweep_id, failed=rows[:1]), last=False)
        self._expire(claim)
        other = self._act(claim_chunk, sweep_id, chunk_id, "v") if taken else None
        if late:
            before = {row["number"] for row in stored_rows(self._engine, sweep_id)}
            outcome = self._act(save_trials, claim, Results.of(sweep_id, failed=rows[fails:]), last=True)
            assert outcome == (LeaseOutcome.DONE if other is None else LeaseOutcome.LOST)
            accepted = set(claim.missing) if other is None else set()
            assert {row["number"] for row in stored_rows(self._engine, sweep_id)} == before | accepted
        if other is not None:
            self._expire(other)

    def _expire(self, claim: Claim) -> None:
        with write_transaction(self._engine) as connection:
            held = chunk.c.sweep_id == claim.sweep_id, chunk.c.id == claim.chunk_id
            connection.execute(chunk.update().where(*held).values(lease_until_ms=1))
            reconcile.expire_leases(connection)

    @rule()
    def dispatch(self) -> None:
        self._dispatcher.step()

    @invariant()
    def counters_are_those_of_the_rows(self) -> None:
        for sweep_id in self._known:
            rows = stored_rows(self._engine, sweep_id)
            with self._engine.connect() as connection:
                view = get_sweep(connection, sweep_id)
                trial_count = get_spec(connection, sweep_id).trial_count
            assert view.trials_done == len(rows)
            assert view.trials_failed == sum(row["state"] == "failed" for row in rows)
            assert view.trials_reused == sum(row["reused_sweep"] is not None for row in rows)
            assert view.trials_total == trial_count
            ranges = [(found.lo, found.hi) for found in chunks_of(self._engine, sweep_id)]
            covered = [number for lo, hi in ranges for number in range(lo, hi)]
            assert covered == list(range(view.trials_total))

    def teardown(self) -> None:
        """Resume every sweep, let all work be done, and compare each row with a replay here and now."""
        for sweep_id in self._known:
            self._finish(sweep_id)
        self._engine.dispose()
        self._folder.cleanup()

    def _finish(self, sweep_id: int) -> None:
        for again in (False, True):
            active = state_of(self._engine, sweep_id) in {"queued", "running"}
            try:
                self._act(retry_failed if active else resume_sweep, sweep_id)
            except SweepStateError:
                assert again or state_of(self._engine, sweep_id) == "completed"
            while any(found.state != "done" for found in chunks_of(self._engine, sweep_id)):
                self._dispatcher.step()
                for found in chunks_of(self._engine, sweep_id):
                    self.work(sweep_id, found.id)
            self._dispatcher.step()
        assert state_of(self._engine, sweep_id) == "completed"
        with self._engine.connect() as connection:
            spec = get_spec(connection, sweep_id)
        expected = recomputed_rows(self._engine, sweep_id, spec)
        for row, right in zip(stored_rows(self._engine, sweep_id), expected, strict=True):
            assert row | {"reused_sweep": None, "reused_number": None} == right

    def _act(self, command: Any, *arguments: Any, **options: Any) -> Any:
        with write_transaction(self._engine) as connection:
            return command(connection, *arguments, **options)


def test_any_order_of_commands_work_and_crashes_keeps_the_promise(sqlite_template: Path) -> None:
    SweepMachine.template = sqlite_template
    run_state_machine_as_test(
        SweepMachine,
        settings=settings(
            max_examples=15,
            stateful_step_count=20,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        ),
    )
