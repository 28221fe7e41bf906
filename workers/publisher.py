"""Sends messages to the broker, from the dispatcher only: one connection, no retries of its own."""

from typing import Any

from celery import Celery
from kombu import Connection, Producer
from kombu.exceptions import KombuError

from sweeps.errors import QueueUnavailableError
from sweeps.queue.messages import REPLAY_CHUNK_TASK, RUN_JOB_TASK
from sweeps.queue.reconcile import ChunkRef

AHEAD, IN_TURN, BEHIND = 0, 3, 6
"""Priorities of messages: over Redis the lowest number is taken first, and each step has its own list."""


class CeleryQueue:
    """The task queue over Celery: a failed send drops the connection, the next one opens another."""

    def __init__(self, app: Celery) -> None:
        self._app = app
        self._connection: Connection | None = None
        self._producer: Producer | None = None

    def publish(self, ref: ChunkRef) -> None:
        """Send one message about a chunk; raises QueueUnavailableError if the broker does not take it."""
        name = f"sweep {ref.sweep_id}, chunk {ref.chunk_id}"
        self._publish(REPLAY_CHUNK_TASK, (ref.sweep_id, ref.chunk_id), name, AHEAD if ref.ahead else IN_TURN)

    def publish_job(self, job_id: int, *, behind: bool = False) -> None:
        """Send one message about a job; raises QueueUnavailableError as `publish` does."""
        self._publish(RUN_JOB_TASK, (job_id,), f"job {job_id}", BEHIND if behind else IN_TURN)

    def _publish(self, task: str, args: tuple[int, ...], name: str, priority: int) -> None:
        connection = self._connection or self._app.connection_for_write()
        self._connection = connection
        failures: tuple[type[BaseException], ...] = (
            *connection.connection_errors,
            *connection.channel_errors,
            KombuError,
            OSError,
        )
        try:
            self._send(task, args, name, self._producer_on(connection), priority)
        except failures as error:
            self.close()
            raise QueueUnavailableError(f"{type(error).__name__}: {error}") from error

    def close(self) -> None:
        """Drop the connection."""
        if self._connection is not None:
            self._connection.release()
        self._connection = self._producer = None

    def _producer_on(self, connection: Connection) -> Producer:
        if self._producer is None:
            self._producer = self._app.amqp.Producer(connection.channel())
        return self._producer

    def _send(self, task: str, args: tuple[int, ...], name: str, producer: Any, priority: int) -> None:
        self._app.send_task(task, args=args, argsrepr=name, producer=producer, retry=False, priority=priority)
