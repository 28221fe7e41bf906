"""Later days of a trial in words: those of a look at a holdout, or after a promotion."""

from collections.abc import Mapping
from typing import Any

from bot.plurals import counted


def later_days(first: str, found: Mapping[str, Any]) -> str:
    """Return in words how a trial did from a day on."""
    days = counted(found["days"]["later"], "day")
    consistent = {True: "consistent", False: "not consistent", None: "too long to compare"}[
        found["consistent"]
    ]
    p = "" if found["p"] is None else f" (p {found['p']:.3f})"
    return f"net {found['net_pnl']} in {days} from {first} on, {consistent} with its earlier days{p}"
