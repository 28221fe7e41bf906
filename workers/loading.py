"""Loading of the modules of a worker, a dispatcher or a monitor."""

import contextlib
import os
import signal
import threading
from collections.abc import Iterator

from sweeps.loading import modules_only

_INTERRUPTED = 130


@contextlib.contextmanager
def left_at_once() -> Iterator[None]:
    """End the process on Ctrl-C without a traceback while there is nothing that could be stopped yet."""
    with modules_only():
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = signal.signal(signal.SIGINT, lambda *_: os._exit(_INTERRUPTED))
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, before)
