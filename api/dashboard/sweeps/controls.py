"""Controls of a sweep in its state, as buttons and as words."""

from dataclasses import dataclass

from sweeps.analysis.progress import SweepView
from sweeps.storage.states import ACTIVE, SweepState


@dataclass(frozen=True, slots=True)
class Control:
    """A button: the route it calls, what stands on it, and what is said once that has worked."""

    action: str
    label: str
    outcome: str


_PAUSE = Control("pause", "Pause", "Paused. Trials that were running end before their next one.")
_CANCEL = Control("cancel", "Cancel, keep what is done", "Cancelled. What was done is kept.")
_RESUME = Control("resume", "Resume", "Queued again. Workers take up the rest.")
_RETRY = Control("retry", "Retry failed trials", "The failed trials are queued again.")


def controls_of(sweep: SweepView) -> list[Control]:
    """Return the buttons that make sense now, those that start work before those that end it."""
    if sweep.state in ACTIVE:
        return [_PAUSE, _CANCEL]
    if sweep.state is SweepState.PAUSED:
        return [_RESUME, _CANCEL]
    if sweep.state is SweepState.CANCELLED:
        return [_RESUME]
    unfinished = sweep.trials_done < sweep.trials_total
    return ([_RESUME] if unfinished else []) + ([_RETRY] if sweep.trials_failed else [])
