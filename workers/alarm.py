"""The limits of trials and jobs within a pool process, kept by the timer of the system."""

import signal
import threading
from collections.abc import Sequence
from types import FrameType, TracebackType

from sweeps.watch import TimeLimitError
from workers.inflight import show_claim, show_limit

_AGAIN_S = 1.0
"""An error raised where Python swallows it, as in a finalizer, is raised again."""


class TrialAlarm:
    """Ends what takes too long with a TimeLimitError, and shows what is in flight to the main process.

    What does not end even so, the main process ends together with this one.
    """

    def __init__(self, outside_limit_s: float) -> None:
        self._outside_limit_s = outside_limit_s

    def claimed(self, sweep_id: int, chunk_id: int, token: int) -> None:
        """Show a claim, so that the main process renews its lease."""
        show_claim(sweep_id, chunk_id, token)

    def limited(self, seconds: float, numbers: Sequence[int] = ()) -> "_Limit":
        """Raise TimeLimitError in the block once `seconds` are over; show the trials `numbers` meanwhile."""
        return _Limit(seconds, numbers, self._outside_limit_s)


class _Limit:
    def __init__(self, seconds: float, numbers: Sequence[int], outside_limit_s: float) -> None:
        self._seconds = seconds
        self._numbers = numbers
        self._outside_limit_s = outside_limit_s
        self._armed = False

    def __enter__(self) -> None:
        numbers = self._numbers
        show_limit(self._seconds, numbers[0] if numbers else 0, len(numbers))
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGALRM, self._ring)
            self._armed = True
            try:
                signal.setitimer(signal.ITIMER_REAL, self._seconds, _AGAIN_S)
            except TimeLimitError:  # rung already, on a machine that had no time for this process
                self.__exit__(None, None, None)
                raise

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._armed:
            self._armed = False
            signal.setitimer(signal.ITIMER_REAL, 0)
        show_limit(self._outside_limit_s)

    def _ring(self, _number: int, _frame: FrameType | None) -> None:
        if self._armed:
            raise TimeLimitError
