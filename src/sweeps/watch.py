"""Limits of what a worker process does, and what it shows of its work to those who watch it.

One limit judges a trial: `trial_timeout_s` of its sweep, else that of the service.
"""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

TRIAL_TIMEOUT_S = 600
"""Unless the sweep or CARRYGRID_TRIAL_TIMEOUT_S says otherwise."""

MAX_TRIAL_TIMEOUT_S = 86_400
TIMEOUT = "timeout"
"""Error code of trials and jobs that were ended at their limit."""


class TimeLimitError(BaseException):
    """A limit that is up; no Exception, so that nobody's `except Exception` swallows it."""


class Watch(Protocol):
    """Ends what takes too long, and shows from outside what a process has claimed and works on."""

    def claimed(self, sweep_id: int, chunk_id: int, token: int) -> None:
        """Show a claim, so that its lease is renewed as long as this process works on it.

        A job is `chunk_id` of sweep 0, its attempt the token.
        """

    def limited(self, seconds: float, numbers: Sequence[int] = ()) -> AbstractContextManager[None]:
        """Raise TimeLimitError in the block once `seconds` are over; show the trials `numbers` meanwhile."""


class Unwatched:
    """Watch that limits nothing, for processes that nobody watches."""

    def claimed(self, sweep_id: int, chunk_id: int, token: int) -> None:
        """Show nothing."""

    @contextmanager
    def limited(self, seconds: float, numbers: Sequence[int] = ()) -> Iterator[None]:  # noqa: ARG002
        """Let the block take as long as it takes."""
        yield


def timeout_message(seconds: float) -> str:
    """Return the reason for the row of a trial that was stopped at its limit."""
    return f"took longer than {seconds:g} s, the limit of a trial (trial_timeout_s)"


def hung_message(seconds: float) -> str:
    """Return the reason for the row of a trial that did not even stop at its limit."""
    return (
        f"hung: it did not stop at its limit of {seconds:g} s (trial_timeout_s), being in a call that "
        "cannot be interrupted or swallowing every error; its worker process was ended"
    )


def job_timeout_message(seconds: float) -> str:
    """Return the reason for the row of a job that was ended at its limit."""
    return f"took longer than {seconds:g} s, the limit of a job (CARRYGRID_TRIAL_TIMEOUT_S)"
