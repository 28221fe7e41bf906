"""Worker processes of the sweep service; `celery -A workers worker` starts here."""

import contextlib
import os
import signal
import threading
from collections.abc import Iterator

from bot.numbers.blas_threads import use_one_thread

_INTERRUPTED = 130


@contextlib.contextmanager
def _left_at_once() -> Iterator[None]:
    """End the process on Ctrl-C without a traceback while there is nothing that could be stopped yet."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, lambda *_: os._exit(_INTERRUPTED))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


with _left_at_once():
    use_one_thread()
    from workers.app import app

__all__ = ["app"]
