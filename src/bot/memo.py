"""Bounded memo: remember computed answers by key."""

from collections.abc import Callable, Hashable
from typing import Any, TypeVar

Found = TypeVar("Found")


class Memo:
    """Remembers up to `most` answers by what they depend on; when they are more, all are forgotten."""

    __slots__ = ("_known", "_most")

    def __init__(self, most: int) -> None:
        self._most = most
        self._known: dict[Hashable, Any] = {}

    def get(self, key: Hashable, compute: Callable[[], Found]) -> Found:
        """Return the value of `compute`, computed once for each `key`."""
        try:
            found: Found = self._known[key]
        except KeyError:
            found = compute()
            if len(self._known) >= self._most:
                self._known.clear()
            self._known[key] = found
        return found
