"""The command `carrygrid`."""

import signal
import sys
from collections.abc import Sequence

# A session closes everything on this signal; one that comes while it is being started waits for it.
if sys.argv[1:2] == ["paper"]:
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})

from api.cli.app import app
from api.cli.failures import run


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and leave with its exit status: 0 done, 2 bad input, 1 anything else."""
    sys.exit(run(app, sys.argv[1:] if arguments is None else arguments))
