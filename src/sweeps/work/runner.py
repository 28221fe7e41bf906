"""Runs one chunk in a worker process: claim, replay trial by trial, store, and give back what is left."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
import structlog

from bot.backtest.batch import Course
from bot.clock import Clock
from bot.errors import BotError
from bot.market_store.database import write_transaction
from sweeps.analysis.findings import keep_findings
from sweeps.errors import DataChangedError
from sweeps.lifecycle.data_pin import check_pin
from sweeps.lifecycle.repository import cancel_sweep
from sweeps.queue.counters import chunk_took, count, finished_trials
from sweeps.queue.leases import ATTEMPT_LIMIT, Claim, Hold, claim_chunk, release_chunk, save_trials
from sweeps.queue.rates import record_rate
from sweeps.spec.spec import SweepSpec
from sweeps.storage.leaderboard import standing
from sweeps.storage.results import Results
from sweeps.storage.states import TrialState
from sweeps.storage.stored_specs import stored_spec
from sweeps.watch import TIMEOUT, TimeLimitError, Unwatched, Watch, timeout_message
from sweeps.work.chunk_buffer import Harvest, Pace, Rhythm
from sweeps.work.replay import (
    Outcome,
    Prepared,
    WindowCache,
    courses,
    prepare,
    replay_alone,
    replay_together,
    trial_metrics,
)
from sweeps.work.result_reuse import reused_rows

if TYPE_CHECKING:
    from bot.backtest import RunResult

log = structlog.get_logger()

Interrupts = tuple[type[BaseException], ...]
_FAILURES_TOLD = 10
"""Of each chunk, in the log."""


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
        rhythm: Rhythm | None = None,
        watch: Watch | None = None,
        host: str = "",
    ) -> None:
        self._engine = engine
        self._windows = windows
        self._clock = clock
        self._not_of_the_trial: Interrupts = (sa.exc.SQLAlchemyError, DataChangedError, *interrupts)
        self._rhythm = rhythm or Rhythm()
        self._watch = watch or Unwatched()
        self._host = host
        self._pace_of: tuple[int, int] = (0, 0)

    def run(self, sweep_id: int, chunk_id: int, owner: str) -> Hold | None:
        """Replay the missing trials of a chunk; None means that it was not to be had, which is normal."""
        with write_transaction(self._engine) as connection:
            claim = claim_chunk(connection, sweep_id, chunk_id, owner, lease_ms=self._rhythm.lease_ms)
        if claim is None:
            return None
        self._watch.claimed(sweep_id, chunk_id, claim.token)
        harvest: Harvest | None = None
        with structlog.contextvars.bound_contextvars(sweep=sweep_id, chunk=chunk_id):
            began = self._clock.now_ms()
            log.info("chunk started", trials=len(claim.missing), first=claim.lo, attempt=claim.attempts)
            try:
                harvest = self._harvest(claim)
                hold = self._replay_on_its_history(claim, harvest)
            except BaseException as error:
                log.warning("chunk interrupted", error=repr(error))
                self._give_back(claim, harvest, error)
                raise
            seconds = (self._clock.now_ms() - began) / 1000
            log.info("chunk ended", outcome=str(hold), seconds=seconds, **harvest.ended)
            return hold

    def _harvest(self, claim: Claim) -> Harvest:
        """Return an empty harvest; the attempt is counted by then, whatever may be wrong with the sweep."""
        with self._engine.connect() as connection:
            spec = stored_spec(connection, claim.sweep_id, claim.spec_text)
            return Harvest(claim.sweep_id, spec, standing=standing(connection, claim.sweep_id, spec))

    def _replay_on_its_history(self, claim: Claim, harvest: Harvest) -> Hold:
        try:
            return self._replay(claim, harvest)
        except DataChangedError as error:
            return self._end_sweep(claim, harvest, str(error))

    def _replay(self, claim: Claim, harvest: Harvest) -> Hold:
        self._windows.enter(claim.sweep_id, lambda: self._check_data(claim, harvest.spec))
        started = saved = harvest.started_ms = self._clock.now_ms()
        pace = self._pace(claim)
        at = 0
        while at < len(claim.missing):
            turn = claim.missing[at : at + pace.trials]
            began, built = self._clock.now_ms(), self._windows.built
            if len(turn) == 1:
                self._run_trial(claim, harvest, turn[0])
            elif not self._run_together(claim, harvest, turn):
                pace.go_alone()
                self._pace_of = claim.sweep_id, pace.trials
                continue
            at += len(turn)
            now = self._clock.now_ms()
            pace.took(now - began)
            self._pace_of = claim.sweep_id, pace.trials
            # A few quick trials would be judged by the reading of their window, and cut the next sweep small.
            typical = self._windows.built == built or now - began >= self._rhythm.at_once_ms * len(turn)
            harvest.measure(now - began, typical=typical)
            spent = now - started >= self._rhythm.budget_ms
            if spent or self._is_due(claim, harvest, now - saved):
                hold = self._save(claim, harvest, last=at == len(claim.missing))
                if hold is Hold.KEPT and not spent:
                    saved = now
                    continue
                if hold is not Hold.DONE:
                    self._release(claim, progressed=True)
                return hold
        return self._save(claim, harvest, last=True)

    def _pace(self, claim: Claim) -> Pace:
        """Return the pace of the sweep's last chunk here; one that lost its process goes trial by trial."""
        sweep_id, trials = self._pace_of
        known = {"first": trials} if sweep_id == claim.sweep_id else {}
        return Pace(self._rhythm, alone=claim.attempts > 1, **known)

    def _is_due(self, claim: Claim, harvest: Harvest, unsaved_ms: int) -> bool:
        """Return whether to save: in the last attempt always, so that the trial that ends it is known."""
        if claim.attempts >= ATTEMPT_LIMIT:
            return True
        return unsaved_ms >= self._rhythm.renew_ms or len(harvest.rows) >= self._rhythm.rows

    def _trial_limit_s(self, spec: SweepSpec) -> float:
        return spec.trial_timeout_s or self._rhythm.trial_limit_ms / 1000

    def _run_together(self, claim: Claim, harvest: Harvest, numbers: Sequence[int]) -> bool:
        """Add the rows of trials replayed at once; return False if each has to go alone."""
        limit_s = min(self._rhythm.turn_limit_ms / 1000, self._trial_limit_s(harvest.spec))
        try:
            with self._watch.limited(limit_s, numbers):
                ready, refused = prepare(harvest.spec, numbers, self._windows)
                if harvest.spec.curves == "all" and not all(one.is_covered for one in ready):
                    return False  # each would be replayed again for its curve
                reused = self._reused(claim, harvest, ready)
                outcomes = replay_together([one for one in ready if one.number not in reused])
        except self._not_of_the_trial:
            raise
        except TimeLimitError:
            log.info("trials take too long to go together", trials=len(numbers), first=numbers[0])
            self._windows.forget()
            return False
        except Exception:
            log.exception("trials cannot be replayed together", first=numbers[0], last=numbers[-1])
            self._windows.forget()
            return False
        harvest.rows.extend(reused.values())
        for outcome in sorted((*refused, *outcomes), key=lambda outcome: outcome.number):
            harvest.settle(outcome)
        if harvest.spec.curves == "all":
            self._keep_curves(harvest)  # in this turn, so that the next is as long as they allow
        harvest.replayed += len(outcomes)
        return True

    def _run_trial(self, claim: Claim, harvest: Harvest, number: int) -> None:
        """Add the trial's row."""
        limit_s = self._trial_limit_s(harvest.spec)
        try:
            with self._watch.limited(limit_s, [number]):
                reused, refused, runs = self._replay_alone(claim, harvest, number)
            harvest.rows.extend(reused.values())
            for outcome in refused:
                harvest.settle(outcome)
            for run, metrics in runs:
                harvest.add(number, run.run_key, metrics)
                harvest.replayed += 1
                if number in harvest.best:
                    harvest.keep_curve(number, Course.of(run))
        except self._not_of_the_trial:
            raise
        except BotError as error:
            harvest.fail(number, error.code, error.message)
        except TimeLimitError:
            self._windows.forget()
            harvest.fail(number, TIMEOUT, timeout_message(limit_s))
        except MemoryError:
            self._windows.forget()
            harvest.fail(number, "memory", "needs more memory than a worker process may use")
        except Exception as error:
            log.exception("trial failed unexpectedly", trial=number)
            harvest.fail(number, "internal_error", f"{type(error).__name__}: {error}")

    def _replay_alone(
        self, claim: Claim, harvest: Harvest, number: int
    ) -> "tuple[dict[int, dict[str, Any]], list[Outcome], list[tuple[RunResult, dict[str, Any]]]]":
        """Return the trial's row if another sweep has it, why it is refused, or its run with metrics."""
        ready, refused = prepare(harvest.spec, [number], self._windows)
        reused = self._reused(claim, harvest, ready)
        runs = [replay_alone(trial, self._windows) for trial in ready if not reused]
        return reused, refused, [(run, trial_metrics(run, self._windows)) for run in runs]

    def _save(self, claim: Claim, harvest: Harvest, *, last: bool) -> Hold:
        self._keep_curves(harvest)
        _log_failures(harvest)
        results, curves = Results.of(harvest.rows), list(harvest.curves.values())
        finished, found = finished_trials(harvest.rows), self._windows.unstored
        with write_transaction(self._engine) as connection:
            hold = save_trials(connection, claim, results, curves, last=last, lease_ms=self._rhythm.lease_ms)
            if hold is not Hold.LOST:
                keep_findings(connection, claim.sweep_id, found)
                took = chunk_took(self._clock.now_ms() - harvest.started_ms) if last else {}
                count(connection, finished | took, writer=claim.chunk_id)
            if harvest.timed:
                record_rate(connection, self._host, harvest.spec, harvest.timed, harvest.busy_ms)
        harvest.clear()
        if hold is not Hold.LOST:
            self._windows.stored(found)
        return hold

    def _keep_curves(self, harvest: Harvest) -> None:
        """Work out the curves of the best; those of slow trials are left to whoever looks at them."""
        numbers = harvest.curveless()
        if not numbers:
            return
        try:
            with self._watch.limited(self._trial_limit_s(harvest.spec), numbers):
                found = list(courses(harvest.spec, numbers, self._windows))
        except TimeLimitError:
            log.info("curves take too long to be worked out again", trials=len(numbers))
            self._windows.forget()
            harvest.best.clear()
            return
        for number, course in found:
            harvest.keep_curve(number, course)

    def _reused(self, claim: Claim, harvest: Harvest, ready: Sequence[Prepared]) -> dict[int, dict[str, Any]]:
        """Return the rows of trials whose result another sweep has, by number."""
        if not (claim.may_reuse and harvest.spec.reuse):
            return {}
        keys: dict[str, int] = {}
        for one in ready:
            keys.setdefault(one.run_key, one.number)
        with self._engine.connect() as connection:
            rows = reused_rows(connection, claim.sweep_id, keys)
        return {row["number"]: row for row in rows}

    def _check_data(self, claim: Claim, spec: SweepSpec) -> None:
        with self._engine.connect() as connection:
            check_pin(connection, spec, claim.data_pin)

    def _end_sweep(self, claim: Claim, harvest: Harvest, reason: str) -> Hold:
        """Keep what was replayed on the history of the sweep, and end the sweep with the reason."""
        log.warning("sweep ended", reason=reason)
        harvest.best.clear()
        results = Results.of(harvest.rows)
        with write_transaction(self._engine) as connection:
            save_trials(
                connection,
                claim,
                results,
                list(harvest.curves.values()),
                last=False,
                lease_ms=self._rhythm.lease_ms,
            )
            release_chunk(connection, claim, reason, progressed=bool(harvest.rows))
            cancel_sweep(connection, claim.sweep_id, reason)
        return Hold.STOPPED

    def _release(self, claim: Claim, error: str | None = None, *, progressed: bool = False) -> None:
        with write_transaction(self._engine) as connection:
            release_chunk(connection, claim, error, progressed=progressed)

    def _give_back(self, claim: Claim, harvest: Harvest | None, error: BaseException) -> None:
        progressed = harvest is not None and bool(harvest.rows)
        try:
            if harvest and progressed:
                self._save(claim, harvest, last=False)
            self._release(claim, f"{type(error).__name__}: {error}", progressed=progressed)
        except sa.exc.SQLAlchemyError as failure:
            log.warning("chunk not given back, its lease will run out", error=repr(failure))


def _log_failures(harvest: Harvest) -> None:
    """Tell the first failed trials of a chunk; how many there are in all is told at its end."""
    told = harvest.ended[TrialState.FAILED]
    for row in harvest.failed()[: max(0, _FAILURES_TOLD - told)]:
        log.warning("trial failed", trial=row["number"], code=row["error_code"], reason=row["error"])
