"""Progress of a sweep, and a line that shows it."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TextIO

_BAR_CELLS = 30


@dataclass(frozen=True, slots=True)
class Progress:
    """Counts of trials: `rate` in trials per second, `eta_s` in seconds, both None when idle."""

    state: str
    done: int
    total: int
    failed: int
    rate: float | None
    eta_s: float | None

    @classmethod
    def of(cls, sweep: Mapping[str, Any]) -> "Progress":
        """Return the progress that a sweep's document tells."""
        done, total, failed = (sweep[f"trials_{what}"] for what in ("done", "total", "failed"))
        return cls(sweep["state"], done, total, failed, sweep["rate"], sweep["eta"])

    def __str__(self) -> str:
        filled = _BAR_CELLS * self.done // self.total if self.total else 0
        rate = f"  {self.rate:,.0f} trials/s" if self.rate else ""
        left = f"  {self.eta_s:,.0f} s left" if self.eta_s else ""
        bar = f"[{'#' * filled:.<{_BAR_CELLS}}]"
        failed = f", {self.failed:,} failed" if self.failed else ""
        return f"{bar} {self.done:,} of {self.total:,}{rate}{left}  {self.state}{failed}"


class ProgressLine:
    """One line that is written over, in a terminal as in a notebook."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stderr
        self._shown = ""

    def __call__(self, progress: Progress) -> None:
        """Write the line anew if it says something else."""
        text = str(progress)
        if text != self._shown:
            self._stream.write("\r" + text.ljust(len(self._shown)))
            self._stream.flush()
            self._shown = text

    def end(self) -> None:
        """Leave the line."""
        if self._shown:
            self._stream.write("\n")
