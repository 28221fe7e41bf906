"""Announcements to the dispatcher that something was written, so that it does not wait for its next look."""

import asyncio

from sweeps.queue.messages import WRITTEN_CHANNEL

_TIMEOUT_S = 1.0


class Announcer:
    """Announces writes over the broker: one that gets lost costs the rest of the dispatcher's pause, no more.

    Nothing waits for an announcement, and writes that come while one is under way share the next one.
    """

    def __init__(self, broker_url: str | None) -> None:
        self._broker_url = broker_url
        self._sending: asyncio.Task[None] | None = None
        self._again = False

    def announce(self) -> None:
        """Announce that something was written."""
        if not self._broker_url:
            return
        self._again = True
        if self._sending is None or self._sending.done():
            self._sending = asyncio.create_task(self._send(self._broker_url))

    async def close(self) -> None:
        """End what is under way."""
        if self._sending is not None:
            self._sending.cancel()
            await asyncio.gather(self._sending, return_exceptions=True)

    async def _send(self, broker_url: str) -> None:
        # The client is large, and the start of the API need not wait for it.
        import redis.asyncio  # noqa: PLC0415

        client = redis.asyncio.Redis.from_url(
            broker_url, socket_timeout=_TIMEOUT_S, socket_connect_timeout=_TIMEOUT_S
        )
        try:
            while self._again:
                self._again = False
                await client.publish(WRITTEN_CHANNEL, b"")
        except (redis.RedisError, OSError):
            pass  # the dispatcher looks by itself
        finally:
            await client.aclose()
