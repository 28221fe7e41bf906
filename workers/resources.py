"""Resources that each pool process opens after the fork: engine, window cache, runners."""

import os
import resource
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
import structlog
from celery.exceptions import SoftTimeLimitExceeded
from celery.signals import worker_process_init, worker_ready

from bot.clock import SteadyClock
from bot.kernel.loading import plain_replays
from bot.market_store.database import open_engine
from bot.market_store.store import HistoricalDataStore
from sweeps.jobs.job_runner import JobRunner
from sweeps.work.chunk_buffer import ChunkLimits
from sweeps.work.replay import WindowCache
from sweeps.work.runner import ChunkRunner
from workers.alarm import TrialAlarm
from workers.inflight import task_in_flight
from workers.malloc import keep_freed_memory
from workers.renewal import RENEWALS_IN_A_LEASE
from workers.settings import WorkerSettings, worker_settings

log = structlog.get_logger()

Task = Any


@dataclass(frozen=True, slots=True)
class _Opened:
    pid: int
    chunks: ChunkRunner
    jobs: JobRunner


_opened: list[_Opened] = []


def chunk_runner() -> ChunkRunner:
    """Return this process's runner of chunks."""
    return _own().chunks


def job_runner() -> JobRunner:
    """Return this process's runner of jobs."""
    return _own().jobs


def _own() -> _Opened:
    """Return the resources of this process, opened on first use; a child never uses those of its parent."""
    if not _opened or _opened[-1].pid != os.getpid():
        settings = worker_settings()
        engine = open_engine(settings.database, pool_size=1)
        windows = WindowCache(HistoricalDataStore(engine))
        jobs = JobRunner(
            engine,
            interrupts=(SoftTimeLimitExceeded,),
            watch=TrialAlarm(settings.stall_limit_s),
            limit_s=settings.trial_timeout_s,
            exchange_url=settings.exchange_api_url,
            windows=windows,
        )
        _opened[:] = [_Opened(os.getpid(), _chunk_runner(engine, windows, settings), jobs)]
    return _opened[-1]


def _chunk_runner(engine: sa.Engine, windows: WindowCache, settings: WorkerSettings) -> ChunkRunner:
    return ChunkRunner(
        engine,
        windows,
        SteadyClock(),
        interrupts=(SoftTimeLimitExceeded,),
        host=socket.gethostname(),
        limits=_chunk_limits(settings),
        watch=TrialAlarm(settings.stall_limit_s),
    )


def _chunk_limits(settings: WorkerSettings) -> ChunkLimits:
    lease_ms = int(settings.lease_s * 1000)
    return ChunkLimits(
        lease_ms=lease_ms,
        renew_ms=lease_ms // RENEWALS_IN_A_LEASE,
        trial_limit_ms=settings.trial_timeout_s * 1000,
    )


@contextmanager
def outside_trials(task_id: str | None) -> Iterator[None]:
    """Record what goes wrong around the trials and raise it on.

    A MemoryError is raised as another error: as itself it would end the whole worker, again on every restart.
    """
    in_flight = task_in_flight(task_id or "", worker_settings().stall_limit_s)
    with structlog.contextvars.bound_contextvars(task=task_id), in_flight:
        try:
            yield
        except MemoryError as error:
            raise RuntimeError("out of memory outside a trial") from error
        except Exception:
            log.exception("chunk failed")
            raise


@worker_ready.connect
def say_how_sweeps_run(**_: Any) -> None:
    """Say loudly, once a worker, that it has no replay kernel."""
    if reason := plain_replays():
        log.warning("SWEEPS RUN PLAINLY", reason=reason)


@worker_process_init.connect
def set_up_memory(**_: Any) -> None:
    """Keep freed memory, and cap the address space of a pool process, so that a greedy trial fails alone."""
    keep_freed_memory()
    cap_mib: int = worker_settings().worker_memory_mib
    if cap_mib:
        hard = resource.getrlimit(resource.RLIMIT_AS)[1]
        resource.setrlimit(resource.RLIMIT_AS, (cap_mib * 1024 * 1024, hard))
