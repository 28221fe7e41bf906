"""Does one job in a worker process."""

from collections.abc import Callable, Mapping
from typing import Any

import sqlalchemy as sa
import structlog

from bot.clock import Clock, SystemClock
from bot.config.run_config import RunConfig
from bot.errors import BotError
from bot.hedges.evidence.engine_choice import probe_run
from bot.hedges.runs import MarketStore, baselines_of, explain_run, load_window, replay_run
from bot.market_store.database import write_transaction
from bot.market_store.store import HistoricalDataStore
from sweeps.jobs.data_jobs import fetch_document, import_document
from sweeps.jobs.job_reports import JobLostError, JobReport, SliceOverError
from sweeps.jobs.jobs import (
    JobClaim,
    JobKind,
    JobState,
    claim_job,
    complete_job,
    fail_job,
    note_progress,
    postpone_job,
    release_job,
    retry_job_later,
)
from sweeps.jobs.notifications import RetryLaterError, delivery_document
from sweeps.jobs.selection_jobs import reports_due, selection_document, take_report
from sweeps.lifecycle.run_looks import LookKind, note_run
from sweeps.watch import TIMEOUT, TRIAL_TIMEOUT_S, TimeLimitError, Unwatched, Watch, job_timeout_message
from sweeps.work.replay import WindowCache

log = structlog.get_logger()

Interrupts = tuple[type[BaseException], ...]


def backtest_document(config: RunConfig, store: MarketStore) -> dict[str, Any]:
    """Return the result document of one run, with what stands beside it."""
    window = load_window(config, store)
    result = replay_run(config, window)
    return {**result.document(), **explain_run(result, window, baselines_of(window)).document()}


def probe_document(config: RunConfig, store: MarketStore) -> dict[str, Any]:
    """Return the findings of the look-ahead probe."""
    return probe_run(config, store).document()


_RUNS: Mapping[JobKind, Callable[[RunConfig, MarketStore], dict[str, Any]]] = {
    JobKind.BACKTEST: backtest_document,
    JobKind.PROBE: probe_document,
}


class JobRunner:
    """Does jobs for one worker process; `interrupts` are how the task queue stops a task.

    A job may take `limit_s`, at which `watch` ends it. `exchange_url` takes the place of the exchanges' own
    addresses in downloads. `windows` are those that the process holds already.
    """

    def __init__(
        self,
        engine: sa.Engine,
        *,
        interrupts: Interrupts = (),
        clock: Clock | None = None,
        watch: Watch | None = None,
        limit_s: float = TRIAL_TIMEOUT_S,
        exchange_url: str | None = None,
        windows: WindowCache | None = None,
    ) -> None:
        self._engine = engine
        self._store = HistoricalDataStore(engine)
        self._windows = windows or WindowCache(self._store)
        self._limits: Interrupts = (*interrupts, TimeLimitError)
        self._clock = clock or SystemClock()
        self._watch = watch or Unwatched()
        self._limit_s = limit_s
        self._exchange_url = exchange_url

    def run(self, job_id: int, *, others_ms: int = 0) -> JobState | None:
        """Do a job and store its result; None means that it was unavailable, which is normal.

        After a report, others that nobody makes are made for `others_ms`, so that each needs no message.
        """
        until_ms = self._clock.now_ms() + others_ms
        with write_transaction(self._engine) as connection:
            claim = claim_job(connection, job_id)
        if claim is None:
            return None
        state = self._done(claim)
        if claim.kind is JobKind.SELECTION:
            while self._clock.now_ms() < until_ms and self.report():
                pass
        return state

    def report(self, sweep_id: int | None = None) -> bool:
        """Make a report that is due and that no job makes, of one sweep or the oldest; False without one."""
        with self._engine.connect() as connection:
            if not reports_due(connection, sweep_id):
                return False
        with write_transaction(self._engine) as connection:
            claim = take_report(connection, sweep_id)
        if claim is None:
            return False
        self._done(claim)
        return True

    def _done(self, claim: JobClaim) -> JobState | None:
        """Do a job that is ours and store its result; give it back if that cannot be done here."""
        self._watch.claimed(0, claim.id, claim.attempt)
        with structlog.contextvars.bound_contextvars(job=claim.id):
            began = self._clock.now_ms()
            log.info("job started", kind=str(claim.kind), attempt=claim.attempt)
            try:
                state = self._finish(claim)
            except BaseException:
                # Nobody else knows whose it is: it would wait for its lease to run out.
                with write_transaction(self._engine) as connection:
                    release_job(connection, claim.id, claim.attempt)
                raise
            seconds = (self._clock.now_ms() - began) / 1000
            log.info("job ended", outcome=str(state or "lost"), seconds=seconds)
            return state

    def _finish(self, claim: JobClaim) -> JobState | None:
        try:
            with self._watch.limited(self._limit_s):
                document = self._worked_out(claim)
        except JobLostError:
            log.info("job is no longer ours")
            return None
        except (SliceOverError, RetryLaterError) as error:
            return self._put_off(claim, error)
        except BotError as error:
            return self._fail(claim, error.code, error.message)
        except self._limits:
            self._windows.forget()
            return self._fail(claim, TIMEOUT, job_timeout_message(self._limit_s))
        except MemoryError:
            self._windows.forget()
            return self._fail(claim, "memory", "needs more memory than a worker process may use")
        if claim.kind is not JobKind.SELECTION:  # whose report is stored with the end of its job
            self._keep(claim, document)
        return JobState.COMPLETED

    def _keep(self, claim: JobClaim, document: Mapping[str, Any]) -> None:
        with write_transaction(self._engine) as connection:
            if complete_job(connection, claim, document) and claim.kind is JobKind.BACKTEST:
                config = RunConfig.parse(document["config"])
                note_run(
                    connection, LookKind.BACKTEST, config, document["run_key"], document["data_fingerprint"]
                )

    def _worked_out(self, claim: JobClaim) -> dict[str, Any]:
        report = JobReport(self._engine, claim, self._clock)
        if claim.kind is JobKind.IMPORT:
            return import_document(self._engine, self._store, claim, report)
        if claim.kind is JobKind.FETCH:
            return fetch_document(self._store, claim, report, self._clock, self._exchange_url)
        if claim.kind is JobKind.SELECTION:
            return selection_document(self._engine, claim, report, self._windows)
        if claim.kind is JobKind.NOTIFICATION:
            return delivery_document(self._engine, claim, self._clock)
        return _RUNS[claim.kind](RunConfig.parse(claim.request["config"]), self._store)

    def _put_off(self, claim: JobClaim, why: SliceOverError | RetryLaterError) -> JobState:
        with write_transaction(self._engine) as connection:
            if isinstance(why, RetryLaterError):
                log.warning("job is tried again later", reason=why.reason, seconds=why.delay_ms / 1000)
                note_progress(connection, claim, {"error": why.reason})
                retry_job_later(connection, claim, why.delay_ms)
            else:
                postpone_job(connection, claim)
        return JobState.QUEUED

    def _fail(self, claim: JobClaim, code: str, message: str) -> JobState:
        log.warning("job failed", code=code, reason=message)
        with write_transaction(self._engine) as connection:
            fail_job(connection, claim, code, message)
        return JobState.FAILED
