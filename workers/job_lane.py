"""A process of each pool that does jobs only, so that no backtest waits for the chunks of a sweep.

A worker with `--concurrency N` has N processes for chunks and jobs alike, and one more that takes nothing but
jobs. The broker hands each of the two its own messages: N of both queues, one of the queue of jobs.
"""

import time
from typing import Any

from celery import bootsteps
from celery.worker.consumer import Consumer
from kombu import Consumer as MessageConsumer
from kombu import Exchange, Queue
from kombu.common import ignore_errors

from sweeps.queue.messages import JOB_QUEUE

SPARE_PROCESSES = 1
EVENTS_PERIOD_S = 0.2
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
    """Celery's consumer, which takes as many messages as there are processes, but for the spare one.

    It sends what Flower hears of tasks every `EVENTS_PERIOD_S` rather than one event at a time: short tasks
    cost the main process, the broker and Flower more than anything else about them.
    """

    pool: Any
    controller: Any
    hub: Any
    event_dispatcher: Any
    prefetch_multiplier: int
    _flushed_s: float = 0.0

    def on_send_event_buffered(self) -> Any:
        """Have events sent in a moment, with those that come until then."""
        now_s = time.monotonic()
        # The time is checked as well: a lost connection may have lost the timer.
        if self.hub and now_s >= self._flushed_s:
            self._flushed_s = now_s + EVENTS_PERIOD_S
            self.hub.call_later(EVENTS_PERIOD_S, self._send_events)

    def shutdown(self) -> None:
        """End, once what is left of the events is sent."""
        consumer: Any = self
        ignore_errors(consumer, self._send_events)
        super().shutdown()

    def _send_events(self) -> None:
        if self.event_dispatcher:
            self.event_dispatcher.flush()

    @property
    def max_prefetch_count(self) -> int:
        """Most messages taken at a time once a lost connection is back."""
        processes: int = self.pool.num_processes - spare_processes(self.controller)
        return processes * self.prefetch_multiplier
