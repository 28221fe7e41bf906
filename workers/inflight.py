"""The work in flight in each pool process, in memory that it shares with the main process of its worker.

What a process wrote there outlives it: the main process renews leases by it, ends what does not end by
itself, and knows which trial a process was at when it died.
"""

import ctypes
import mmap
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

_SLOTS = 4096
"""One for each fork, used again after so many."""
_NANOSECONDS = 1_000_000_000


class _Slot(ctypes.Structure):
    _fields_ = (
        ("pid", ctypes.c_int64),
        ("sweep_id", ctypes.c_int64),
        ("chunk_id", ctypes.c_int64),
        ("token", ctypes.c_int64),
        ("claimed_ns", ctypes.c_int64),
        ("first", ctypes.c_int64),
        ("count", ctypes.c_int64),
        ("limit_ms", ctypes.c_int64),
        ("deadline_ns", ctypes.c_int64),
        ("hung", ctypes.c_int64),
        ("task", ctypes.c_char * 64),
    )


_slots = (_Slot * _SLOTS).from_buffer(mmap.mmap(-1, ctypes.sizeof(_Slot) * _SLOTS))
_forks = [0]


@dataclass(frozen=True, slots=True)
class InFlight:
    """A task in work: its claim (`token` 0 before there is one), and the `count` trials from `first` on.

    A job is chunk of sweep 0, its attempt the token. Times are of `time.monotonic_ns`; `deadline_ns` is when
    the limit of `limit_s` seconds is up, 0 for none; `hung` says that the main process ended it for that.
    """

    pid: int
    task: str
    sweep_id: int
    chunk_id: int
    token: int
    claimed_ns: int
    first: int
    count: int
    limit_s: float
    deadline_ns: int
    hung: bool

    @property
    def trial(self) -> int | None:
        """Number of the one trial in work, None if there is none or more than one."""
        return self.first if self.count == 1 else None

    @property
    def job_id(self) -> int | None:
        """Number of the job in work, None if it is a chunk."""
        return None if self.sweep_id else self.chunk_id

    def is_overdue(self, seconds: float = 0) -> bool:
        """Return whether the limit was up `seconds` ago."""
        late_ns = int(seconds * _NANOSECONDS)
        return bool(self.deadline_ns) and time.monotonic_ns() >= self.deadline_ns + late_ns


@contextmanager
def task_in_flight(task_id: str, outside_limit_s: float) -> Iterator[None]:
    """Show a task of this process; what it does outside of trials may take `outside_limit_s`, 0 for ever."""
    slot = _slots[_forks[0] % _SLOTS]
    slot.token = slot.count = slot.hung = 0
    slot.pid = os.getpid()
    slot.task = task_id.encode()[:63]
    show_limit(outside_limit_s)
    try:
        yield
    finally:
        slot.deadline_ns = slot.token = 0
        slot.task = b""


def show_claim(sweep_id: int, chunk_id: int, token: int) -> None:
    """Show the claim of this process's task."""
    slot = _slots[_forks[0] % _SLOTS]
    slot.token = 0
    slot.sweep_id, slot.chunk_id = sweep_id, chunk_id
    slot.claimed_ns = time.monotonic_ns()
    slot.token = token


def show_limit(seconds: float, first: int = 0, count: int = 0) -> None:
    """Show which trials are in work, if any, and how long that may take, 0 for ever."""
    slot = _slots[_forks[0] % _SLOTS]
    slot.deadline_ns = 0
    slot.first, slot.count, slot.limit_ms = first, count, int(seconds * 1000)
    slot.deadline_ns = time.monotonic_ns() + int(seconds * _NANOSECONDS) if seconds else 0


def in_flight() -> list[InFlight]:
    """Return the work in flight of this process and its children, including children that died of it."""
    return [_read(slot) for slot in _used() if slot.task]


def forget_task(task_id: str) -> InFlight | None:
    """Return the work in flight of that task, whose process has died, and clear its slot."""
    slot = _slot_of(task_id)
    if slot is None:
        return None
    found = _read(slot)
    slot.task = b""
    return found


def mark_hung(task_id: str) -> None:
    """Note that a process is ended because it hangs: others too may be past their limit once reported."""
    if slot := _slot_of(task_id):
        slot.hung = 1


def _used() -> list[_Slot]:
    return _slots[: min(_forks[0] + 1, _SLOTS)]


def _slot_of(task_id: str) -> _Slot | None:
    return next((slot for slot in _used() if slot.task == task_id.encode()), None)


def _read(slot: _Slot) -> InFlight:
    return InFlight(
        pid=slot.pid,
        task=slot.task.decode(),
        sweep_id=slot.sweep_id,
        chunk_id=slot.chunk_id,
        token=slot.token,
        claimed_ns=slot.claimed_ns,
        first=slot.first,
        count=slot.count,
        limit_s=slot.limit_ms / 1000,
        deadline_ns=slot.deadline_ns,
        hung=bool(slot.hung),
    )


def _count_fork() -> None:
    _forks[0] += 1


os.register_at_fork(before=_count_fork)
