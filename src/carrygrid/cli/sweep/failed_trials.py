"""Failure reasons of a sweep's trials, as the commands print them."""

from typing import Any

from bot.plurals import counted
from carrygrid import Sweep

_MOST_REASONS = 5
_MOST_MESSAGE = 300


def state_words(sweep: dict[str, Any]) -> str:
    """Return the state of a sweep's document in words, with failures where a completed one has some."""
    return str(sweep.get("outcome") or sweep["state"]).replace("_", " ")


def print_failures(sweep: Sweep) -> None:
    """Print why trials failed, one line a reason, the most frequent first; nothing where none did."""
    if not sweep.document["trials_failed"]:
        return
    reasons = sweep.failures()
    for reason in reasons[:_MOST_REASONS]:
        message = " ".join(reason.message.split())[:_MOST_MESSAGE]
        trials = f"{counted(reason.trials, 'trial')}, such as {reason.example}"
        print(f"failed  {trials}: {reason.code}: {message}")
    if len(reasons) > _MOST_REASONS:
        print(f"failed  for {counted(len(reasons) - _MOST_REASONS, 'other reason')} more")


def reason_in_brief(sweep: Sweep) -> str:
    """Return the code of the most frequent reason, empty where no trial failed."""
    reasons = sweep.failures() if sweep.document["trials_failed"] else []
    return f": {reasons[0].code}" + (" and others" if reasons[1:] else "") if reasons else ""
