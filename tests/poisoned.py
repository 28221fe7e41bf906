"""The worker application with trials that do their process harm, for `celery -A poisoned worker`.

POISON is a JSON object of what single trials do, by number; TRIAL_MS makes every trial take that long. Both
may be left out. Patches what a worker calls, and nothing else.
"""

import ctypes
import json
import os
import signal
import time
from collections.abc import Callable, Mapping
from typing import Any

from sweeps import replay
from workers.app import app

__all__ = ["app"]

_trial_config = replay.trial_config
_harms = {int(number): harm for number, harm in json.loads(os.environ.get("POISON", "{}")).items()}
_pause_s = float(os.environ.get("TRIAL_MS", "0")) / 1000
_leaked: list[bytes] = []


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


def _raise(error: BaseException) -> Callable[[], None]:
    def act() -> None:
        raise error

    return act


def _recurse() -> None:
    _recurse()


_HARMS: Mapping[str, Callable[[], object]] = {
    "exit": lambda: os._exit(11),
    "kill": lambda: os.kill(os.getpid(), signal.SIGKILL),
    "segfault": lambda: ctypes.string_at(0),
    "memory": lambda: bytearray(8 * 1024**3),
    "leak": lambda: _leaked.append(os.urandom(5 * 1024**2)),
    "hang": _hang,
    "deaf": _hang_deaf,
    "system_exit": _raise(SystemExit(3)),
    "interrupt": _raise(KeyboardInterrupt()),
    "recursion": _recurse,
    "odd": _raise(OddError()),
}


def _poisoned(spec: Any, number: int) -> Any:
    if _pause_s:
        time.sleep(_pause_s)
    if harm := _harms.get(number):
        _HARMS[harm]()
    return _trial_config(spec, number)


replay.trial_config = _poisoned
