"""The command `carrygrid`; nothing else is loaded before Ctrl-C is taken care of."""

import os
import sys
from _signal import SIG_BLOCK, SIGINT, SIGUSR1, pthread_sigmask, signal  # type: ignore[import-not-found]

INTERRUPTED = 130

# A session closes everything on this signal; one that comes while it is being started waits for it.
if sys.argv[1:2] == ["paper"]:
    pthread_sigmask(SIG_BLOCK, {SIGUSR1})


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and leave with its exit status: 0 done, 2 bad input, 130 Ctrl-C, 1 anything else.

    Without `arguments` those of the process are taken, which then belongs to the command: its signal handlers
    and standard streams are set up as well.
    """
    owns_process = arguments is None
    if owns_process:
        leave_on_interrupt()

    from carrygrid.cli.app import app
    from carrygrid.cli.failures import run

    sys.exit(run(app, sys.argv[1:] if arguments is None else arguments, owns_process=owns_process))


def leave_on_interrupt() -> None:
    """End the process on Ctrl-C without a word, for times at which there is nothing to close.

    Code that is being loaded must not see an exception: it prints a traceback, or makes another error of it.
    """
    signal(SIGINT, lambda *_: os._exit(INTERRUPTED))
