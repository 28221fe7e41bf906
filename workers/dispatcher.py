"""The dispatcher process: `python -m workers.dispatcher`."""

import os
import signal
import sys
from threading import Event

from workers.loading import left_at_once

with left_at_once():
    import sqlalchemy as sa
    import structlog

    from bot.errors import BotError
    from bot.market_store.database import open_engine
    from sweeps.jobs.job_dispatcher import JobDispatcher
    from sweeps.logs import configure_logging
    from sweeps.migrations import migrate
    from sweeps.watchdog import bound_shutdown, limited
    from sweeps.work.dispatch import BUSY_PERIOD_S, IDLE_PERIOD_S, Dispatcher, Step
    from workers.app import app, process_name
    from workers.pauses import Pauses
    from workers.publisher import CeleryQueue
    from workers.settings import WorkerSettings, worker_settings

log = structlog.get_logger()

SHUTDOWN_S = 8
_SIGNALS = (signal.SIGTERM, signal.SIGINT)
_RETRY_PERIOD_S = 2.0


def run(settings: WorkerSettings, stop: Event) -> None:
    """Dispatch until `stop` is set; raises StoreError if the database cannot be used at the start."""
    settings.make_home()
    engine = open_engine(settings.database, pool_size=1)
    migrate(engine)
    queue = CeleryQueue(app)
    instance = f"{process_name()}#{os.getpid()}"
    dispatcher = Dispatcher(engine, queue, instance, republish_ms=int(settings.republish_s * 1000))
    log.info("dispatcher started", database=engine.url.render_as_string())
    jobs = JobDispatcher(engine, queue)
    pauses = Pauses(settings.broker, stop)
    while not stop.is_set():
        with limited(settings.stall_limit_s):
            step = _turn(dispatcher, jobs)
        if step is None:
            stop.wait(_RETRY_PERIOD_S)
        elif step.idle:
            pauses.wait(IDLE_PERIOD_S)
        else:  # announcements during a pass wait: many sweeps are published in batches
            stop.wait(BUSY_PERIOD_S)
    _retire(dispatcher)
    pauses.close()
    queue.close()
    engine.dispose()


def _turn(dispatcher: Dispatcher, jobs: JobDispatcher) -> Step | None:
    """Return what was done, None if the database does not answer."""
    try:
        jobs.step()
        return dispatcher.step()
    except sa.exc.DBAPIError as error:
        log.warning("database does not answer, retrying", error=str(error.orig))
        return None


def _retire(dispatcher: Dispatcher) -> None:
    try:
        dispatcher.retire()
    except sa.exc.DBAPIError as error:
        log.warning("dispatcher could not sign off", error=str(error.orig))


def main() -> int:
    """Run until SIGTERM or SIGINT; return the exit status."""
    settings = worker_settings()
    configure_logging(settings.log_level, settings.log_format)
    stop = Event()
    for number in _SIGNALS:
        signal.signal(number, lambda *_: stop.set())
    bound_shutdown(SHUTDOWN_S, *_SIGNALS)
    try:
        run(settings, stop)
    except BotError as error:
        print(f"error: {error.message}", file=sys.stderr)  # noqa: T201 - the one line of a refused start
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
