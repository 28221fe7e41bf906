"""The machine's network interfaces, which no test may change while a browser of another one loads a page."""

import fcntl
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_LOCK = Path(tempfile.gettempdir()) / "carrygrid-tests-interfaces.lock"


@contextmanager
def interfaces(*, changing: bool) -> Iterator[None]:
    """Keep the interfaces as they are, beside others that do, or have them alone to change them.

    Chromium gives up every request that is under way when an interface comes or goes (ERR_NETWORK_CHANGED),
    so that a page misses a script.
    """
    with _LOCK.open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX if changing else fcntl.LOCK_SH)
        yield
