"""Order of what happens at an event: what takes a hedge first, and which settlements are still due to it."""

from bot.models import CloseReason

INTERRUPTIONS = (CloseReason.LIQUIDATION, CloseReason.DELISTED, CloseReason.ADL)
"""Reasons by which exchanges end a hedge before anything else at an event, the settlement included."""
EXITS = (
    CloseReason.MARGIN,
    CloseReason.DISTANCE,
    CloseReason.BASIS,
    CloseReason.SEAM,
    CloseReason.SIGNAL,
)
"""Reasons by which an account ends a hedge after the settlement of an event; the first that holds counts."""
ENDINGS = (*INTERRUPTIONS, *EXITS, CloseReason.END)
"""Reasons that end a hedge, the one that comes first at an event first."""


def is_before_funding(reason: CloseReason) -> bool:
    """Return whether a hedge that ends for this reason ends before the settlements of its last moment.

    Source: docs/domain.md, section 3.
    """
    return reason in INTERRUPTIONS


def last_due(end_ms: int, *, before_funding: bool) -> int:
    """Return the last moment, ms UTC, at which settlements were due to what ended at `end_ms`.

    `before_funding` says that it ended before the settlements of that moment.

    Source: docs/domain.md, section 3.
    """
    return end_ms - before_funding


def is_due(settled_ms: int, opened_ms: int, last_due_ms: int | None = None) -> bool:
    """Return whether a settlement was due to a hedge: the first one after it was opened, up to the last.

    Without `last_due_ms` the hedge is still open.

    Source: docs/domain.md, section 3.
    """
    return opened_ms < settled_ms and (last_due_ms is None or settled_ms <= last_due_ms)
