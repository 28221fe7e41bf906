"""The worker application with sweeps that do their process harm, for `celery -A poisoned worker`.

What they do is written in their names, see `harms`. Patches what a worker calls, and nothing else.
"""

import ctypes
import os
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from harms import BUSY_S, CHILD_MEMORY, COMMITTING, SLOW_COMMIT, orders_of

from sweeps.work import replay, runner
from workers.app import app


class OddError(BaseException):
    """Nothing that anybody expects, and nothing that can be pickled."""

    def __init__(self) -> None:
        super().__init__(lambda: None)


def _hang() -> None:
    while True:
        time.sleep(0.01)


def _hang_deaf() -> None:
    while True:
        try:
            _hang()
        except Exception:  # noqa: BLE001 - the fault itself: it swallows the soft limit
            time.sleep(0.01)


def _hang_like_stone() -> None:
    while True:
        try:
            _hang()
        except BaseException:  # noqa: BLE001 - the fault itself: nothing that is raised ends it
            time.sleep(0.01)


def _be_busy() -> None:
    """Take longer than a lease, without giving way to anything but another thread."""
    until = time.monotonic() + BUSY_S
    while time.monotonic() < until:
        pass


def _wedge() -> None:
    """Hold the interpreter's lock in a call that neither ends nor can be interrupted."""
    library, lock = ctypes.PyDLL(None), ctypes.create_string_buffer(64)
    library.pthread_mutex_lock(lock)
    library.pthread_mutex_lock(lock)


def _raise(error: BaseException) -> Callable[[], None]:
    def act() -> None:
        raise error

    return act


def _recurse() -> None:
    _recurse()


_leaked: list[bytes] = []
_HARMS: Mapping[str, Callable[[], object]] = {
    "exit": lambda: os._exit(11),
    "kill": lambda: os.kill(os.getpid(), signal.SIGKILL),
    "segfault": lambda: ctypes.string_at(0),
    "memory": lambda: bytearray(8 * 1024**3),
    "memory_error": _raise(MemoryError()),
    "leak": lambda: _leaked.append(os.urandom(5 * 1024**2)),
    "hang": _hang,
    "deaf": _hang_deaf,
    "stone": _hang_like_stone,
    "wedge": _wedge,
    "busy": _be_busy,
    "system_exit": _raise(SystemExit(3)),
    "interrupt": _raise(KeyboardInterrupt()),
    "recursion": _recurse,
    "odd": _raise(OddError()),
}

_CRASH_KERNEL = "kernel"
"""The harm that a trial does in the compiled kernel only."""

_window_groups = replay.window_groups
_replay_batch = runner.replay_batch
_leaders = runner.leaders
_crashing: set[int] = set()


def _poisoned_trials(spec: Any, numbers: Sequence[int]) -> Any:
    orders = orders_of(spec.name)
    for number in numbers:
        if orders.trial_ms:
            time.sleep(orders.trial_ms / 1000)
        harm = orders.trials.get(str(number)) or orders.trials.get("all")
        if harm == _CRASH_KERNEL:
            _crashing.add(number)
        elif harm:
            _HARMS[harm]()
    return _window_groups(spec, numbers)


def _poisoned_batch(groups: Sequence[replay.Prepared]) -> Any:
    in_kernel = [group for group in groups if group.held.kernel is not None]
    if any(_crashing.intersection(group.numbers()) for group in in_kernel):
        _HARMS["segfault"]()
    return _replay_batch(groups)


def _poisoned_chunk(connection: sa.Connection, sweep_id: int, spec: Any) -> Sequence[Any]:
    if harm := orders_of(spec.name).outside:
        _HARMS[harm]()
    return _leaders(connection, sweep_id, spec)


replay.window_groups = _poisoned_trials
runner.replay_batch = _poisoned_batch
runner.leaders = _poisoned_chunk

if limit := os.environ.get(CHILD_MEMORY):
    app.conf.worker_max_memory_per_child = int(limit)

if seconds := os.environ.get(SLOW_COMMIT):

    @sa.event.listens_for(sa.Engine, "before_cursor_execute")
    def _note_results(connection: sa.Connection, _cursor: Any, statement: str, *_: Any) -> None:
        connection.info["has_results"] = "INSERT INTO trial_block " in statement or connection.info.get(
            "has_results"
        )

    @sa.event.listens_for(sa.Engine, "commit")
    def _commit_slowly(connection: sa.Connection) -> None:
        if connection.info.pop("has_results", None):
            print(COMMITTING, flush=True)
            time.sleep(float(seconds))
