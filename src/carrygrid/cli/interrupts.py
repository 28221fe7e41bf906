"""Ctrl-C while a command runs: an exception that no library can hide."""

import os
import signal
import sys
from threading import Timer, main_thread

from carrygrid.cli import INTERRUPTED

_AGAIN_S = 0.01


class _Seen:
    """Interrupt that was raised, which a library may have turned into another error since."""

    interrupt = False


def raise_interrupts() -> None:
    """Raise KeyboardInterrupt on Ctrl-C, once more if it came where Python reports and ignores errors."""
    signal.signal(signal.SIGINT, raise_interrupt)
    sys.unraisablehook = _unraisable


def raise_interrupt(*_: object) -> None:
    """Handle a signal as Ctrl-C: raise KeyboardInterrupt and remember it."""
    _Seen.interrupt = True
    raise KeyboardInterrupt


def leave_if_interrupted() -> None:
    """End the process if an interrupt was raised, of which the error that ends it is a consequence."""
    if _Seen.interrupt:
        os._exit(INTERRUPTED)


def _unraisable(found: "sys.UnraisableHookArgs", /) -> None:
    if found.exc_type is KeyboardInterrupt:
        Timer(_AGAIN_S, signal.pthread_kill, (main_thread().ident, signal.SIGINT)).start()
    else:
        sys.__unraisablehook__(found)
