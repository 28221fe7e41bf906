"""Supervisor of processes that records its restarts."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from service import Process


@dataclass
class Death:
    """A kept process that ended: negative statuses are the numbers of signals."""

    name: str
    status: int


@dataclass
class Keeper:
    """Starts again what has died, until it is dismissed."""

    deaths: list[Death] = field(default_factory=list)
    processes: dict[str, Process] = field(default_factory=dict)
    _starts: dict[str, Callable[[], Process]] = field(default_factory=dict)
    _lock: threading.RLock = field(default_factory=threading.RLock)
    _dismissed: threading.Event = field(default_factory=threading.Event)

    def keep(self, name: str, start: Callable[[], Process]) -> Process:
        """Start a process, and again whenever it has ended."""
        with self._lock:
            self._starts[name] = start
            self.processes[name] = start()
        return self.processes[name]

    def forsake(self, name: str) -> Process:
        """Leave a process to itself from now on, and return it."""
        with self._lock:
            del self._starts[name]
            return self.processes.pop(name)

    def has_replaced(self, process: Process) -> bool:
        """Return whether another process runs in its place."""
        with self._lock:
            return process not in self.processes.values()

    def watch(self) -> None:
        """Restart until dismissed."""
        while not self._dismissed.wait(0.1):
            with self._lock:
                for name, process in self.processes.items():
                    if (status := process.poll()) is not None:
                        self.deaths.append(Death(name, status))
                        self.processes[name] = self._starts[name]()

    def dismiss(self) -> None:
        self._dismissed.set()
