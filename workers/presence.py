"""The main process of a worker: checks the schema, shows that it lives, renews leases, reports deaths."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
import structlog
from celery.signals import (
    heartbeat_sent,
    task_failure,
    worker_init,
    worker_process_init,
    worker_ready,
    worker_shutdown,
)

from bot.errors import BotError
from bot.market_store.database import open_engine, write_transaction
from sweeps.migrations import migrate
from sweeps.queue.heartbeats import Component, beat, retire
from sweeps.watchdog import limited
from workers.deaths import free_chunk, free_job
from workers.inflight import forget_task
from workers.job_lane import spare_processes
from workers.renewal import LeaseRenewal
from workers.settings import worker_settings

log = structlog.get_logger()

_PATIENCE_MS = 1_000
_REPORT_MS = 5_000


@dataclass(slots=True)
class _Main:
    pid: int = 0
    instance: str = ""
    slots: int = 0
    renewal: LeaseRenewal | None = None


_main = _Main()


@worker_init.connect
def refuse_unusable_database(sender: Any, **_: Any) -> None:
    """Create or upgrade the schema, or end the start with one line."""
    _main.pid = os.getpid()
    _main.instance = f"{sender.hostname}#{_main.pid}"
    try:
        settings = worker_settings()
        settings.make_home()
        engine = open_engine(settings.database)
        migrate(engine)
        engine.dispose()
    except BotError as error:
        raise SystemExit(f"error: {error.message}") from None


@worker_process_init.connect
def end_as_orphan(**_: Any) -> None:
    """End a process of the pool whose main process died before this one asked to end with it.

    It would wait for work for ever: its siblings and itself keep the pipes open on which it would come.
    """
    if _main.pid not in (0, os.getpid(), os.getppid()):  # 0 in one that was not forked
        os._exit(1)


@worker_ready.connect
def count_slots(sender: Any, **_: Any) -> None:
    """Tell the dispatcher how many processes replay here."""
    _main.slots = sender.pool.num_processes - spare_processes(sender.controller)
    show_life()
    if _main.renewal is None:
        _main.renewal = LeaseRenewal(worker_settings())
        _main.renewal.start()


@heartbeat_sent.connect
def show_life(**_: Any) -> None:
    """Record a sign of life."""
    if _main.slots:
        _briefly(lambda connection: beat(connection, Component.WORKER, _main.instance, slots=_main.slots))


@worker_shutdown.connect
def leave(**_: Any) -> None:
    """Withdraw the sign of life at an orderly end."""
    _briefly(lambda connection: retire(connection, Component.WORKER, _main.instance))


@task_failure.connect
def free_lost(
    task_id: str | None = None,
    args: Any = (),
    exception: BaseException | None = None,
    **_: Any,
) -> None:
    """Free the chunk or job of a task that died with its process, without waiting for its lease.

    A job that failed without its process dying was given back there.
    """
    if not task_id or not all(isinstance(number, int) for number in args):
        return
    at = forget_task(task_id)
    if at and at.token and at.job_id is not None:  # a task may make other reports than that of its message
        _briefly(lambda connection: free_job(connection, exception, at), _REPORT_MS)
    elif len(args) == 2:
        _briefly(
            lambda connection: free_chunk(connection, args[0], args[1], task_id, exception, at), _REPORT_MS
        )


def _briefly(write: Callable[[sa.Connection], object], patience_ms: int = _PATIENCE_MS) -> None:
    """Write without ever holding up the worker: no open connection is left for children to inherit."""
    engine = open_engine(worker_settings().database, busy_timeout_ms=patience_ms)
    try:
        with limited(worker_settings().stall_limit_s), write_transaction(engine) as connection:
            write(connection)
    except sa.exc.DBAPIError as error:
        log.warning("worker could not report", error=str(error.orig))
    finally:
        engine.dispose()
