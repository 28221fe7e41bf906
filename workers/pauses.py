"""Pauses of the idle dispatcher, which end early when the API announces that something was written."""

from threading import Event
from typing import Any

import redis

from sweeps.queue.messages import WRITTEN_CHANNEL

_TIMEOUT_S = 1.0


class Pauses:
    """Waits for announcements over the broker, and where it does not answer for the time alone."""

    def __init__(self, broker_url: str, stop: Event) -> None:
        """Take the event that ends the process: it ends a pause without a broker, too."""
        client = redis.Redis.from_url(
            broker_url, socket_timeout=_TIMEOUT_S, socket_connect_timeout=_TIMEOUT_S
        )
        self._announced: Any = client.pubsub(ignore_subscribe_messages=True)  # type: ignore[no-untyped-call]
        self._stop = stop

    def wait(self, seconds: float) -> bool:
        """Wait `seconds`, or until something is announced; return whether it was."""
        try:
            return self._heard(seconds)
        except (redis.RedisError, OSError):
            self._stop.wait(seconds)
            return False

    def _heard(self, seconds: float) -> bool:
        if not self._announced.subscribed:
            self._announced.subscribe(WRITTEN_CHANNEL)
            self._announced.get_message(timeout=_TIMEOUT_S)  # the broker's answer, which is None here
        found = self._announced.get_message(timeout=seconds)
        while found and self._announced.get_message():
            pass  # several announcements count as one
        return found is not None

    def close(self) -> None:
        """Drop the connection."""
        self._announced.close()
