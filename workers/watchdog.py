"""An end to waiting: a process that gets no answer is ended, to be started again with new connections.

A database behind a proxy or a firewall can fall silent while its connections look alive; no driver notices.
"""

import faulthandler
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def limited(seconds: float) -> Iterator[None]:
    """End this process with status 1 and its stack on stderr if the block takes longer; 0 is no limit."""
    if not seconds:
        yield
        return
    faulthandler.dump_traceback_later(seconds, exit=True)
    try:
        yield
    finally:
        faulthandler.cancel_dump_traceback_later()
