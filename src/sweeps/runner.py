"""Runs one chunk in a worker process: claim, replay trial by trial, store, and give back what is left."""

from bisect import insort
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
import structlog

from bot.backtest import RunResult
from bot.clock import Clock
from bot.data.database import write_transaction
from bot.errors import BotError
from sweeps.curves import encode_equity, encode_trades
from sweeps.errors import DataChangedError
from sweeps.leaderboard import standing
from sweeps.leases import LEASE_MS, Claim, Curve, Hold, claim_chunk, release_chunk, save_trials
from sweeps.metrics import Direction
from sweeps.pins import check_pin
from sweeps.rates import record_rate
from sweeps.replay import (
    Outcome,
    WindowCache,
    completed_row,
    failed_row,
    replay_together,
    replay_trial,
    trial_metrics,
)
from sweeps.repository import cancel_sweep
from sweeps.reuse import reused_rows, run_keys
from sweeps.spec import SweepSpec, TopCurves, stored_spec
from sweeps.tally import chunk_took, count, finished_trials

log = structlog.get_logger()

Interrupts = tuple[type[BaseException], ...]


@dataclass(frozen=True, slots=True)
class Rhythm:
    """How often a chunk is saved and its lease renewed, and when it is given back unfinished.

    At most `together` trials are replayed at once, fewer where that would take longer than `at_once_ms`.
    """

    lease_ms: int = LEASE_MS
    renew_ms: int = 5_000
    budget_ms: int = 30_000
    trial_limit_ms: int = 60_000
    at_once_ms: int = 1_000
    rows: int = 1_000
    together: int = 1_000


@dataclass(slots=True)
class _Batch:
    """Results not yet stored; of the curves only those that can be among the best of the sweep so far."""

    sweep_id: int
    spec: SweepSpec
    rows: list[dict[str, Any]] = field(default_factory=list)
    best: set[int] = field(default_factory=set)
    curves: dict[int, Curve] = field(default_factory=dict)
    reused: set[int] = field(default_factory=set)
    started_ms: int = 0
    replayed: int = 0
    busy_ms: int = 0
    standing: Sequence[tuple[int, Any]] = ()
    _ranked: list[tuple[Any, int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._ranked = sorted((self._rank(value), number) for number, value in self.standing)

    def add(self, number: int, run_key: str, metrics: dict[str, Any]) -> None:
        row = completed_row(self.sweep_id, number, run_key, metrics)
        self.rows.append(row)
        if self._is_among_best(number, row[self.spec.objective.metric]):
            self.best.add(number)

    def keep_curve(self, number: int, result: RunResult) -> None:
        self.curves[number] = Curve(number, encode_equity(result.equity), encode_trades(result.trades))

    def settle(self, outcome: Outcome) -> None:
        if outcome.error is not None:
            self.fail(outcome.number, outcome.error.code, outcome.error.message)
        elif outcome.run_key is not None and outcome.metrics is not None:
            try:
                self.add(outcome.number, outcome.run_key, outcome.metrics)
            except BotError as error:
                self.fail(outcome.number, error.code, error.message)

    def fail(self, number: int, code: str, message: str) -> None:
        self.rows.append(failed_row(self.sweep_id, number, code, message))

    def measure(self, trials: int, elapsed_ms: int) -> None:
        self.replayed += trials
        self.busy_ms += elapsed_ms

    def clear(self) -> None:
        self.replayed = self.busy_ms = 0
        self.rows.clear()
        self.best.clear()
        self.curves.clear()

    def _is_among_best(self, number: int, value: Any) -> bool:
        if not isinstance(self.spec.curves, TopCurves):
            return self.spec.curves == "all"
        place = (self._rank(value), number)
        if len(self._ranked) >= self.spec.curves.top and place > self._ranked[-1]:
            return False
        insort(self._ranked, place)
        if len(self._ranked) <= self.spec.curves.top:
            return True
        _, worst = self._ranked.pop()
        self.best.discard(worst)
        self.curves.pop(worst, None)
        return worst != number

    def _rank(self, value: Any) -> tuple[bool, Any]:
        descending = self.spec.objective.direction is Direction.MAXIMIZE
        return value is None, 0 if value is None else -value if descending else value


class _Pace:
    """How many trials to replay at once, so that a turn takes about as long as it may."""

    def __init__(self, rhythm: Rhythm, *, alone: bool) -> None:
        self._rhythm = rhythm
        self._most = 1 if alone else rhythm.together
        self.trials = min(self._most, 64)

    def go_alone(self) -> None:
        """Replay one trial at a time from now on."""
        self._most = self.trials = 1

    def took(self, elapsed_ms: int) -> None:
        """Learn from a turn."""
        wanted = self.trials * self._rhythm.at_once_ms // max(elapsed_ms, 1)
        self.trials = max(1, min(self._most, wanted, self.trials * 8))


class ChunkRunner:
    """Replays chunks for one worker process, one at a time.

    `interrupts` are the exceptions by which the task queue stops a task that runs too long; `host` is the
    machine whose speed is measured.
    """

    def __init__(
        self,
        engine: sa.Engine,
        windows: WindowCache,
        clock: Clock,
        *,
        interrupts: Interrupts = (),
        rhythm: Rhythm | None = None,
        host: str = "",
    ) -> None:
        self._engine = engine
        self._windows = windows
        self._clock = clock
        self._interrupts = interrupts
        self._rhythm = rhythm or Rhythm()
        self._host = host

    def run(self, sweep_id: int, chunk_id: int, owner: str) -> Hold | None:
        """Replay the missing trials of a chunk; None means that it was not to be had, which is normal."""
        with write_transaction(self._engine) as connection:
            claim = claim_chunk(connection, sweep_id, chunk_id, owner, lease_ms=self._rhythm.lease_ms)
            if claim is None:
                return None
            spec = stored_spec(claim.spec_text)
            kept = standing(connection, sweep_id, spec)
        with structlog.contextvars.bound_contextvars(sweep=sweep_id, chunk=chunk_id):
            batch = _Batch(sweep_id, spec, standing=kept)
            try:
                return self._replay(claim, batch)
            except DataChangedError as error:
                return self._end_sweep(claim, batch, str(error))
            except BaseException as error:
                log.warning("chunk interrupted", error=repr(error))
                self._give_back(claim, batch, error)
                raise

    def _replay(self, claim: Claim, batch: _Batch) -> Hold:
        self._windows.enter(claim.sweep_id, lambda: self._check_data(claim, batch.spec))
        started = saved = batch.started_ms = self._clock.now_ms()
        pace = _Pace(self._rhythm, alone=claim.attempts > 1 or batch.spec.curves == "all")
        at = 0
        while at < len(claim.missing):
            turn = claim.missing[at : at + pace.trials]
            numbers = self._not_reused(claim, batch, turn)
            began, in_time = self._clock.now_ms(), True
            if len(numbers) == 1:
                in_time = self._run_trial(batch, numbers[0])
            elif numbers and not self._run_together(batch, numbers):
                pace.go_alone()
                continue
            at += len(turn)
            now = self._clock.now_ms()
            pace.took(now - began)
            batch.measure(len(numbers), now - began)
            spent = not in_time or now - started >= self._rhythm.budget_ms
            if spent or now - saved >= self._rhythm.renew_ms or len(batch.rows) >= self._rhythm.rows:
                hold = self._save(claim, batch, last=False)
                if hold is Hold.KEPT and not spent:
                    saved = now
                    continue
                self._release(claim, progressed=True)
                return hold
        return self._save(claim, batch, last=True)

    def _run_together(self, batch: _Batch, numbers: Sequence[int]) -> bool:
        """Add the rows of trials replayed at once; return False if each has to go alone."""
        try:
            outcomes = replay_together(batch.spec, numbers, self._windows)
        except (sa.exc.SQLAlchemyError, DataChangedError):
            raise
        except self._interrupts:
            raise
        except Exception:
            log.exception("trials cannot be replayed together")
            return False
        for outcome in outcomes:
            batch.settle(outcome)
        return True

    def _run_trial(self, batch: _Batch, number: int) -> bool:
        """Add the trial's row; return False if the task queue wants an end now."""
        started = self._clock.now_ms()
        try:
            result = replay_trial(batch.spec, number, self._windows)
            batch.add(number, result.run_key, trial_metrics(result, self._windows))
            if number in batch.best:
                batch.keep_curve(number, result)
        except BotError as error:
            batch.fail(number, error.code, error.message)
        except self._interrupts:
            if self._clock.now_ms() - started < self._rhythm.trial_limit_ms:
                raise
            batch.fail(number, "timeout", f"took longer than {self._rhythm.trial_limit_ms / 1000:g} s")
            return False
        except (sa.exc.SQLAlchemyError, DataChangedError):
            raise
        except MemoryError:
            batch.fail(number, "memory", "needs more memory than a worker process may use")
        except Exception as error:
            log.exception("trial failed unexpectedly", trial=number)
            batch.fail(number, "internal_error", f"{type(error).__name__}: {error}")
        return True

    def _save(self, claim: Claim, batch: _Batch, *, last: bool) -> Hold:
        for number in batch.best - batch.curves.keys():
            batch.keep_curve(number, replay_trial(batch.spec, number, self._windows))
        curves = list(batch.curves.values())
        with write_transaction(self._engine) as connection:
            hold = save_trials(
                connection, claim, batch.rows, curves, last=last, lease_ms=self._rhythm.lease_ms
            )
            if hold is not Hold.LOST:
                took = chunk_took(self._clock.now_ms() - batch.started_ms) if last else {}
                count(connection, finished_trials(batch.rows) | took, writer=claim.chunk_id)
            if batch.replayed:
                record_rate(connection, self._host, batch.spec, batch.replayed, batch.busy_ms)
        batch.clear()
        return hold

    def _not_reused(self, claim: Claim, batch: _Batch, numbers: Sequence[int]) -> Sequence[int]:
        """Add the rows of trials whose result another sweep has; return the others."""
        if not (claim.may_reuse and batch.spec.reuse):
            return numbers
        numbers = [number for number in numbers if number not in batch.reused]
        keys = run_keys(batch.spec, numbers, self._windows)
        with self._engine.connect() as connection:
            rows = reused_rows(connection, claim.sweep_id, keys)
        batch.rows.extend(rows)
        batch.reused.update(row["number"] for row in rows)
        return [number for number in numbers if number not in batch.reused]

    def _check_data(self, claim: Claim, spec: SweepSpec) -> None:
        with self._engine.connect() as connection:
            check_pin(connection, spec, claim.data_pin)

    def _end_sweep(self, claim: Claim, batch: _Batch, reason: str) -> Hold:
        """Keep what was replayed on the history of the sweep, and end the sweep with the reason."""
        log.warning("sweep ended", reason=reason)
        batch.best.clear()
        with write_transaction(self._engine) as connection:
            save_trials(
                connection,
                claim,
                batch.rows,
                list(batch.curves.values()),
                last=False,
                lease_ms=self._rhythm.lease_ms,
            )
            release_chunk(connection, claim, reason, progressed=bool(batch.rows))
            cancel_sweep(connection, claim.sweep_id, reason)
        return Hold.STOPPED

    def _release(self, claim: Claim, error: str | None = None, *, progressed: bool = False) -> None:
        with write_transaction(self._engine) as connection:
            release_chunk(connection, claim, error, progressed=progressed)

    def _give_back(self, claim: Claim, batch: _Batch, error: BaseException) -> None:
        progressed = bool(batch.rows)
        try:
            if progressed:
                self._save(claim, batch, last=False)
            self._release(claim, f"{type(error).__name__}: {error}", progressed=progressed)
        except sa.exc.SQLAlchemyError as failure:
            log.warning("chunk not given back, its lease will run out", error=repr(failure))
