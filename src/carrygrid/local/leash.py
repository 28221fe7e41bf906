"""Tie a process to its parent: when the parent dies, however it dies, the kernel ends the child.

Run as `python -m carrygrid.local.leash PARENT_PID SIGNAL COMMAND...`: it ties itself, then becomes COMMAND.
"""

import ctypes
import os
import signal
import sys
from collections.abc import Sequence

LEASH_PID = "CARRYGRID_LEASH_PID"
"""Variable in which the command finds its own process id, to pass on to the children it leashes."""

_PR_SET_PDEATHSIG = 1


def command(parent_pid: int | str, death_signal: signal.Signals, argv: Sequence[str]) -> list[str]:
    """Return `argv` wrapped so that it gets `death_signal` when `parent_pid` ends."""
    return [sys.executable, "-m", __spec__.name, str(parent_pid), death_signal.name, *argv]


def tie_to_parent(parent_pid: int, death_signal: signal.Signals) -> bool:
    """Ask for `death_signal` at the parent's end; return False if `parent_pid` is gone already.

    Only Linux can do this; elsewhere it changes nothing. The setting survives exec.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, int(death_signal), 0, 0, 0)
    return os.getppid() == parent_pid


def _main(arguments: Sequence[str]) -> None:
    parent_pid, death_signal, *argv = arguments
    if not tie_to_parent(int(parent_pid), signal.Signals[death_signal]):
        sys.exit(f"parent {parent_pid} has ended")
    os.environ[LEASH_PID] = str(os.getpid())
    os.execvp(argv[0], argv)  # noqa: S606 - the command is our own, and no shell is wanted


if __name__ == "__main__":
    _main(sys.argv[1:])
