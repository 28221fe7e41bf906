"""Watchdog: a process that gets no answer is ended, to be started again with new connections.

A database behind a proxy or a firewall can fall silent while its connections look alive; no driver notices.
The interpreter's own watchdog ends the process, so that a call which never gives way cannot keep it alive.
"""

import faulthandler
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from types import FrameType

_LEAST_SECONDS = 0.001
_deadlines: dict[object, float] = {}
_lock = threading.RLock()
"""Reentrant: a signal may come while its own thread holds it."""


@contextmanager
def limited(seconds: float) -> Iterator[None]:
    """End this process with status 1 and its stacks on stderr if the block takes longer; 0 is no limit.

    Several threads may be limited at the same time.
    """
    if not seconds:
        yield
        return
    block = object()
    _set(block, time.monotonic() + seconds)
    try:
        yield
    finally:
        _set(block, None)


def end_within(seconds: float) -> None:
    """End this process with status 1 and its stacks on stderr unless it has ended by then."""
    _set(end_within, time.monotonic() + seconds)


def bound_shutdown(seconds: float, *signals: signal.Signals) -> None:
    """Have each of the signals that ask this process to end also limit the time until it has ended.

    Call it in the main thread, once the process has set up its own handling of signals; a signal that it
    leaves to the system, or that Python turns into KeyboardInterrupt, ends it anyway.
    """
    for number in signals:
        handler = signal.getsignal(number)
        if callable(handler) and handler is not signal.default_int_handler:
            signal.signal(number, partial(_end, seconds, handler))


def _end(seconds: float, handler: Callable[..., object], number: int, frame: FrameType | None) -> None:
    end_within(seconds)
    handler(number, frame)


def _set(block: object, deadline: float | None) -> None:
    with _lock:
        if deadline is None:
            _deadlines.pop(block, None)
        else:
            _deadlines[block] = deadline
        if _deadlines:
            left = min(_deadlines.values()) - time.monotonic()
            faulthandler.dump_traceback_later(max(left, _LEAST_SECONDS), exit=True)
        else:
            faulthandler.cancel_dump_traceback_later()


def _forget() -> None:
    """Begin anew in a forked child, whose limits are its own."""
    global _lock  # noqa: PLW0603 - another thread of the parent may hold the old one for ever
    _lock = threading.RLock()
    _deadlines.clear()


os.register_at_fork(after_in_child=_forget)
