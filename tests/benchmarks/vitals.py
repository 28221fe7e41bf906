"""Memory and open files of every process of a running service, its broker and its database, over time."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import redis
from harness import Installation

_MIB = 1024 * 1024
_WARM_UP = 0.25
"""The part of a process's life that is left out of its slope: caches fill, modules are imported."""


@dataclass
class Series:
    """Values of one quantity over time; seconds since the start."""

    at_s: list[float] = field(default_factory=list)
    values: list[float] = field(default_factory=list)

    def add(self, at_s: float, value: float) -> None:
        self.at_s.append(round(at_s, 1))
        self.values.append(round(value, 2))

    def summary(self) -> dict[str, float | None]:
        """Return first, last and largest value, and the slope an hour after the warm-up."""
        begin = int(len(self.values) * _WARM_UP)
        slope = None
        if len(self.values) - begin >= 10:
            hours = np.array(self.at_s[begin:]) / 3600
            slope = round(float(np.polyfit(hours, np.array(self.values[begin:]), 1)[0]), 2)
        return {
            "first": self.values[0],
            "last": self.values[-1],
            "largest": max(self.values),
            "slope_per_hour": slope,
        }


class Vitals:
    """Looks at the processes again and again; those that are killed all the time live too short to tell."""

    def __init__(self, running: Installation, lasting: Sequence[str]) -> None:
        self._running = running
        self._lasting = lasting
        self.series: dict[str, Series] = {}

    def look(self, at_s: float) -> None:
        """Take one sample of everything."""
        for name in self._lasting:
            pid = self._running.keeper.processes[name].pid
            self._add_process(at_s, name, pid)
            pool = [found for pid in self._running.pool_of(pid) if (found := _memory_mib(pid))]
            if pool and name.startswith("worker-"):
                self._add(at_s, f"{name}, largest pool process MiB", max(pool))
        broker = self._running.broker.process
        if broker:
            self._add_process(at_s, "broker", broker.pid)
        self._look_into_broker(at_s)
        for path in sorted(self._running.service.logs.glob("*.db*")):
            if not path.name.endswith("-shm"):
                self._add(at_s, f"{path.name} MiB", path.stat().st_size / _MIB)

    def document(self) -> dict[str, Any]:
        """Return the summary of every quantity by name."""
        return {name: series.summary() for name, series in sorted(self.series.items())}

    def _look_into_broker(self, at_s: float) -> None:
        try:
            with self._running.broker.client() as client:
                found: dict[str, Any] = client.info()
        except redis.RedisError:
            return
        self._add(at_s, "broker connections", found["connected_clients"])
        self._add(at_s, "broker data MiB", found["used_memory"] / _MIB)

    def _add_process(self, at_s: float, name: str, pid: int) -> None:
        memory = _memory_mib(pid)
        if memory:
            self._add(at_s, f"{name} MiB", memory)
            self._add(at_s, f"{name} open files", _open_files(pid))

    def _add(self, at_s: float, name: str, value: float) -> None:
        self.series.setdefault(name, Series()).add(at_s, value)


def _memory_mib(pid: int) -> float:
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except OSError:
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE") / _MIB


def _open_files(pid: int) -> int:
    try:
        return sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir())
    except OSError:
        return 0
