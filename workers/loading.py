"""Loading of the modules of a worker, a dispatcher or a monitor."""

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Iterator
from typing import Any

from sweeps.loading import modules_only

_INTERRUPTED = 130
_FOR_TERMINALS = ("pygments", "rich")


@contextlib.contextmanager
def left_at_once() -> Iterator[None]:
    """End the process on Ctrl-C without a traceback while there is nothing that could be stopped yet.

    Loaded is what a service needs: libraries find none to draw in colours with.
    """
    with modules_only(), _without(_FOR_TERMINALS):
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = signal.signal(signal.SIGINT, lambda *_: os._exit(_INTERRUPTED))
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, before)


@contextlib.contextmanager
def _without(names: tuple[str, ...]) -> Iterator[None]:
    """Let modules load as they do where some others, unless these are loaded, are not installed.

    structlog and Celery load what they can draw with, which nobody asks of a service: some 5 MiB in each
    process of a pool.
    """
    modules: dict[str, Any] = sys.modules
    hidden = [name for name in names if name not in modules]
    modules.update(dict.fromkeys(hidden))
    try:
        yield
    finally:
        for name in hidden:
            del modules[name]
