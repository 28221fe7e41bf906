"""Order of what happens at an event: what takes a hedge first, and which settlements are still due to it."""

from typing import TypeVar

from bot.models import CloseReason
from bot.numbers.arrays import IntArray

INTERRUPTIONS = (CloseReason.LIQUIDATION, CloseReason.DELISTED)
"""Reasons by which exchanges end a hedge before anything else at an event, the settlement included."""
EXITS = (CloseReason.MARGIN, CloseReason.SEAM, CloseReason.SIGNAL)
"""Reasons by which an account ends a hedge after the settlement of an event; the first that holds counts."""
ENDINGS = (*INTERRUPTIONS, *EXITS, CloseReason.END)
"""Reasons that end a hedge, the one that comes first at an event first."""

Place = TypeVar("Place", int, IntArray)


def is_before_funding(reason: CloseReason) -> bool:
    """Return whether a hedge that ends for this reason ends before the settlements of its last moment.

    Source: docs/domain.md, section 3.
    """
    return reason in INTERRUPTIONS


def last_due(end: Place, before_funding: Place) -> Place:
    """Return the last place at which settlements were due to what ended at `end`: ms, or events.

    `before_funding` is 1 for what ended before the settlements there, else 0.

    Source: docs/domain.md, section 3.
    """
    return end - before_funding


def is_due(settled_ms: int, opened_ms: int, last_due_ms: int | None = None) -> bool:
    """Return whether a settlement was due to a hedge: the first one after it was opened, up to the last.

    Without `last_due_ms` the hedge is still open.

    Source: docs/domain.md, section 3.
    """
    return opened_ms < settled_ms and (last_due_ms is None or settled_ms <= last_due_ms)
