"""Runs one chunk in a worker process: claim, replay trial by trial, store, and give back what is left."""

from collections.abc import Mapping, Sequence

import sqlalchemy as sa
import structlog

from bot.clock import Clock
from bot.errors import BotError, StoreError
from bot.hedges.runs import AnyRun
from bot.market_store.database import write_transaction
from bot.market_store.sql import seal_times
from sweeps.analysis.findings import keep_findings
from sweeps.errors import DataChangedError, KernelDifferenceError, SealsChangedError
from sweeps.lifecycle.data_pin import check_pin
from sweeps.lifecycle.repository import cancel_sweep
from sweeps.queue.counters import KERNEL_DIFFERENCES, chunk_took, count, finished_trials, replay_paths
from sweeps.queue.curve_shares import CurveShare
from sweeps.queue.leases import ATTEMPT_LIMIT, Claim, LeaseOutcome, claim_chunk, release_chunk, save_trials
from sweeps.queue.rates import record_rate
from sweeps.queue.reconcile import close_finished
from sweeps.spec.metrics import ALWAYS_KNOWN, KNOWN_OF_HEDGES
from sweeps.spec.spec import SweepSpec
from sweeps.storage.leaderboard import leaders
from sweeps.storage.results import CompletedTrials
from sweeps.storage.selection import keep_sums
from sweeps.storage.states import TrialState
from sweeps.storage.stored_specs import stored_spec
from sweeps.watch import TIMEOUT, TimeLimitError, Unwatched, Watch, timeout_message
from sweeps.work.best_curves import BestCurves
from sweeps.work.chunk_buffer import BatchSizer, ChunkBuffer, ChunkLimits
from sweeps.work.kernel_samples import KernelSamples
from sweeps.work.panels import SweepPanels, packed_sums
from sweeps.work.replay import (
    Prepared,
    Refusal,
    Replayed,
    WindowCache,
    prepare,
    replay_alone,
    replay_batch,
    replayed_alone,
)
from sweeps.work.result_reuse import reused_trials
from sweeps.work.run_index import RunIndex
from sweeps.work.run_records import RunRecord

log = structlog.get_logger()

Interrupts = tuple[type[BaseException], ...]
_FAILURES_TOLD = 10
"""Most failed trials of a chunk in the log."""
_FEW_LEFT = 8
"""Share of the trials that wait at most, one in so many, which are not stored apart at a chunk's end."""


class ChunkRunner:
    """Replays chunks for one worker process, one at a time.

    `interrupts` are the exceptions by which the task queue stops a task; `watch` ends trials at their limit,
    and has the lease renewed meanwhile; `host` is the machine whose speed is measured.
    """

    def __init__(
        self,
        engine: sa.Engine,
        windows: WindowCache,
        clock: Clock,
        *,
        interrupts: Interrupts = (),
        limits: ChunkLimits | None = None,
        watch: Watch | None = None,
        host: str = "",
    ) -> None:
        self._engine = engine
        self._windows = windows
        self._clock = clock
        self._not_of_the_trial: Interrupts = (
            sa.exc.SQLAlchemyError,
            DataChangedError,
            KernelDifferenceError,
            *interrupts,
        )
        self._limits = limits or ChunkLimits()
        self._watch = watch or Unwatched()
        self._host = host
        self._last_batch: tuple[int, int] = (0, 0)
        self._panels: SweepPanels | None = None
        self._seals: Mapping[str, int] = {}
        self._sampling_ms = 0
        self._runs = RunIndex()
        self._curves = BestCurves(engine, windows, self._watch, self._not_of_the_trial)

    def run(self, sweep_id: int, chunk_id: int, owner: str) -> LeaseOutcome | None:
        """Replay the missing trials of a chunk; None means that it was unavailable, which is normal."""
        with write_transaction(self._engine) as connection:
            claim = claim_chunk(connection, sweep_id, chunk_id, owner, lease_ms=self._limits.lease_ms)
        if claim is None:
            return None
        self._watch.claimed(sweep_id, chunk_id, claim.token)
        buffer: ChunkBuffer | None = None
        with structlog.contextvars.bound_contextvars(sweep=sweep_id, chunk=chunk_id):
            began = self._clock.now_ms()
            log.info("chunk started", trials=len(claim.missing), first=claim.lo, attempt=claim.attempts)
            try:
                buffer = self._new_buffer(claim)
                outcome = self._replay_on_its_history(claim, buffer)
            except BaseException as error:
                log.warning("chunk interrupted", error=repr(error))
                self._give_back(claim, buffer, error)
                raise
            seconds = (self._clock.now_ms() - began) / 1000
            log.info("chunk ended", outcome=str(outcome), seconds=seconds, **buffer.ended)
            return outcome

    def _new_buffer(self, claim: Claim) -> ChunkBuffer:
        """Return an empty buffer; the attempt is counted by then, even if the sweep is unreadable."""
        with self._engine.connect() as connection:
            spec = stored_spec(connection, claim.sweep_id, claim.spec_text)
            best = leaders(connection, claim.sweep_id, spec)
            found = [(record.objective_rank, record.number) for record in best]
            self._seals = seal_times(connection)
            return ChunkBuffer(claim.sweep_id, spec, self._panels_of(connection, spec), leaders=found)

    def _panels_of(self, connection: sa.Connection, spec: SweepSpec) -> SweepPanels | None:
        """Return the panels of a sweep that is validated, worked out once for its chunks.

        Without readable history there are none: its trials fail, each with the reason.
        """
        if not spec.validation:
            return None
        if self._panels is None or self._panels.spec is not spec:
            try:
                self._panels = SweepPanels(connection, spec, spec.validation)
            except StoreError:
                return None
        return self._panels

    def _replay_on_its_history(self, claim: Claim, buffer: ChunkBuffer) -> LeaseOutcome:
        try:
            return self._replay(claim, buffer)
        except DataChangedError as error:
            return self._end_sweep(claim, buffer, str(error))
        except SealsChangedError as error:
            log.warning("chunk given back", reason=str(error))
            self._release(claim, str(error), progressed=True)
            return LeaseOutcome.STOPPED
        except KernelDifferenceError as error:
            buffer.clear()  # nothing that it has replayed here can be trusted
            with write_transaction(self._engine) as connection:
                count(connection, {KERNEL_DIFFERENCES: 1}, writer=claim.chunk_id)
            return self._end_sweep(claim, buffer, str(error))

    def _replay(self, claim: Claim, buffer: ChunkBuffer) -> LeaseOutcome:
        self._windows.enter(
            claim.sweep_id,
            lambda: self._check_data(claim, buffer.spec),
            pin=claim.data_pin,
            seals=self._seals,
        )
        self._runs.enter(claim.sweep_id)
        self._samples = KernelSamples(claim.sweep_id, buffer.spec, self._windows, buffer.best_rank)
        started = saved = buffer.started_ms = self._clock.now_ms()
        sizer = self._batch_sizer(claim, buffer.spec)
        at = 0
        while at < len(claim.missing):
            batch = claim.missing[at : at + sizer.size]
            began, built = self._clock.now_ms(), self._windows.built
            self._sampling_ms = 0
            alone = len(batch) == 1 and (sizer.alone or buffer.spec.curves == "all")
            together = not alone and self._run_batch(claim, buffer, batch)
            if not together and len(batch) == 1:
                self._run_trial(claim, buffer, batch[0])
            elif not together:
                sizer.go_alone(len(batch))
                started = self._clock.now_ms()  # or the chunk would be given back before it is past the trial
                self._last_batch = claim.sweep_id, sizer.together
                continue
            at += len(batch)
            now = self._clock.now_ms()
            sizer.adjust(now - began, len(batch))
            self._last_batch = claim.sweep_id, sizer.together
            # A few quick trials would be judged by the reading of their window, and cut the next sweep small.
            typical = self._windows.built == built or now - began >= self._limits.batch_target_ms * len(batch)
            buffer.measure(now - began - self._sampling_ms, typical=typical)
            spent = now - started >= self._limits.budget_ms
            left = len(claim.missing) - at
            if left and (spent or self._is_due(claim, buffer, now - saved, left)):
                outcome = self._save(claim, buffer, ends=spent)
                if outcome is not LeaseOutcome.KEPT or spent:
                    self._release(claim, progressed=True)
                    return outcome
                saved = now
        return self._end(claim, buffer, started)

    def _end(self, claim: Claim, buffer: ChunkBuffer, started: int) -> LeaseOutcome:
        """Store what is left, and the curves that the chunk owes before it ends, some at a time.

        One that holds all trials of its sweep knows them before anything is stored.
        """
        limit_s = self._trial_limit_s(buffer.spec)
        owed: Sequence[int] = buffer.without_curves() if buffer.holds_all(claim) else ()
        share = CurveShare(claim.sweep_id, claim.chunk_id, buffer.spec)
        while True:
            share.given_up = bool(owed) and not self._curves.work_out_some(buffer, owed, limit_s)
            spent = self._clock.now_ms() - started >= self._limits.budget_ms
            outcome = self._save(claim, buffer, share, ends=spent)
            if outcome is LeaseOutcome.DONE:
                return outcome
            if outcome is not LeaseOutcome.KEPT or spent:
                self._release(claim, progressed=True)
                return outcome
            owed = [number for number in share.owed if number < buffer.spec.trial_count]
            if not owed:  # the others came with an extension: whoever claims the chunk next knows it
                self._release(claim, progressed=True)
                return outcome

    def _batch_sizer(self, claim: Claim, spec: SweepSpec) -> BatchSizer:
        """Return a sizer that begins with the last batch; a chunk that lost its process goes one by one."""
        sweep_id, trials = self._last_batch
        last, all_curves = trials if sweep_id == claim.sweep_id else None, spec.curves == "all"
        return BatchSizer(self._limits, alone=claim.attempts > 1, all_curves=all_curves, last=last)

    def _is_due(self, claim: Claim, buffer: ChunkBuffer, unsaved_ms: int, left: int) -> bool:
        """Return whether to save: in the last attempt always, so that the trial that ends it is known.

        A few trials that are `left` are waited for: to store them apart would cost as much again.
        """
        if claim.attempts >= ATTEMPT_LIMIT or unsaved_ms >= self._limits.renew_ms:
            return True
        return len(buffer) >= self._limits.rows and left * _FEW_LEFT > self._limits.rows

    def _trial_limit_s(self, spec: SweepSpec) -> float:
        return spec.trial_timeout_s or self._limits.trial_limit_ms / 1000

    def _run_batch(self, claim: Claim, buffer: ChunkBuffer, numbers: Sequence[int]) -> bool:
        """Add the results of trials replayed at once; return False if each has to go alone."""
        one, limit_s = len(numbers) == 1, self._trial_limit_s(buffer.spec)
        limit_s = limit_s if one else min(self._limits.batch_limit_ms / 1000, limit_s)
        try:
            with self._watch.limited(limit_s, numbers):
                ready, refused = prepare(buffer.spec, numbers, self._windows)
                if (one or buffer.spec.curves == "all") and not all(trials.is_covered for trials in ready):
                    return False  # each would be replayed plainly twice, for its result and for its curve
                reused = self._reused(claim, buffer, ready)
                known = set(reused.numbers.tolist())
                replayed = replay_batch([trials.without(known) for trials in ready])
                began = self._clock.now_ms()
                samples = [run for some in replayed for run in self._samples.compared(some)]
                self._sampling_ms = self._clock.now_ms() - began  # the same however few trials there are
        except self._not_of_the_trial:
            raise
        except TimeLimitError:
            self._windows.forget()
            if one:
                buffer.fail(numbers[0], TIMEOUT, timeout_message(limit_s))
                return True
            log.info("trials take too long to go together", trials=len(numbers), first=numbers[0])
            return False
        except Exception:
            log.exception("trials cannot be replayed together", first=numbers[0], last=numbers[-1])
            self._windows.forget()
            return False
        buffer.take_over(reused)
        for refusal in refused:
            buffer.refuse(refusal)
        for some in replayed:
            buffer.settle(some)
        buffer.sampled |= {number: run for number, run in samples if number in buffer.best}
        if buffer.spec.curves == "all":
            # In this batch, so that the next is as long as they allow.
            self._curves.work_out_all(buffer, self._trial_limit_s(buffer.spec))
        buffer.replayed += sum(map(len, ready)) - len(reused)
        return True

    def _run_trial(self, claim: Claim, buffer: ChunkBuffer, number: int) -> None:
        """Add the trial's result."""
        limit_s = self._trial_limit_s(buffer.spec)
        try:
            with self._watch.limited(limit_s, [number]):
                reused, refused, runs = self._replay_alone(claim, buffer, number)
            buffer.take_over(reused)
            for refusal in refused:
                buffer.refuse(refusal)
            for run, replayed in runs:
                buffer.settle(replayed)
                buffer.replayed += 1
                if number in buffer.best:
                    buffer.keep_curve(buffer.ledgers([number]), RunRecord.of(run))
        except self._not_of_the_trial:
            raise
        except BotError as error:
            buffer.fail(number, error.code, error.message)
        except TimeLimitError:
            self._windows.forget()
            buffer.fail(number, TIMEOUT, timeout_message(limit_s))
        except MemoryError:
            self._windows.forget()
            buffer.fail(number, "memory", "needs more memory than a worker process may use")
        except Exception as error:
            log.exception("trial failed unexpectedly", trial=number)
            buffer.fail(number, "internal_error", f"{type(error).__name__}: {error}")

    def _replay_alone(
        self, claim: Claim, buffer: ChunkBuffer, number: int
    ) -> tuple[CompletedTrials, list[Refusal], list[tuple[AnyRun, Replayed]]]:
        """Return the trial's result if another sweep has it, its refusal, or its run with its result."""
        ready, refused = prepare(buffer.spec, [number], self._windows)
        reused = self._reused(claim, buffer, ready)
        runs = [replay_alone(trial) for trial in ready if not len(reused)]
        return reused, refused, [(run, replayed_alone(number, run, self._windows)) for run in runs]

    def _save(
        self, claim: Claim, buffer: ChunkBuffer, share: CurveShare | None = None, *, ends: bool = False
    ) -> LeaseOutcome:
        """Store what was replayed; raises SealsChangedError, storing nothing, if a seal has changed.

        These were the last trials of the chunk if its `share` in the curves is given. What was measured is
        added where the chunk `ends` here: workers wait for each other there.
        """
        self._curves.keep_sampled(buffer)
        if share and share.given_up:
            buffer.best.clear()
        _log_failures(buffer)
        results, curves = buffer.results(), buffer.records()
        finished, found = finished_trials(**buffer.finished()), self._windows.unstored
        paths = replay_paths(buffer.by_kernel, buffer.left)
        sums = packed_sums(buffer.judged)
        with write_transaction(self._engine) as connection:
            if seal_times(connection) != self._seals:
                raise SealsChangedError("days were sealed or opened since its windows were read")
            last, known = share is not None, buffer.known(claim)
            outcome = save_trials(connection, claim, results, curves, last=last, known=known, share=share)
            if outcome is not LeaseOutcome.LOST:
                keep_findings(connection, claim.sweep_id, found)
                keep_sums(connection, claim.sweep_id, sums)
                ms = self._clock.now_ms() - buffer.started_ms
                took = chunk_took(ms) if outcome is LeaseOutcome.DONE else {}
                count(connection, finished | took | paths, writer=claim.chunk_id)
            # Chunks that end at the same moment may each find the other open: then the dispatcher closes it.
            closed = close_finished(connection, claim.sweep_id) if outcome is LeaseOutcome.DONE else []
            if buffer.timed and (ends or outcome is not LeaseOutcome.KEPT):
                kind = {"by_kernel": buffer.mostly_by_kernel}
                record_rate(connection, self._host, buffer.spec, buffer.timed, buffer.busy_ms, **kind)
        if closed:
            log.info("sweep finished")
        buffer.clear()
        if outcome is not LeaseOutcome.LOST:
            self._windows.stored(found)
        return outcome

    def _reused(self, claim: Claim, buffer: ChunkBuffer, ready: Sequence[Prepared]) -> CompletedTrials:
        """Return the trials whose result another sweep has."""
        buffer.fingerprints.update(trials.held.window.fingerprint for trials in ready)
        if not (claim.may_reuse and buffer.spec.reuse):
            return CompletedTrials.joined(())
        found: list[CompletedTrials] = []
        with self._engine.connect() as connection:
            for trials in ready:
                blocks = self._runs.blocks(connection, trials.held.window.fingerprint, trials.run_keys)
                if blocks:
                    needed = KNOWN_OF_HEDGES if trials.held.is_hedges else ALWAYS_KNOWN
                    found.append(reused_trials(connection, blocks, trials.numbers_by_key(), needed))
        return CompletedTrials.joined(found)

    def _check_data(self, claim: Claim, spec: SweepSpec) -> None:
        with self._engine.connect() as connection:
            check_pin(connection, spec, claim.data_pin)

    def _end_sweep(self, claim: Claim, buffer: ChunkBuffer, reason: str) -> LeaseOutcome:
        """Keep what was replayed on the history of the sweep, and end the sweep with the reason."""
        log.warning("sweep ended", reason=reason)
        buffer.best.clear()
        results, curves = buffer.results(), list(buffer.curves.values())
        with write_transaction(self._engine) as connection:
            save_trials(connection, claim, results, curves, last=False)
            release_chunk(connection, claim, reason, progressed=bool(len(buffer)))
            cancel_sweep(connection, claim.sweep_id, reason)
        return LeaseOutcome.STOPPED

    def _release(self, claim: Claim, error: str | None = None, *, progressed: bool = False) -> None:
        with write_transaction(self._engine) as connection:
            release_chunk(connection, claim, error, progressed=progressed)

    def _give_back(self, claim: Claim, buffer: ChunkBuffer | None, error: BaseException) -> None:
        progressed = buffer is not None and bool(len(buffer) or buffer.curves)
        try:
            if buffer and progressed:
                self._save(claim, buffer, ends=True)
            self._release(claim, f"{type(error).__name__}: {error}", progressed=progressed)
        except (sa.exc.SQLAlchemyError, SealsChangedError) as failure:
            log.warning("chunk not given back, its lease will run out", error=repr(failure))


def _log_failures(buffer: ChunkBuffer) -> None:
    """Tell the first failed trials of a chunk; how many there are in all is told at its end."""
    told = buffer.ended[TrialState.FAILED]
    for row in buffer.failed[: max(0, _FAILURES_TOLD - told)]:
        log.warning("trial failed", trial=row["number"], code=row["error_code"], reason=row["error"])
