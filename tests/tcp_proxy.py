"""A TCP proxy that can be told to delay, swallow, cut or reset what passes through it."""

import asyncio
import contextlib
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit

_LOOPBACK = "127.0.0.1"
_KEEPALIVE_S = 75
_SEND_RESET = struct.pack("ii", 1, 0)


@dataclass(eq=False)
class _Link:
    """One connection through the proxy; `silent` swallows its bytes, and neither end is told."""

    client: asyncio.StreamWriter
    server: asyncio.StreamWriter
    silent: bool = False


class TcpProxy:
    """Passes connections on to `host:port`; every method may be called from any thread."""

    def __init__(self, host: str, port: int) -> None:
        self._target = (host, port)
        self._links: set[_Link] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._delay_s = 0.0
        self._silent = False
        self._refusing = False
        self.port = 0

    def url(self, behind: str) -> str:
        """Return the URL of a server `behind` the proxy, by way of the proxy."""
        parts = urlsplit(behind)
        login, at, _ = parts.netloc.rpartition("@")
        return urlunsplit(parts._replace(netloc=f"{login}{at}{_LOOPBACK}:{self.port}"))

    @property
    def connections(self) -> int:
        return len(self._links)

    def delay(self, seconds: float) -> None:
        """Hold back everything by `seconds`."""
        self._delay_s = seconds

    def swallow(self, *, new: bool = False) -> None:
        """Let the bytes of the connections that exist disappear, and of `new` ones as well if asked to."""
        self._silent = new
        self._call(self._silence)

    def cut(self) -> None:
        """Close the connections that exist."""
        self._call(self._close_all)

    def reset(self) -> None:
        """Reset the connections that exist, as a rebooted machine would."""
        self._call(lambda: self._close_all(with_reset=True))

    def refuse(self) -> None:
        """Reset the connections that exist, and close each new one at once."""
        self._refusing = True
        self.reset()

    def restore(self) -> None:
        """Pass new connections on again, at once; the swallowed ones stay lost."""
        self._delay_s, self._silent, self._refusing = 0.0, False, False

    async def serve(self, ready: Callable[[], None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._stopped = asyncio.Event()
        server = await asyncio.start_server(self._accept, _LOOPBACK, self.port)
        self.port = server.sockets[0].getsockname()[1]
        ready()
        await self._stopped.wait()
        server.close()
        self._close_all()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.sleep(0)  # aborted transports close in the next turn of the loop

    def stop(self) -> None:
        self._call(self._stopped.set)

    def _call(self, change: Callable[[], None]) -> None:
        done = threading.Event()

        def apply() -> None:
            change()
            done.set()

        self._loop.call_soon_threadsafe(apply)
        assert done.wait(5)

    def _silence(self) -> None:
        for link in self._links:
            link.silent = True

    def _close_all(self, *, with_reset: bool = False) -> None:
        for link in self._links:
            for writer in (link.client, link.server):
                if with_reset:
                    sock = writer.get_extra_info("socket")
                    with contextlib.suppress(OSError):  # one end of a silent link may be closed already
                        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _SEND_RESET)
                writer.transport.abort() if with_reset else writer.close()

    async def _accept(self, reader: asyncio.StreamReader, client: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        self._tasks.add(task)
        try:
            # Python before 3.12 prints what a cancelled task of a stream server was cancelled with.
            with contextlib.suppress(asyncio.CancelledError):
                await self._carry(reader, client)
        finally:
            self._tasks.discard(task)

    async def _carry(self, reader: asyncio.StreamReader, client: asyncio.StreamWriter) -> None:
        if self._refusing:
            client.transport.abort()
            return
        try:
            answers, server = await asyncio.open_connection(*self._target)
        except OSError:
            client.transport.abort()
            return
        link = _Link(client, server, self._silent)
        self._links.add(link)
        try:
            await asyncio.gather(self._pump(reader, server, link), self._pump(answers, client, link))
        finally:
            self._links.discard(link)
            for writer in (client, server):
                writer.transport.abort()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, link: _Link) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65_536):
                if self._delay_s:
                    await asyncio.sleep(self._delay_s)
                if not link.silent:
                    writer.write(data)
                    await writer.drain()
        # An end that is closed while the link is silent is noticed at the other as late as by keepalives.
        if link.silent:
            await asyncio.sleep(_KEEPALIVE_S)
        writer.close()


@contextlib.contextmanager
def tcp_proxy(host: str, port: int) -> Iterator[TcpProxy]:
    """Run a proxy to `host:port` in a thread of its own."""
    proxy = TcpProxy(host, port)
    ready = threading.Event()
    thread = threading.Thread(target=lambda: asyncio.run(proxy.serve(ready.set)), daemon=True)
    thread.start()
    assert ready.wait(10)
    try:
        yield proxy
    finally:
        proxy.stop()
        thread.join(10)
