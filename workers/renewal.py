"""The thread of a worker's main process that renews leases, and ends processes that do not end by themselves.

It lives outside of the pool, so that no trial can keep it from its work, whatever it does to its own process.
"""

import os
import signal
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import sqlalchemy as sa
import structlog

from bot.market_store.database import open_engine, write_transaction
from sweeps.jobs.jobs import renew_job
from sweeps.queue.leases import renew_lease
from sweeps.watchdog import limited
from workers.inflight import InFlight, in_flight, mark_hung
from workers.settings import WorkerSettings

log = structlog.get_logger()

GRACE_S = 10.0
"""Between the limit of a trial, at which it should end by itself, and the end of its process."""

RENEWALS_IN_A_LEASE = 6
_PERIOD_S = 1.0
_PATIENCE_MS = 5_000
_NANOSECONDS = 1_000_000_000

_forking = threading.RLock()
"""Held by whoever works with the database beside the main thread: a child forked meanwhile would inherit
locks that nobody in it holds."""

os.register_at_fork(
    before=_forking.acquire, after_in_parent=_forking.release, after_in_child=_forking.release
)


class LeaseRenewal(threading.Thread):
    """Looks once a second at what the pool works on.

    Renewed are the claims of processes that live and are within the limit of what they do: not those that the
    system has halted. A process past its limit is killed; the worker then reports what it was at.
    """

    def __init__(self, settings: WorkerSettings) -> None:
        super().__init__(name="lease-renewal", daemon=True)
        self._settings = settings
        self._lease_ms = int(settings.lease_s * 1000)
        self._period_ns = int(settings.lease_s * _NANOSECONDS / RENEWALS_IN_A_LEASE)
        self._renewed: dict[tuple[int, int, int], int] = {}

    def run(self) -> None:
        """Go on for as long as the process does."""
        while True:
            time.sleep(min(_PERIOD_S, self._settings.lease_s / RENEWALS_IN_A_LEASE))
            with _forking:
                try:
                    self.turn()
                except Exception:
                    log.exception("leases not renewed")

    def turn(self) -> None:
        """End what is overdue, and renew what is due."""
        alive = []
        for work in in_flight():
            state = _process_state(work.pid)
            if state in "ZX":
                continue
            if work.is_overdue(GRACE_S):
                _end(work)
            elif state != "T":
                alive.append(work)
        self._renew([work for work in alive if work.token and self._is_due(work)])

    def _is_due(self, work: InFlight) -> bool:
        last = self._renewed.get(_claim_of(work), work.claimed_ns)
        return time.monotonic_ns() - last >= self._period_ns

    def _renew(self, due: Sequence[InFlight]) -> None:
        if not due:
            return
        engine = open_engine(self._settings.database, busy_timeout_ms=_PATIENCE_MS)
        try:
            with limited(self._settings.stall_limit_s), write_transaction(engine) as connection:
                for work in due:
                    _renew_claim(connection, work, self._lease_ms)
        except sa.exc.DBAPIError as error:
            log.warning("leases not renewed, retrying", error=str(error.orig))
            return
        finally:
            engine.dispose()
        now_ns = time.monotonic_ns()
        self._renewed = {_claim_of(work): self._renewed.get(_claim_of(work), 0) for work in in_flight()}
        self._renewed |= {_claim_of(work): now_ns for work in due}


def _claim_of(work: InFlight) -> tuple[int, int, int]:
    return work.sweep_id, work.chunk_id, work.token


def _renew_claim(connection: sa.Connection, work: InFlight, lease_ms: int) -> None:
    if work.job_id is not None:
        renew_job(connection, work.job_id, work.token, lease_ms=lease_ms)
    else:
        renew_lease(connection, work.sweep_id, work.chunk_id, work.token, lease_ms=lease_ms)


def _end(work: InFlight) -> None:
    """Kill a process of the pool that did not stop at its limit; a worker without a pool is left alone."""
    if work.pid == os.getpid():
        return
    log.error("process hangs and is ended", pid=work.pid, limit_s=work.limit_s, **named(work))
    mark_hung(work.task)
    os.kill(work.pid, signal.SIGKILL)


def named(work: InFlight) -> dict[str, int]:
    """Return work in flight as the fields of a log line."""
    if not work.token:
        return {}
    if work.job_id is not None:
        return {"job": work.job_id}
    found = {"sweep": work.sweep_id, "chunk": work.chunk_id}
    if work.count:
        found["trial"] = work.first
    return found | ({"trials": work.count} if work.count > 1 else {})


def _process_state(pid: int) -> str:
    """Return the system's letter for a process's state: X if it has ended, R where nothing is told."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0].upper()
    except (FileNotFoundError, ProcessLookupError):
        return "R" if not Path("/proc/self").exists() else "X"
