"""Windows of trials that end before they start: refused with the sweep, not trial by trial."""

from bot.errors import InvalidInputError
from bot.plurals import counted
from bot.timestamps import iso
from sweeps.spec.spec import SweepSpec

_WINDOW = ("start", "end")

Window = tuple[int, int]


def refuse_reversed_windows(spec: SweepSpec, before: SweepSpec | None = None) -> None:
    """Do nothing unless some trial ends before it starts; windows that it had `before` it was extended stay.

    Combinations that are no trials, since a constraint leaves them out or axes are linked, may be reversed.
    Raises: InvalidInputError naming one value by its path, and how many windows are reversed.
    """
    known = set() if before is None else set(_reversed(before))
    found = [window for window in _reversed(spec) if window not in known]
    if not found:
        return
    path, words = _named(spec, found[0])
    if len(found) > 1:
        more = counted(len(found) - 1, "more window ends", "more windows end")
        words += f", and {more} before their start"
    if before is None and all(name in spec.grid for name in _WINDOW):
        words += '; the constraint "start <= end" leaves such trials out'
    raise InvalidInputError.of(path, words)


def _reversed(spec: SweepSpec) -> list[Window]:
    """Return the windows of trials, ms UTC, that end before they start, each once."""
    starts, ends = (spec.values_of(name) for name in _WINDOW)
    if max(starts) <= min(ends):
        return []
    shared = {"start": starts[0], "end": ends[0]}
    windows = [shared | varied for varied in spec.space.combinations(_WINDOW).values()]
    return [(one["start"], one["end"]) for one in windows if one["end"] < one["start"]]


def _named(spec: SweepSpec, window: Window) -> tuple[str, str]:
    """Return the path of the end of a window or of its start, whichever is newer, and what is wrong."""
    start, end = window
    words = {
        path: f"{iso(end)} is before start {iso(start)}"
        for path, value in spec.written_values("end").items()
        if value == end
    } | {
        path: f"{iso(start)} is after end {iso(end)}"
        for path, value in spec.written_values("start").items()
        if value == start
    }
    newest = f"extensions[{len(spec.extensions) - 1}]"
    path = max(words, key=lambda path: (path.startswith(newest), not path.startswith("base")))
    return path, words[path]
