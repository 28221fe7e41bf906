"""A bound on the shutdown of a worker: nothing that it waits for, broker, database or trial, can keep it."""

import signal
from typing import Any

from celery import bootsteps

from sweeps.watchdog import bound_shutdown
from workers.settings import worker_settings

AFTER_SOFT_SHUTDOWN_S = 10


class BoundedShutdown(bootsteps.StartStopStep):
    """Ends the worker some seconds after the time that its tasks are given; its chunks are free by then or
    once their leases have run out.
    """

    requires = ("celery.worker.components:Pool",)

    def start(self, _worker: Any) -> None:
        """Take over the signals, which Celery has set up by now."""
        seconds = worker_settings().soft_shutdown_s + AFTER_SOFT_SHUTDOWN_S
        bound_shutdown(seconds, signal.SIGTERM, signal.SIGINT, signal.SIGQUIT)

    def stop(self, _worker: Any) -> None:
        """Leave the bound in force."""

    def terminate(self, _worker: Any) -> None:
        """Leave the bound in force."""
