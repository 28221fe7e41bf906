"""Announcements to the dispatcher that something was written, so that it does not wait for its next look."""

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

from sweeps.queue.messages import WRITTEN_CHANNEL

if TYPE_CHECKING:
    import redis.asyncio

_TIMEOUT_S = 1.0


class Announcer:
    """Announces writes over the broker: one that gets lost costs the rest of the dispatcher's pause, no more.

    Nothing waits for an announcement, and writes that come while one is under way share the next one.
    """

    def __init__(self, broker_url: str | None) -> None:
        self._broker_url = broker_url
        self._sending: asyncio.Task[None] | None = None
        self._again = False
        self._client: redis.asyncio.Redis | None = None

    def announce(self) -> None:
        """Announce that something was written."""
        if not self._broker_url:
            return
        self._again = True
        if self._sending is None or self._sending.done():
            self._sending = asyncio.create_task(self._send(self._broker_url))

    async def close(self) -> None:
        """End what is under way, and the connection."""
        if self._sending is not None:
            self._sending.cancel()
            await asyncio.gather(self._sending, return_exceptions=True)
        if self._client is not None:
            await self._client.aclose()

    async def _send(self, broker_url: str) -> None:
        # The client is large, and the start of the API need not wait for it.
        import redis.asyncio  # noqa: PLC0415

        if self._client is None:
            self._client = redis.asyncio.Redis.from_url(
                broker_url, socket_timeout=_TIMEOUT_S, socket_connect_timeout=_TIMEOUT_S
            )
        # The dispatcher looks by itself, and the client connects anew for the next announcement.
        with suppress(redis.RedisError, OSError):
            while self._again:
                self._again = False
                await self._client.publish(WRITTEN_CHANNEL, b"")
