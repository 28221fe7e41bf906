"""A process of each pool that does jobs only, so that nobody's backtest waits for the chunks of a sweep.

A worker with `--concurrency N` has N processes for chunks and jobs alike, and one more that takes nothing but
jobs. The broker hands each of the two its own messages: N of both queues, one of the queue of jobs.
"""

from typing import Any

from celery import bootsteps
from celery.worker.consumer import Consumer
from kombu import Consumer as MessageConsumer
from kombu import Exchange, Queue

from sweeps.queue.messages import JOB_QUEUE

SPARE_PROCESSES = 1
JOBS = Queue(JOB_QUEUE, Exchange(JOB_QUEUE), routing_key=JOB_QUEUE)
"""Named in full: Celery would bind it to the exchange of the first queue, and each would get all messages."""
_PREFORK = "celery.concurrency.prefork"


def spare_processes(worker: Any) -> int:
    """Return the number of a pool's processes that take jobs only; only a pool of forked ones has any."""
    has_spare = worker.pool_cls.__module__ == _PREFORK and not worker.autoscale
    return SPARE_PROCESSES if has_spare else 0


class SpareProcess(bootsteps.Step):
    """Makes the pool one process larger than the number of messages that the worker takes at a time."""

    requires = ("celery.worker.components:Pool",)

    def __init__(self, worker: Any, **options: Any) -> None:
        worker.min_concurrency += spare_processes(worker)
        super().__init__(worker, **options)


class JobLane(bootsteps.ConsumerStep):
    """Takes jobs, one at a time, whatever else the worker does; by a channel that counts for itself."""

    requires = ("celery.worker.consumer.tasks:Tasks",)

    def __init__(self, consumer: Any, **options: Any) -> None:
        self._consumer = consumer
        super().__init__(consumer, **options)

    def get_consumers(self, channel: Any) -> list[MessageConsumer]:
        """Return the one consumer of this lane."""
        if not spare_processes(self._consumer.controller):
            return []
        return [
            MessageConsumer(
                channel,
                queues=[JOBS],
                accept=["json"],
                prefetch_count=SPARE_PROCESSES,
                on_message=self._consumer.create_task_handler(),
                on_decode_error=self._consumer.on_decode_error,
            )
        ]


class ChunkConsumer(Consumer):
    """Celery's consumer, which takes as many messages as there are processes, but for the spare one."""

    pool: Any
    controller: Any
    prefetch_multiplier: int

    @property
    def max_prefetch_count(self) -> int:
        """Most messages taken at a time once a lost connection is back."""
        processes: int = self.pool.num_processes - spare_processes(self.controller)
        return processes * self.prefetch_multiplier
