"""The consumer of a worker: events of tasks go to the broker some at a time."""

from collections.abc import Callable
from types import SimpleNamespace

import pytest

from workers import job_lane
from workers.job_lane import EVENTS_PERIOD_S, ChunkConsumer


class Hub:
    """An event loop that is told what to call later."""

    def __init__(self) -> None:
        self.timers: list[tuple[float, Callable[[], None]]] = []

    def call_later(self, delay_s: float, call: Callable[[], None]) -> None:
        """Note a call."""
        self.timers.append((delay_s, call))


def test_events_of_a_moment_are_sent_together_and_a_lost_timer_holds_up_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now_s, sent = [100.0], []
    monkeypatch.setattr(job_lane, "time", SimpleNamespace(monotonic=lambda: now_s[0]))
    consumer = ChunkConsumer.__new__(ChunkConsumer)
    consumer.hub = hub = Hub()
    consumer.event_dispatcher = SimpleNamespace(flush=lambda: sent.append(now_s[0]))
    for _ in range(5):
        consumer.on_send_event_buffered()
    [(delay_s, flush)] = hub.timers
    assert (delay_s, sent) == (EVENTS_PERIOD_S, [])
    now_s[0] += EVENTS_PERIOD_S
    flush()
    assert sent == [100.0 + EVENTS_PERIOD_S]
    consumer.on_send_event_buffered()
    now_s[0] += EVENTS_PERIOD_S  # and its timer never rings
    consumer.on_send_event_buffered()
    assert len(hub.timers) == 3
