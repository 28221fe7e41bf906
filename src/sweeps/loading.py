"""Loading of a service's modules at the start of its processes."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def modules_only() -> Iterator[None]:
    """Look for no garbage while modules are loaded, a tenth of the time of a start, nor in them afterwards.

    What is there at the end stays to the end of the process; those forked off it go on sharing its pages.
    """
    collects = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if collects:
            gc.enable()
